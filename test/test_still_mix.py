# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What may be switched off in clips made from stills, seen in their pixels."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from vos_ros.data import motion
from vos_ros.data.appearance import draw_camera, noise_bank, photograph, spared
from vos_ros.data.still_mix import StillMix
from vos_ros.data.synthesis import StillClips
from vos_ros.training.stage import read_stage

SIZE = (64, 128)
RED, GREY, CORNER = (220, 30, 30), (90, 90, 90), (30, 30, 220)
PAPER = Path(__file__).parents[1] / "config/training/dgmpm_paper_1.yaml"
#: DGMPM's first stage, whose stills are to be as in lucid data dreaming; colours as they are
LUCID = read_stage(PAPER).data["stills"]["mix"] | {"light": 0.0}


@pytest.fixture
def root(tmp_path):
    """A red board on grey, and blue in the four corners, so that a crop would show."""
    ids = np.zeros((96, 120), np.uint8)
    ids[30:66, 40:76] = 1
    image = np.where(ids[..., None] > 0, RED, GREY).astype(np.uint8)
    for rows in (np.s_[:10], np.s_[-10:]):
        image[rows, :10], image[rows, -10:] = CORNER, CORNER
    for kind, array in (("images", image), ("masks", ids)):
        (tmp_path / kind).mkdir()
        Image.fromarray(array).save(tmp_path / kind / "board.png")
    return tmp_path


def clips(root, **shares):
    made = StillClips([root], None, SIZE, 3, mix=StillMix(**LUCID | shares))
    return [made[index] for index in range(8)]


def near(image, colour):
    return np.abs(image.astype(int) - colour).max(-1) < 40


def test_the_object_alone_moves_in_the_whole_of_its_photograph(root):
    moved = 0
    for clip in clips(root):
        first = clip.images[0]
        corners = [first[y, x] for y in (0, -1) for x in (0, -1)]
        assert near(np.array(corners), CORNER).all(), "nothing is cut off the first frame"
        for image, labels in zip(clip.images, clip.labels, strict=True):
            inner = cv2.erode(labels, np.ones((5, 5), np.uint8), borderValue=1) > 0
            outer = cv2.dilate(labels, np.ones((5, 5), np.uint8)) > 0
            assert near(image, RED)[inner].all() and not near(image, RED)[~outer].any()
            others = image[~outer]
            assert (near(others, GREY) | near(others, CORNER)).mean() > 0.85
        moved += (clip.labels[1] != clip.labels[2]).any()
    assert moved >= 7


def test_half_of_the_whole_photographs_are_mirrored():
    rng = np.random.default_rng(0)
    found = [motion.stretched(rng, (50, 70), (64, 128)) for _ in range(100)]
    corners = np.array([[0, 0, 1], [69, 49, 1]]).T
    sides = [tuple((matrix @ corners)[0].round(6)) for matrix in found]
    assert set(sides) == {(0, 127), (127, 0)} and 30 < sides.count((0, 127)) < 70
    assert all(np.allclose((matrix @ corners)[1], (0, 63)) for matrix in found)


@pytest.mark.parametrize("name", ["cropped", "others", "light", "lens", "swinging", "scenery"])
def test_each_of_them_changes_clips(root, name):
    plain, changed = clips(root), clips(root, **{name: 1.0})
    differ = [not np.array_equal(a.images, b.images)
              for a, b in zip(plain, changed, strict=True)]  # fmt: skip
    assert sum(differ) >= 3
    if name in ("light", "lens"):
        assert all(np.array_equal(a.labels[0], b.labels[0])
                   for a, b in zip(plain, changed, strict=True))  # fmt: skip
    if name == "others":
        red = [near(clip.images[0], RED) & (clip.labels[0] == 0) for clip in changed]
        assert any(np.count_nonzero(mask) > 60 for mask in red), "a second board"


def test_light_and_lens_are_switched_off_by_themselves():
    """On a plain picture light is smooth, and what a lens and noise do leaves its mean."""
    plain, bank = np.full((*SIZE, 3), 120, np.uint8), noise_bank(*SIZE)

    def taken(light, lens):
        rng = np.random.default_rng(5)
        for _ in range(20):
            camera = spared(draw_camera(rng, 2), rng, light, lens)
            yield photograph(plain, camera, 1, rng, bank).astype(int)

    assert all((image == 120).all() for image in taken(0.0, 0.0))
    smooth, grainy = list(taken(1.0, 0.0)), list(taken(0.0, 1.0))
    rough = [[np.abs(np.diff(image, 2, axis=1)).mean() for image in images]
             for images in (smooth, grainy)]  # fmt: skip
    assert max(rough[0]) < 1.5 and max(rough[1]) > 3
    assert max(abs(image.mean() - 120) for image in smooth) > 10
    assert all(abs(image.mean() - 120) < 4 for image in grainy)
    assert max(image.std() for image in grainy) > 3
