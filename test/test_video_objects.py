# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips of several objects from video: labels on their pixels, contiguous ids, strange ids told."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from vos_ros.data.clip import least_area
from vos_ros.data.davis import DavisDataset
from vos_ros.data.faults import FaultLog
from vos_ros.data.image_files import write_labels
from vos_ros.data.motion import linear, translation
from vos_ros.data.sequence import SequenceError
from vos_ros.data.video_clips import VideoClips
from vos_ros.data.video_mix import VideoMix
from vos_ros.data.video_view import seen

SIZE = (96, 160)
LEVELS = np.array([20, 90, 165, 245], np.uint8)
"""Grey levels of the background and of objects 1..3 in a video of a moving chequerboard."""


def write_board(root, name="board", frames=8, add=None):
    """A chequerboard of four greys that moves; three of them are objects, which touch each other.

    add: (frame, id): an object that only this frame's mask shows.
    """
    images, masks = root / "JPEGImages/480p" / name, root / "Annotations/480p" / name
    images.mkdir(parents=True)
    masks.mkdir(parents=True)
    for number in range(frames):
        rows, columns = np.indices((120, 200))
        columns = columns + 3 * number
        ids = ((rows // 30 + columns // 40) % 4).astype(np.uint8)
        image = LEVELS[ids]
        if add and add[0] == number:
            ids[:20, :20] = add[1]
        Image.fromarray(np.repeat(image[..., None], 3, 2)).save(images / f"{number:05d}.png")
        write_labels(masks / f"{number:05d}.png", ids)


def boards(root, size=SIZE, length=4, **options):
    sequences = [DavisDataset(root, "", 2017).sequence("board")]
    return VideoClips(sequences, size, length, **options)


def alone(root, **options):
    """Clips of a video in which only one of the objects is annotated."""
    sequence = DavisDataset(root, "", 2016).sequence("board")
    return VideoClips([sequence], SIZE, 2, **options)


def agreement(image, labels, first):
    """Share of the pixels, those on outlines aside, whose grey is that of their label.

    The greys are taken from the picture itself, for the camera changes them.
    """
    clear = cv2.dilate(labels, np.ones((7, 7))) == cv2.erode(labels, np.ones((7, 7)))
    shown = [k for k in range(int(first.max()) + 1) if np.count_nonzero(clear & (labels == k)) > 30]
    grey = image.mean(2)
    levels = [np.median(grey[clear & (labels == k)]) for k in shown]
    nearest = np.array(shown)[np.abs(grey[..., None] - levels).argmin(-1)]
    return float((nearest == labels)[clear].mean())


def test_the_masks_of_several_objects_stay_on_their_pixels(tmp_path):
    write_board(tmp_path)
    clips = boards(tmp_path, objects=3, mix=VideoMix(pasted=0.0))
    shares = []
    for index in range(25):
        clip = clips[index]
        if clip.labels[0].max() == 3:  # else a square that is no object has the grey of one
            pairs = zip(clip.images, clip.labels, strict=True)
            shares += [agreement(image, labels, clip.labels[0]) for image, labels in pairs]
    assert len(shares) > 40
    assert np.median(shares) > 0.99 and np.mean(np.array(shares) < 0.9) < 0.1


@pytest.mark.parametrize("objects", [1, 2, 3])
def test_ids_are_contiguous_and_frame_0_shows_them_all(tmp_path, objects):
    write_board(tmp_path)
    most = set()
    for clips in (boards(tmp_path, objects=objects), alone(tmp_path, objects=objects)):
        for index in range(20):
            labels = clips[index].labels
            counts = np.bincount(labels[0].ravel())[1:]
            assert 1 <= len(counts) <= objects
            assert (counts >= least_area(SIZE)).all()
            assert labels.max() <= len(counts), "no object appears that frame 0 lacks"
            most.add(len(counts))
    assert max(most) == objects


def test_a_video_of_one_object_gives_clips_of_several(tmp_path):
    write_board(tmp_path)
    one, three = alone(tmp_path), alone(tmp_path, objects=3)
    counts = [int(three[index].labels.max()) for index in range(30)]
    assert {1, 2} <= set(counts) and sum(count > 1 for count in counts) > 8
    assert all(one[index].labels.max() == 1 for index in range(15))


def test_where_objects_touch_there_is_no_seam():
    """Four quarters of the picture; where they meet none covers half of a pixel."""
    rows, columns = np.indices((40, 60))
    quarters = [np.uint8(255) * ((rows >= 20) == low & 1) * ((columns >= 30) == low >> 1)
                for low in range(4)]  # fmt: skip
    assert (sum(quarter.astype(int) for quarter in quarters) == 255).all()
    turn = translation(50, 20) @ linear(0.7, 2.9) @ translation(-30, -20)
    picture, margin = np.zeros((40, 60, 3), np.uint8), (0.0, 0.0, 0.0)
    _, labels = seen(picture, quarters, turn, (60, 100), margin)
    _, whole = seen(picture, [np.full((40, 60), 255, np.uint8)], turn, (60, 100), margin)
    inside = cv2.erode(whole, np.ones((3, 3), np.uint8)) > 0
    assert inside.any() and (labels[inside] > 0).all()
    assert {1, 2, 3, 4} <= set(np.unique(labels))


def test_objects_that_the_first_mask_lacks_are_a_fault(tmp_path):
    write_board(tmp_path, add=(5, 9))
    clips = boards(tmp_path, length=2, max_gap=1)
    for index in range(30):
        clips[index]
    path = str(tmp_path / "Annotations/480p/board/00005.png")
    assert clips.faults.known == {path: f"{path} shows 9, which the first mask of board does not"}
    strict = boards(tmp_path, length=2, max_gap=1, faults=FaultLog(strict=True))
    with pytest.raises(SequenceError, match="00005.png shows 9"):
        for index in range(30):
            strict[index]


def test_where_objects_may_enter_later_they_are_no_fault(tmp_path):
    write_board(tmp_path, add=(5, 9))
    sequence = replace(DavisDataset(tmp_path, "", 2017).sequence("board"), late=True)
    clips = VideoClips([sequence], SIZE, 2, max_gap=1, objects=4, mix=VideoMix(pasted=0.0))
    assert all(clips[index].labels.any() for index in range(30)) and not clips.faults.known
    met = replace(sequence, starts={1: 0, 2: 0, 3: 0})
    known = VideoClips([met], SIZE, 2, max_gap=1)
    for index in range(30):
        known[index]
    assert len(known.faults.known) == 1, "but one that the data set does not list is"
