# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is done to the frames of a video, each thing by itself: with none, they are the clip."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from PIL import Image

from vos_ros.data.folder import FolderDataset
from vos_ros.data.video_clips import VideoClips
from vos_ros.data.video_mix import VideoMix

SIZE, FRAMES = (64, 128), 5
NONE = {field.name: 0.0 for field in fields(VideoMix)}


def write_video(root, scale=1):
    """Frames of grain, each its own, and a board that moves; returns both at SIZE."""
    images = np.random.default_rng(0).integers(0, 200, (FRAMES, *SIZE, 3), np.uint8)
    ids = np.zeros((FRAMES, *SIZE), np.uint8)
    for number in range(FRAMES):
        ids[number, 16:48, 20 + 8 * number : 60 + 8 * number] = 1
        images[number][ids[number] > 0, 0] += 55
        for kind, array in (("JPEGImages", images), ("Annotations", ids)):
            (root / kind / "grain").mkdir(parents=True, exist_ok=True)
            big = array[number].repeat(scale, 0).repeat(scale, 1)
            Image.fromarray(big).save(root / kind / "grain" / f"{number:05d}.png")
    return images, ids


def clips_of(root, length=3, objects=1, max_gap=1, **shares):
    mix = VideoMix(**NONE | shares)
    sequences = FolderDataset(root).sequences()
    options = {"reference": 0.0, "max_gap": max_gap, "objects": objects}
    return VideoClips(sequences, SIZE, length, mix=mix, **options)


def same(clip, images, ids) -> list[int]:
    """Where in the video the clip is from, if its frames follow upon each other unchanged."""
    length = len(clip.images)
    return [first for first in range(FRAMES - length + 1)
            if np.array_equal(clip.images, images[first : first + length])
            and np.array_equal(clip.labels, ids[first : first + length])]  # fmt: skip


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_with_none_of_it_a_clip_is_the_resized_frames(tmp_path, scale):
    images, ids = write_video(tmp_path, scale)
    clips = clips_of(tmp_path)
    firsts = [same(clips[index], images, ids) for index in range(12)]
    assert all(len(first) == 1 for first in firsts)
    assert {first for (first,) in firsts} == {0, 1, 2}


def test_sides_are_resized_each_by_its_own_factor(tmp_path):
    images, ids = write_video(tmp_path)
    sequences = FolderDataset(tmp_path).sequences()
    clip = VideoClips(sequences, (64, 64), 5, mix=VideoMix(**NONE), reference=0.0)[0]
    halved = images.reshape(FRAMES, 64, 64, 2, 3).astype(float).mean(3)
    assert np.abs(clip.images - halved).max() <= 1
    assert np.array_equal(clip.labels, ids[:, :, ::2])


def test_mirrored_and_reversed_clips_are_the_same_frames(tmp_path):
    images, ids = write_video(tmp_path)
    mirrored, backwards = clips_of(tmp_path, mirrored=1.0), clips_of(tmp_path, reversed=1.0)
    for index in range(6):
        assert len(same(mirrored[index], images[:, :, ::-1], ids[:, :, ::-1])) == 1
        assert len(same(backwards[index], images[::-1], ids[::-1])) == 1
    half = clips_of(tmp_path, mirrored=0.5)
    assert 6 < sum(bool(same(half[index], images, ids)) for index in range(30)) < 24


@pytest.mark.parametrize(
    "name", ["pasted", "cropped", "scaled", "turned", "moved", "light", "lens"]
)
def test_each_thing_by_itself_changes_clips_and_nothing_else(tmp_path, name):
    images, ids = write_video(tmp_path)
    clips = [clips_of(tmp_path, **{name: 1.0})[index] for index in range(8)]
    changed = [clip for clip in clips if not same(clip, images, ids)]
    assert len(changed) >= (2 if name == "lens" else 7)
    for clip in changed:
        places = [np.array_equal(clip.labels, ids[first : first + 3]) for first in range(3)]
        if name in ("light", "lens"):
            assert any(places), "masks stay where they are"
        if name == "pasted":
            first = max(range(3), key=lambda k: (clip.images == images[k : k + 3]).mean())
            untouched = (clip.images == images[first : first + 3]).all(-1)
            assert untouched.mean() > 0.3 and (clip.labels <= ids[first : first + 3]).all()


def test_one_change_is_that_of_all_frames(tmp_path):
    images, ids = write_video(tmp_path)
    for kind, array in (("JPEGImages", images), ("Annotations", ids)):
        for number in range(FRAMES):  # a video that stands still
            Image.fromarray(array[0]).save(tmp_path / kind / "grain" / f"{number:05d}.png")
    options = {"scaled": 1.0, "turned": 1.0, "mirrored": 0.5}
    areas = []
    for index in range(10):
        clip = clips_of(tmp_path, **options)[index]
        assert (clip.images == clip.images[:1]).all() and (clip.labels == clip.labels[:1]).all()
        areas.append(np.count_nonzero(clip.labels[0]) / np.count_nonzero(ids[0]))
    assert min(areas) < 0.9 and max(areas) > 1.1 and all(0.6 < area < 1.6 for area in areas)


def test_others_join_a_video_of_one_object_only_where_they_may(tmp_path):
    write_video(tmp_path)
    for joined, most in ((0.0, {1}), (1.0, {1, 2, 3})):
        clips = clips_of(tmp_path, objects=3, joined=joined)
        assert {int(clips[index].labels.max()) for index in range(20)} == most
