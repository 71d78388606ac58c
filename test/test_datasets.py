# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The readers of YouTube-VOS, SegTrack v2 and any folder, on small data sets written here."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vos_ros.data.datasets import LAYOUTS, open_dataset
from vos_ros.data.davis import DavisDataset, DavisError
from vos_ros.data.folder import FolderDataset
from vos_ros.data.image_files import write_labels
from vos_ros.data.segtrack import SegTrackDataset
from vos_ros.data.sequence import SequenceError, VideoSequence
from vos_ros.data.youtube_vos import YouTubeVosDataset

HEIGHT, WIDTH = 10, 16


def patch(**boxes: int) -> np.ndarray:
    """Labels with a column of two pixels for each object, the first with id 1 at column 0."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for place, object_id in enumerate(boxes.values()):
        labels[2:8, 3 * place : 3 * place + 2] = object_id
    return labels


def write_image(path: Path, value: int = 90, size: tuple[int, int] = (HEIGHT, WIDTH)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*size, 3), value, np.uint8)).save(path)


def write_mask(path: Path, labels: np.ndarray, palette: bool = True) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if palette:
        write_labels(path, labels)
    else:
        Image.fromarray(labels).save(path)


@pytest.fixture
def youtube(tmp_path: Path) -> Path:
    """`valid` with object 1 from frame 5 and object 3 from frame 15; frames 0..25 by fives."""
    root = tmp_path / "YT"
    for number in range(0, 30, 5):
        write_image(root / f"valid/JPEGImages/vid/{number:05d}.jpg")
    for number in range(27):
        write_image(root / f"valid_all_frames/JPEGImages/vid/{number:05d}.jpg")
    write_mask(root / "valid/Annotations/vid/00005.png", patch(a=1))
    write_mask(root / "valid/Annotations/vid/00015.png", patch(a=0, b=3))
    objects = {
        "1": {"category": "cat", "frames": ["00005", "00010", "00015", "00020"]},
        "3": {"category": "owl", "frames": ["00015", "00020"]},
    }
    (root / "valid" / "meta.json").write_text(json.dumps({"videos": {"vid": {"objects": objects}}}))
    return root


def test_youtube_objects_begin_where_meta_says(youtube):
    dataset = YouTubeVosDataset(youtube, "valid")
    assert dataset.names == ("vid",)
    sequence = dataset.sequence("vid")
    assert sequence.stems == ("00000", "00005", "00010", "00015", "00020", "00025")
    assert sequence.annotated == (1, 3)
    assert sequence.introductions == {1: (1,), 3: (3,)}
    assert sequence.requested == (1, 2, 3, 4)
    np.testing.assert_array_equal(sequence.mask(3), patch(a=0, b=3))


def test_youtube_masks_are_requested_of_every_fifth_of_all_frames(youtube):
    sequence = YouTubeVosDataset(youtube, "valid", all_frames=True).sequence("vid")
    assert len(sequence) == 27
    assert sequence.introductions == {5: (1,), 15: (3,)}
    assert sequence.requested == (5, 10, 15, 20)


def test_youtube_without_meta_finds_objects_in_the_masks(youtube):
    (youtube / "valid" / "meta.json").unlink()
    write_mask(youtube / "valid/Annotations/vid/00020.png", patch(a=1, b=3, c=7, d=255))
    sequence = YouTubeVosDataset(youtube, "valid").sequence("vid")
    assert sequence.introductions == {1: (1,), 3: (3,), 4: (7,)}
    assert sequence.requested == tuple(range(6))
    assert 255 in sequence.raw_mask(4) and 255 not in sequence.mask(4)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "meta.json cannot be read"),
        ("[]", "meta.json cannot be read"),
        ('{"videos": {"vid": {"objects": {"one": {"frames": []}}}}}', "something else than"),
        ('{"videos": {"vid": {"objects": {"1": {"frames": []}}}}}', "begin in no frame"),
        ('{"videos": {"vid": {"objects": {"1": {"frames": ["00099"]}}}}}', "begin in 00099"),
    ],
)
def test_youtube_meta_that_cannot_be_is_named(youtube, text, words):
    (youtube / "valid" / "meta.json").write_text(text)
    with pytest.raises(SequenceError, match=words):
        YouTubeVosDataset(youtube, "valid").sequences()


@pytest.mark.parametrize("kind", ["valid", "valid_all_frames"])
def test_youtube_frames_that_meta_lists_must_be_there(youtube, kind):
    (youtube / kind / "JPEGImages/vid/00010.jpg").unlink()
    (youtube / kind / "JPEGImages/vid/00020.jpg").unlink()
    dataset = YouTubeVosDataset(youtube, "valid", all_frames=kind != "valid")
    with pytest.raises(
        SequenceError,
        match=f"00010, 00020 of the video vid are in .*meta.json, "
        f"but not in .*{kind}/JPEGImages/vid",
    ):
        dataset.sequence("vid")


def test_youtube_videos_of_meta_must_be_there_unless_others_are_named(youtube):
    meta = json.loads((youtube / "valid" / "meta.json").read_text())
    meta["videos"] |= {"gone": {"objects": {}}, "away": {"objects": {}}}
    (youtube / "valid" / "meta.json").write_text(json.dumps(meta))
    dataset = YouTubeVosDataset(youtube, "valid")
    with pytest.raises(
        SequenceError,
        match=r"meta\.json names videos that are not in "
        r".*valid/JPEGImages: away, gone$",
    ):
        dataset.sequences()
    assert [sequence.name for sequence in dataset.sequences(["vid"])] == ["vid"]


def test_a_youtube_split_that_is_not_there_is_named(youtube):
    with pytest.raises(SequenceError, match="no videos in .*YT/test/JPEGImages"):
        _ = YouTubeVosDataset(youtube, "test").names


@pytest.fixture
def segtrack(tmp_path: Path) -> Path:
    """`frog` with one object, PNG; `drift` with two, BMP frames and one smoothed mask."""
    root = tmp_path / "SegTrackv2"
    (root / "ImageSets").mkdir(parents=True)
    (root / "ImageSets" / "all.txt").write_text("*frog\n*drift\n")
    for number in range(9, 12):
        write_image(root / f"JPEGImages/frog/frog_{number}.png")
        white = 255 * patch(a=1)
        write_mask(root / f"GroundTruth/frog/frog_{number}.png", white, palette=False)
    for number in range(2):
        write_image(root / f"JPEGImages/drift/drift_{number:04d}.bmp")
        one, two = 255 * patch(a=1), 255 * patch(a=0, b=1)
        one[0] = 100  # a smoothed edge: nearer to black
        two[2:8, 1] = 255  # claimed by both
        write_mask(root / f"GroundTruth/drift/1/drift_{number:04d}.bmp", one, palette=False)
        coloured = np.repeat(two[..., None], 3, 2)
        write_mask(root / f"GroundTruth/drift/2/drift_{number:04d}.png", coloured, palette=False)
    return root


def test_segtrack_reads_one_object_and_several(segtrack):
    dataset = SegTrackDataset(segtrack)
    assert dataset.names == ("frog", "drift")
    frog, drift = dataset.sequences()
    assert [one.name for one in dataset.sequences(["frog", "drift", "frog"])] == ["frog", "drift"]
    assert frog.stems == ("frog_9", "frog_10", "frog_11")  # by number, not by letter
    np.testing.assert_array_equal(frog.mask(1), patch(a=1))
    np.testing.assert_array_equal(frog.raw_mask(1), patch(a=255))  # as in its files
    expected = patch(a=1, b=2)
    expected[2:8, 1] = 2
    image, labels = drift.pair(1)
    assert image.shape == (HEIGHT, WIDTH, 3)
    np.testing.assert_array_equal(labels, expected)
    assert [path.parent.name for path in drift.mask_files(0)] == ["1", "2"]
    assert drift.introductions == {0: (1, 2)}
    assert pickle.loads(pickle.dumps(drift)).introductions == {0: (1, 2)}


def test_segtrack_without_a_list_takes_every_folder(segtrack):
    (segtrack / "ImageSets" / "all.txt").unlink()
    assert SegTrackDataset(segtrack).names == ("drift", "frog")


def test_segtrack_frames_may_lack_all_masks_but_not_that_of_one_object(segtrack):
    (segtrack / "GroundTruth/drift/1/drift_0001.bmp").unlink()
    (segtrack / "GroundTruth/frog/frog_10.png").unlink()
    frog, drift = SegTrackDataset(segtrack).sequences()
    assert set(np.unique(drift.mask(0))) == {0, 1, 2}
    for read in (drift.mask, drift.pair):
        with pytest.raises(SequenceError, match=r"no file .*GroundTruth/drift/1/drift_0001\.bmp"):
            read(1)
    assert frog.annotated == (0, 2) and frog.mask_files(1) == ()
    with pytest.raises(SequenceError, match=r"no mask for the frame .*frog_10\.png"):
        frog.mask(1)


def test_segtrack_objects_may_come_later(segtrack):
    write_mask(segtrack / "GroundTruth/drift/2/drift_0000.png", patch(), palette=False)
    assert SegTrackDataset(segtrack).sequence("drift").introductions == {0: (1,), 1: (2,)}


def test_segtrack_masks_of_two_sizes_are_named(segtrack):
    write_mask(segtrack / "GroundTruth/drift/2/drift_0001.png", np.ones((4, 4), np.uint8))
    with pytest.raises(SequenceError, match=r"2/drift_0001\.png is 4x4 pixels.*16x10"):
        SegTrackDataset(segtrack).sequence("drift").mask(1)


@pytest.mark.parametrize("resolution", ["", "480p/", "small/"])
def test_a_folder_needs_neither_list_nor_resolution(tmp_path, resolution):
    for name in ("b", "a"):
        write_image(tmp_path / f"JPEGImages/{resolution}{name}/0.webp")
        write_mask(tmp_path / f"Annotations/{resolution}{name}/0.png", patch(x=2, y=5))
    dataset = FolderDataset(tmp_path)
    assert dataset.names == ("a", "b")
    assert dataset.sequences(["b"])[0].introductions == {0: (2, 5)}
    (tmp_path / "ImageSets" / "mine").mkdir(parents=True)
    (tmp_path / "ImageSets" / "mine" / "few.txt").write_text("b\n")
    assert FolderDataset(tmp_path, "few").names == ("b",)
    with pytest.raises(SequenceError, match="no list of the split many"):
        _ = FolderDataset(tmp_path, "many").names


def test_a_folder_tells_one_object_from_ids_by_its_first_mask(tmp_path):
    for name, labels in (("white", 255 * patch(a=1)), ("ids", patch(a=1, b=255))):
        for number in range(3):
            write_image(tmp_path / f"JPEGImages/{name}/{number}.jpg")
            shown = labels if number else np.zeros_like(labels)
            write_mask(tmp_path / f"Annotations/{name}/{number}.png", shown)
    white, ids = (FolderDataset(tmp_path).sequence(name) for name in ("white", "ids"))
    np.testing.assert_array_equal(white.mask(1), patch(a=1))
    np.testing.assert_array_equal(ids.mask(1), patch(a=1))  # 255 is void beside ids
    merged = FolderDataset(tmp_path, binary=True).sequence("ids")
    np.testing.assert_array_equal(merged.mask(1), patch(a=1, b=1))


def test_a_folder_with_two_resolutions_is_refused_unless_one_is_480p(tmp_path):
    for resolution in ("1080p", "2160p"):
        write_image(tmp_path / f"JPEGImages/{resolution}/a/0.jpg")
    with pytest.raises(SequenceError, match="resolutions 1080p, 2160p"):
        _ = FolderDataset(tmp_path).names
    write_image(tmp_path / "JPEGImages/480p/b/0.jpg")
    assert FolderDataset(tmp_path).names == ("b",)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SequenceError, match="no folder .*nowhere/JPEGImages"):
        _ = FolderDataset(tmp_path / "nowhere").names


def test_void_is_background_in_ids_and_an_object_in_binary_masks(tmp_path):
    path = tmp_path / "0.png"
    write_mask(path, patch(a=2, b=255))
    frame = tmp_path / "0.jpg"
    write_image(frame)
    ids = VideoSequence("s", (frame,), {0: path})
    np.testing.assert_array_equal(ids.mask(0), patch(a=2))
    np.testing.assert_array_equal(ids.raw_mask(0), patch(a=2, b=255))
    binary = VideoSequence("s", (frame,), {0: path}, binary=True)
    np.testing.assert_array_equal(binary.mask(0), patch(a=1, b=1))


def test_objects_that_come_later_count_only_where_they_may(tmp_path):
    paths = {}
    for index, labels in enumerate((patch(a=2), patch(a=2, b=4))):
        paths[index] = tmp_path / f"{index}.png"
        write_mask(paths[index], labels)
    frames = (tmp_path / "0.jpg", tmp_path / "1.jpg")
    assert VideoSequence("s", frames, paths).introductions == {0: (2,)}
    assert VideoSequence("s", frames, paths, late=True).introductions == {0: (2,), 1: (4,)}
    assert VideoSequence("s", frames, {}).introductions == {}


def test_every_layout_opens_by_its_name(tmp_path, youtube, segtrack):
    assert isinstance(open_dataset("davis2016", tmp_path), DavisDataset)
    assert open_dataset("davis2017", tmp_path, "test-dev").split == "test-dev"
    assert open_dataset("davis2017", tmp_path).year == 2017
    assert open_dataset("youtube_vos", youtube).names == ("vid",)
    assert open_dataset("segtrack_v2", segtrack).names == ("frog", "drift")
    assert open_dataset("folder", tmp_path).split == ""
    known = ", ".join(LAYOUTS)
    with pytest.raises(SequenceError, match=f"no layout cityscapes; known are {known}"):
        open_dataset("cityscapes", tmp_path)


def test_one_kind_of_error_serves_all_data_sets():
    assert DavisError is SequenceError and issubclass(SequenceError, ValueError)


def test_names_of_sequences_may_hold_spaces(tmp_path):
    frame = "JPEGImages/480p/my own dog/00000.jpg"
    write_image(tmp_path / frame)
    write_mask(tmp_path / "Annotations/480p/my own dog/00000.png", patch(a=1))
    (tmp_path / "ImageSets/480p").mkdir(parents=True)
    mask = "Annotations/480p/my own dog/00000.png"
    for text in (
        "my own dog \n",
        "*my own dog\r\n",
        f"/{frame} /{mask} \n",
        f"/{frame}\t/{mask}",
        f"/{frame}\n",
    ):
        (tmp_path / "ImageSets/480p/few.txt").write_text(text)
        (sequence,) = DavisDataset(tmp_path, "few").sequences()
        assert (sequence.name, len(sequence)) == ("my own dog", 1)


def test_many_names_are_cut_short_in_a_message(tmp_path):
    for number in range(40):
        (tmp_path / "JPEGImages" / f"s{number:02d}").mkdir(parents=True)
    with pytest.raises(SequenceError, match="dodo: not in .* s29 and 10 more"):
        FolderDataset(tmp_path).sequences(["dodo"])
