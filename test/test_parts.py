# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Of several pieces taken for an object that came back, those that look like it are kept."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scenes import RED, iou, mask_of, scene
from tiny import ColourNetwork

from vos_ros.acquaintance import Acquaintance
from vos_ros.evidence import CHECKS, apart
from vos_ros.looks import looks_of
from vos_ros.parts import without_strangers
from vos_ros.presence import ObjectPresence
from vos_ros.segmenter import VideoSegmenter

DARK, PALE = (150, 25, 20), (200, 70, 60)
OWN, OTHER = (4, 8, 20), (60, 28, 20)


def entry_of(labels: np.ndarray) -> ObjectPresence:
    return ObjectPresence(1, True, 0.9, 0.1, cv2.boundingRect((labels == 1).astype(np.uint8)))


def known(image: np.ndarray, labels: np.ndarray) -> Acquaintance:
    entry = entry_of(labels)
    return Acquaintance.met(entry).looked_at(looks_of(image, labels, 1, entry.box), learn=True)


def kept(image: np.ndarray, labels: np.ndarray) -> np.ndarray | None:
    """What is kept of a mask by whoever knows the red square."""
    first = mask_of((*OWN, 1))
    return without_strangers(image, labels, entry_of(labels), known(scene((*OWN, RED)), first))


@pytest.mark.parametrize("other", [DARK, PALE])
def test_the_piece_that_looks_like_the_object_is_kept(other):
    image = scene((*OWN, RED), (*OTHER, other), seed=3)
    found = kept(image, mask_of((*OWN, 1), (*OTHER, 1), (30, 40, 9, 2)))
    np.testing.assert_array_equal(found, mask_of((*OWN, 1), (30, 40, 9, 2)))


def test_crumbs_go_with_the_strangers_and_two_that_look_like_it_stay():
    image = scene((*OWN, RED), (*OTHER, RED), (40, 4, 12, PALE), seed=3)
    labels = mask_of((*OWN, 1), (*OTHER, 1), (40, 4, 12, 1), (90, 60, 2, 1))
    np.testing.assert_array_equal(kept(image, labels), mask_of((*OWN, 1), (*OTHER, 1)))


def test_one_piece_all_alike_or_nothing_alike_is_left_as_it_is():
    image = scene((*OWN, PALE), (*OTHER, PALE))
    assert kept(image, mask_of((*OTHER, 1))) is None
    assert kept(image, mask_of((*OWN, 1), (*OTHER, 1))) is None
    image = scene((*OWN, RED), (*OTHER, RED))
    assert kept(image, mask_of((*OWN, 1), (*OTHER, 1))) is None


def test_an_object_comes_back_beside_what_was_taken_for_it():
    """A network that goes by a colour, roughly, follows the other thing, then both."""
    segmenter = VideoSegmenter(ColourNetwork(), size=64)
    alone, beside = scene((*OWN, RED)), scene((*OTHER, PALE))
    segmenter.start(alone, mask_of((*OWN, 1)))
    segmenter.step(alone)
    for _ in range(3):
        assert not segmenter.step(scene()).objects[0].present
    taken = [segmenter.step(beside).objects[0] for _ in range(CHECKS + 2)]
    assert taken[-1].present and taken[-1].doubtful and apart(taken[-1].box, (*OWN, 20))
    both = scene((*OWN, RED), (*OTHER, PALE))
    back = [segmenter.step(both) for _ in range(12)]
    for found in back:
        entry = found.objects[0]
        assert entry.present and iou(found.labels == 1, mask_of((*OWN, 1)) == 1) > 0.7
        area = np.count_nonzero(found.labels)
        assert entry.area_fraction == pytest.approx(area / found.labels.size)
        assert entry.box == cv2.boundingRect(found.labels)
    assert not back[-1].objects[0].doubtful
