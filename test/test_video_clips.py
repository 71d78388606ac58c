# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips from annotated video: frames chosen, crops that keep masks on pixels, faults named."""

import logging
from dataclasses import replace
from multiprocessing.reduction import ForkingPickler

import cv2
import numpy as np
import pytest
from PIL import Image

from vos_ros.data.clip import least_area
from vos_ros.data.davis import DavisDataset
from vos_ros.data.faults import FaultLog
from vos_ros.data.sequence import SequenceError
from vos_ros.data.video_clips import VideoClips
from vos_ros.data.video_mix import VideoMix

SIZE = (96, 160)


def write_video(root, name, frames=12, empty=()):
    """A white disc that moves over dark grey, with its mask."""
    images, masks = root / "JPEGImages/480p" / name, root / "Annotations/480p" / name
    images.mkdir(parents=True)
    masks.mkdir(parents=True)
    for number in range(frames):
        mask = np.zeros((108, 192), np.uint8)
        if number not in empty:
            cv2.circle(mask, (40 + 8 * number, 54), 24, 255, -1)
        image = np.repeat(np.where(mask > 0, 245, 30).astype(np.uint8)[..., None], 3, 2)
        Image.fromarray(image).save(images / f"{number:05d}.jpg", quality=95)
        Image.fromarray(mask).save(masks / f"{number:05d}.png")


def clips_of(root, *names, size=SIZE, length=4, **options):
    data = DavisDataset(root, "")
    return VideoClips([data.sequence(name) for name in names], size, length, **options)


@pytest.fixture(scope="module")
def davis(tmp_path_factory):
    root = tmp_path_factory.mktemp("davis")
    write_video(root, "disc")
    write_video(root, "gone", empty=range(1, 11))
    write_video(root, "short", frames=2)
    return root


def test_sizes_and_types(davis):
    clips = clips_of(davis, "disc", "gone", "short", length=5)
    for index in range(20):
        clip = clips[index]
        assert clip.images.shape == (5, *SIZE, 3)
        assert clip.labels.shape == (5, *SIZE)
        assert clip.images.dtype == clip.labels.dtype == np.uint8
        assert np.count_nonzero(clip.labels[0]) >= least_area(SIZE)
        assert clip.labels.max() == 1


def test_masks_stay_on_their_pixels(davis):
    # The disc is far brighter than all else: halfway between the two is its outline.
    clips = clips_of(davis, "disc", mix=VideoMix(pasted=0.0))
    for index in range(25):
        clip = clips[index]
        for image, labels in zip(clip.images, clip.labels, strict=True):
            inside = cv2.erode(labels, np.ones((7, 7), np.uint8), borderValue=1) > 0
            around = cv2.dilate(labels, np.ones((7, 7), np.uint8)) == 0
            if not inside.any():
                continue
            grey = image.mean(2)
            middle = (np.median(grey[inside]) + np.median(grey[around])) / 2
            assert (grey[inside] > middle).mean() > 0.97
            assert (grey[around] < middle).mean() > 0.97


def test_the_same_number_gives_the_same_clip(davis):
    first = clips_of(davis, "disc", "gone", length=3, seed=1)
    again = clips_of(davis, "disc", "gone", length=3, seed=1)
    again[5]
    assert (first[7].images == again[7].images).all()
    assert (first[7].labels == again[7].labels).all()
    other = clips_of(davis, "disc", "gone", length=3, seed=2)
    assert (first[7].images != other[7].images).any()


def test_frames_keep_to_the_gaps_in_either_direction(davis):
    clips = clips_of(davis, "disc", max_gap=6)
    rng = np.random.default_rng(0)
    backwards = elsewhere = 0
    gaps = set()
    for _ in range(600):
        numbers = clips.frame_numbers(rng, range(60))
        assert 0 <= min(numbers) and max(numbers) < 60
        steps = np.diff(numbers[1:])
        assert (np.sign(steps) == np.sign(steps[0])).all()
        gaps |= set(np.abs(steps).tolist())
        backwards += steps[0] < 0
        first = (numbers[1] - numbers[0]) * np.sign(steps[0])
        elsewhere += not 1 <= first <= 6
    assert gaps == set(range(1, 7))
    assert 0.22 < backwards / 600 < 0.38
    assert 0.2 < elsewhere / 600 < 0.38


def test_a_video_shorter_than_the_clip_stands_still_at_its_end(davis):
    numbers = clips_of(davis, "short", length=5).frame_numbers(np.random.default_rng(3), range(2))
    assert len(numbers) == 5
    assert set(numbers) <= {0, 1}


def test_pasted_things_hide_the_target(davis):
    bare = clips_of(davis, "disc", mix=VideoMix(pasted=0.0))
    pasted = clips_of(davis, "disc", mix=VideoMix(pasted=1.0))
    rounds = [[], []]
    for index in range(20):
        for source, found in zip((bare, pasted), rounds, strict=True):
            found.append(np.count_nonzero(source[index].labels))
    assert sum(rounds[1]) < 0.97 * sum(rounds[0])


def test_bad_frames_are_named_and_passed_over(tmp_path, caplog):
    write_video(tmp_path, "bad")
    broken = tmp_path / "JPEGImages/480p/bad/00004.jpg"
    broken.write_bytes(broken.read_bytes()[:-200])
    wrong = tmp_path / "Annotations/480p/bad/00007.png"
    Image.fromarray(np.zeros((50, 50), np.uint8)).save(wrong)
    torn = tmp_path / "Annotations/480p/bad/00009.png"
    torn.write_bytes(b"no mask")
    options = {"length": 2, "max_gap": 1}
    clips = clips_of(tmp_path, "bad", **options)
    with caplog.at_level(logging.WARNING):
        met = [clips[index].faults for index in range(40)]
    assert set(clips.faults.known) == {str(path) for path in (broken, wrong, torn)}
    assert "cannot be read" in clips.faults.known[str(broken)]
    assert "50x50 pixels" in clips.faults.known[str(wrong)]
    assert sum(str(broken) in message for message in caplog.messages) == 1, "told once"
    assert {} in met and sum(str(broken) in faults for faults in met) > 1, "each clip says its own"
    strict = clips_of(tmp_path, "bad", faults=FaultLog(strict=True), **options)
    with pytest.raises(SequenceError, match="0000[479]"):
        for index in range(40):
            strict[index]


def test_frames_without_a_mask_are_named_where_every_frame_ought_to_have_one(tmp_path):
    write_video(tmp_path, "gap")
    (tmp_path / "Annotations/480p/gap/00003.png").unlink()
    assert clips_of(tmp_path, "gap").faults.known == {}
    frame = tmp_path / "JPEGImages/480p/gap/00003.jpg"
    clips = clips_of(tmp_path, "gap", complete=True)
    assert clips.faults.known == {str(frame): f"the frame {frame} has no mask"}
    assert clips[0].labels.any()
    with pytest.raises(SequenceError, match="00003.jpg has no mask"):
        clips_of(tmp_path, "gap", complete=True, faults=FaultLog(strict=True))


def test_a_video_without_masks_is_named_and_left_out(tmp_path, davis):
    write_video(tmp_path, "bare")
    bare = replace(DavisDataset(tmp_path, "").sequence("bare"), mask_paths={})
    disc = DavisDataset(davis, "").sequence("disc")
    clips = VideoClips([bare, disc], SIZE)
    folder = str(tmp_path / "JPEGImages/480p/bare")
    assert clips.faults.known == {folder: f"no frame in {folder} has a mask"}
    assert all(clips[index].labels[0].any() for index in range(5))
    with pytest.raises(SequenceError, match="none of the sequences has masks: bare"):
        VideoClips([bare], SIZE)


def test_what_is_not_usable_is_refused(davis, tmp_path):
    with pytest.raises(ValueError, match="positive"):
        VideoClips([], SIZE)
    bad = ({"reference": 1.5}, {"objects": 0}, {"max_gap": 0}, {"length": 0}, {"size": (16, 160)})
    for options in bad:
        with pytest.raises(ValueError, match="positive"):
            clips_of(davis, "disc", **options)
    with pytest.raises(IndexError):
        clips_of(davis, "disc")[-1]
    write_video(tmp_path, "empty", empty=range(12))
    with pytest.raises(SequenceError, match="clip 3: .* shows its object$"):
        clips_of(tmp_path, "empty")[3]
    for path in (tmp_path / "Annotations/480p/empty").iterdir():
        path.write_bytes(b"")
    with pytest.raises(SequenceError, match="shows its object; .*Annotations/480p/empty/000"):
        clips_of(tmp_path, "empty")[3]


def test_an_empty_first_mask_says_nothing_of_later_ones(tmp_path):
    write_video(tmp_path, "late", empty=range(4))
    clips = clips_of(tmp_path, "late", length=2)
    assert all(clips[index].labels[0].any() for index in range(10)) and not clips.faults.known


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0, 0), (1.0, 0.8, 1.0)])
def test_the_first_frame_is_from_anywhere_as_often_as_asked(davis, share, low, high):
    clips = clips_of(davis, "disc", length=3, max_gap=3, reference=share)
    rng = np.random.default_rng(0)
    far = 0
    for _ in range(300):
        first, second, _ = clips.frame_numbers(rng, range(100))
        far += abs(second - first) > 3
    assert low <= far / 300 <= high


def test_a_worker_that_starts_afresh_makes_the_same_clips(davis):
    clips = clips_of(davis, "disc", length=3)
    sent = ForkingPickler.loads(ForkingPickler.dumps(clips))  # as it goes to a loader's worker
    assert (sent[2].images == clips[2].images).all()
    assert (sent[2].labels == clips[2].labels).all()
