# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What clips from stills show: each thing that training relies on, told from pixels and labels."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from vos_ros.data.actors import Actor, companion
from vos_ros.data.appearance import Camera, draw_camera, noise_bank, photograph
from vos_ros.data.clip import closing_up
from vos_ros.data.cutouts import cut_out
from vos_ros.data.layers import Layer, draw_frame
from vos_ros.data.motion import Motion, changes, draw_pace, translation
from vos_ros.data.still_mix import StillMix
from vos_ros.data.synthesis import StillClips

SIZE = (96, 160)
RED, GREEN, BLUE = (220, 20, 20), (20, 220, 20), (20, 20, 220)
PLAIN = StillMix(invented=0.0, rods=0.0, camouflage=0.0, echo=0.0, blur=0.0, excursion=0.0)
"""Nothing that would change the colour of things."""


def write_stills(root, count=4, board=False):
    """A red disc, or with `board` the white squares of a chequerboard, over blue noise."""
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    rng = np.random.default_rng(1)
    for number in range(count):
        ids = np.zeros((120, 180), np.uint8)
        if board:
            rows, columns = np.indices(ids.shape) // 20
            ids[...] = (rows + columns + number) % 2
            image = np.repeat(ids[..., None] * np.uint8(255), 3, 2)
        else:
            cv2.circle(ids, (60 + 15 * number, 60), 30, 1, -1)
            image = np.full((*ids.shape, 3), BLUE, np.uint8)
            image[..., 2] -= rng.integers(0, 60, ids.shape, np.uint8)
            image[ids > 0] = RED
        Image.fromarray(image).save(root / "images" / f"{number}.png")
        Image.fromarray(ids).save(root / "masks" / f"{number}.png")
    return root


@pytest.fixture(scope="module")
def discs(tmp_path_factory):
    return write_stills(tmp_path_factory.mktemp("discs"))


@pytest.fixture(scope="module")
def meadows(tmp_path_factory):
    """Photographs in nothing but green."""
    root = tmp_path_factory.mktemp("meadows")
    for number in range(3):
        Image.fromarray(np.full((120, 180, 3), GREEN, np.uint8)).save(root / f"{number}.png")
    return root


def clips_of(discs, meadows, **options):
    return StillClips([discs], meadows, **{"size": SIZE, "length": 4, "seed": 2, **options})


def looks(image, channel):
    """Where one channel is well above the others, whatever the camera did to all of them."""
    image = image.astype(int)
    others = np.delete(image, channel, 2).max(2)
    return image[..., channel] > others + 40


def still_motion(length=3, way=(0.0, 0.0)):
    return Motion(np.stack([translation(way[0] * k, way[1] * k) for k in range(length)]))


# --- masks stay on their pixels -------------------------------------------------------------------


@pytest.mark.parametrize("mix", [replace(PLAIN, replaced=0.0, moved=0.0), replace(PLAIN, blur=1.0)])
def test_a_chequerboard_and_its_mask_are_warped_alike(tmp_path, monkeypatch, mix):
    """Through the whole of the synthesis: white squares are the object, wherever they end up."""
    clips = StillClips([write_stills(tmp_path, board=True)], None, SIZE, 4, mix=mix, seed=3)
    monkeypatch.setattr(StillClips, "_other", lambda *_: None)
    shares = []
    for index in range(16):
        clip = clips[index]
        for image, labels in zip(clip.images, clip.labels, strict=True):
            clear = cv2.dilate(labels, np.ones((7, 7))) == cv2.erode(labels, np.ones((7, 7)))
            inside, outside = clear & (labels == 1), clear & (labels == 0)
            if inside.any() and outside.any() and mix.replaced == 0:
                grey = image.mean(2)
                middle = (np.median(grey[inside]) + np.median(grey[outside])) / 2
                shares.append((((grey > middle) == (labels == 1))[clear]).mean())
            elif inside.any():  # over other scenery only the squares themselves can be told
                grey = image.mean(2)[inside]
                shares.append((grey > grey.max() - 90).mean())
    assert len(shares) > 40
    assert np.median(shares) > 0.99 and np.mean(np.array(shares) < 0.9) < 0.1


# --- motion ---------------------------------------------------------------------------------------


def test_motion_is_affine_and_more():
    """Shift, turn, scale, shear and perspective all occur, each by itself small from frame 0."""
    found = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        matrix = changes(rng, 4, draw_pace(rng), 96, 96)[-1]
        linear = matrix[:2, :2]
        turn = np.arctan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1])
        across = linear[:, 0] @ linear[:, 1] / np.linalg.det(linear)
        found.append([*matrix[:2, 2], turn, np.log(np.linalg.det(linear)), across, *matrix[2, :2]])
    spread = np.std(found, 0)
    assert (spread > [1.0, 1.0, 0.03, 0.03, 0.01, 1e-4, 1e-4]).all()
    assert (np.abs(np.mean(found, 0)) < 0.4 * spread).all(), "neither way is preferred"


def test_a_fast_layer_is_smeared_along_its_way_and_its_label_is_not():
    alpha = np.zeros((60, 100), np.uint8)
    alpha[20:40, 30:60] = 255
    white = np.full((60, 100, 3), 255, np.uint8)
    sharp = Layer(white, alpha, still_motion(way=(12.0, 0.0)), 1)
    fast = replace(sharp, shutter=0.8)
    ground = Layer(np.zeros_like(white), None, still_motion(), 0)
    (one, labels), (two, same) = (draw_frame([ground, f], 1, (60, 100)) for f in (sharp, fast))
    assert (labels == same).all()
    grey = [image[..., 0].astype(int) for image in (one, two)]
    along, across = ([np.count_nonzero((line > 25) & (line < 230)) for line in lines]
                     for lines in ([g[30] for g in grey], [g[:, 57] for g in grey]))  # fmt: skip
    assert along[0] <= 4 and along[1] >= 12, "both edges are smeared over about 10 pixels"
    assert across[0] <= 4 and across[1] <= 4


# --- light and camera -----------------------------------------------------------------------------


def test_light_changes_from_frame_to_frame():
    calm = Camera(0, 0.0, 0.0, 0.0, 0.0, 0.0, np.zeros(4, bool), 0.0, None)
    image = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
    bank, rng = noise_bank(128, 160), np.random.default_rng(1)
    assert all((photograph(image, calm, k, rng, bank) == image).all() for k in range(4))
    lively = replace(calm, flicker=0.4)
    means = [photograph(image, lively, k, rng, bank).mean((0, 1)) for k in range(1, 4)]
    assert (np.ptp(means, 0) > 3).all()
    first = replace(calm, first=0.7)
    shots = [photograph(image, first, k, rng, bank) for k in range(3)]
    assert (shots[0] != image).any() and (shots[1] == image).all() and (shots[2] == image).all()


def test_cameras_differ_in_all_they_do():
    cameras = [draw_camera(np.random.default_rng(seed), 3) for seed in range(80)]
    for name in ("colour_amount", "flicker", "first", "light", "defocus", "noise", "quality"):
        assert len({getattr(camera, name) for camera in cameras}) > 3, name


# --- other things in the picture ------------------------------------------------------------------


def test_occluders_hide_the_target_and_pass(discs, meadows):
    """Things laid over the target take its label away, and give it back when they have gone by."""
    hidden = returned = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        alpha = np.zeros((96, 160), np.uint8)
        alpha[30:66, 60:100] = 255
        layer = Layer(np.full((96, 160, 3), RED, np.uint8), alpha, still_motion(6), 1)
        target = Actor(layer, cut_out(layer.image, alpha > 0))
        mix = StillMix(crossing=1.0, fast=0.0, bending=0.0)
        other = companion(rng, target.cutout, target, still_motion(6), SIZE, mix, 0.0, 0)
        areas = [np.count_nonzero(draw_frame([layer, other], k, SIZE)[1]) for k in range(6)]
        least = int(np.argmin(areas))
        hidden += areas[least] < 0.5 * 36 * 40
        returned += areas[least] < 0.5 * 36 * 40 and max(areas[least:]) > 0.9 * 36 * 40
    assert hidden > 15 and returned > 5


def red_beside(discs, meadows, **shares):
    """Share of the clips that show plenty of the target's colour where no label is."""
    mix = replace(PLAIN, replaced=1.0, shapes=0.0, **shares)
    clips = clips_of(discs, meadows, mix=mix)
    found = 0
    for index in range(24):
        clip = clips[index]
        far = cv2.dilate(clip.labels[0], np.ones((9, 9), np.uint8)) == 0
        found += np.count_nonzero(looks(clip.images[0], 0) & far) > 60
    return found / 24


def test_look_alikes_of_the_target_are_background(discs, meadows, monkeypatch):
    monkeypatch.setattr(StillClips, "_scenery", lambda self, rng: self.photographs.draw(rng))
    alike = red_beside(discs, meadows, look_alike=1.0)
    monkeypatch.setattr(StillClips, "_other", lambda *_: None)
    alone = red_beside(discs, meadows)
    assert alone <= 0.1 and alike > alone + 0.25


def test_backgrounds_are_replaced_by_photographs(discs, meadows, monkeypatch):
    monkeypatch.setattr(StillClips, "_other", lambda *_: None)
    shares = {}
    for replaced in (0.0, 1.0):
        clips = clips_of(discs, meadows, mix=replace(PLAIN, replaced=replaced))
        found = [looks(clip.images[0], 1)[clip.labels[0] == 0].mean() > 0.5
                 for clip in (clips[index] for index in range(24))]  # fmt: skip
        shares[replaced] = np.mean(found)
    assert shares[0.0] == 0.0
    assert 0.4 < shares[1.0] < 1.0, "three quarters from photographs, the rest from stills"


def test_some_leave_the_picture_and_return(discs, meadows):
    mix = replace(PLAIN, replaced=1.0, excursion=1.0)
    clips = clips_of(discs, meadows, length=6, mix=mix)
    rows = [clips[index].labels.reshape(6, -1).any(1) for index in range(20)]
    assert all(row[0] for row in rows)
    away = [row for row in rows if not row.all()]
    assert len(away) > 4
    assert any(row[int(np.argmin(row)) :].any() for row in away)


# --- several objects ------------------------------------------------------------------------------


def test_neighbours_in_a_photograph_are_objects_too(tmp_path, monkeypatch):
    """Three discs in three colours: each label lies on one of them, and moves with it."""
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    ids = np.zeros((120, 200), np.uint8)
    image = np.full((120, 200, 3), 40, np.uint8)
    for number, (x, colour) in enumerate(zip((26, 84, 160), (RED, GREEN, BLUE), strict=True), 1):
        cv2.circle(ids, (x, 60), 24, number, -1)
        image[ids == number] = colour
    Image.fromarray(image).save(tmp_path / "images/a.png")
    Image.fromarray(ids).save(tmp_path / "masks/a.png")
    monkeypatch.setattr(StillClips, "_other", lambda *_: None)
    mix = replace(PLAIN, replaced=0.0, moved=0.5, bending=0.0)
    clips = StillClips([tmp_path], None, SIZE, 3, targets=3, mix=mix, seed=1)
    most, shares = 0, []
    for index in range(16):
        clip = clips[index]
        most = max(most, int(clip.labels.max()))
        for number in range(1, int(clip.labels[0].max()) + 1):
            inside = [cv2.erode(part, np.ones((5, 5), np.uint8)) > 0
                      for part in (clip.labels == number).astype(np.uint8)]  # fmt: skip
            channel = int(clip.images[0][inside[0]].mean(0).argmax()) if inside[0].any() else 0
            shares += [
                looks(picture, channel)[part].mean()
                for picture, part in zip(clip.images, inside, strict=True)
                if part.any()
            ]
    assert most == 3 and len(shares) > 60
    assert np.median(shares) == 1.0 and np.mean(np.array(shares) < 0.95) < 0.1


@pytest.mark.parametrize("targets", [2, 5])
def test_as_many_are_labelled_as_are_asked_for(discs, meadows, targets):
    clips = clips_of(discs, meadows, length=2, targets=targets)
    counts = [int(clips[index].labels.max()) for index in range(40)]
    assert max(counts) == targets and min(counts) == 1
    assert len(set(counts)) >= min(targets, 4)


def test_ids_close_up_where_small_objects_are_dropped():
    labels = np.repeat(np.array([0, 1, 2, 3, 7], np.uint8), [50, 4, 20, 3, 30])
    table = closing_up(labels, 10)
    assert table[[0, 1, 2, 3, 7]].tolist() == [0, 0, 1, 0, 2]
    assert table.dtype == np.uint8 and np.count_nonzero(table) == 2
