# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips seen through regions that follow the objects, against cropping by hand and OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from references import random

from vos_ros.models.maps import reframe_maps, view_change
from vos_ros.training.views import MARGINS, WHOLE, changes_of, follow, look

H, W = 64, 96


def clip(*boxes: tuple[int, int, int, int] | None) -> np.ndarray:
    """Labels T x H x W with one box x, y, width, height a frame."""
    labels = np.zeros((len(boxes), H, W), np.uint8)
    for frame, box in enumerate(boxes):
        if box is not None:
            x, y, width, height = box
            labels[frame, y : y + height, x : x + width] = 1
    return labels


@pytest.mark.parametrize("seed", range(20))
def test_a_region_lies_in_the_frame_about_the_object_of_the_frame_before(seed: int) -> None:
    labels = clip((30, 20, 10, 12), (60, 30, 10, 12), (60, 30, 10, 12))
    regions = follow(labels, np.random.default_rng(seed))
    assert (regions >= 0).all() and (regions[:, :2] + regions[:, 2:] <= 1 + 1e-9).all()
    np.testing.assert_allclose(regions[:, 2], regions[:, 3])  # the frame's own shape
    # The second frame is seen as if the object were still where it was in the first.
    for region, (x, y, width, height) in zip(regions, [(30, 20, 10, 12)] * 2, strict=False):
        left, top, wide, tall = region * [W, H, W, H]
        assert left <= x + 2 and x + width - 2 <= left + wide
        assert top <= y + 2 and y + height - 2 <= top + tall
    low, high = (height * m / H for m in MARGINS)
    assert (regions[:, 3] > 0.7 * low).all() and (regions[:, 3] < 1.4 * high).all()


def test_the_whole_frame_where_the_object_was_not_seen_or_is_large() -> None:
    regions = follow(clip((30, 20, 10, 10), None, (0, 0, 90, 60), None), np.random.default_rng(0))
    assert tuple(regions[2]) == WHOLE and tuple(regions[3]) == WHOLE
    assert regions[1, 2] < 1


def test_whole_frames_are_left_as_they_are() -> None:
    images, labels = random(2, 3, 3, H, W), torch.zeros(2, 3, H, W, dtype=torch.uint8)
    regions = np.broadcast_to(np.array(WHOLE), (2, 3, 4))
    seen, found = look(images, labels, regions, (H, W))
    assert seen is images and found is labels


def test_a_region_shows_what_a_crop_shows() -> None:
    """A region on pixel borders, at the size of the clip: OpenCV's enlargement of the crop."""
    images = 255 * random(1, 1, 3, H, W)
    labels = torch.from_numpy(clip((40, 20, 9, 11)))[None]
    regions = np.array([[[0.25, 0.25, 0.5, 0.5]]])
    seen, found = look(images, labels, regions, (H, W))
    crop = images[0, 0, :, 16:48, 24:72].permute(1, 2, 0).numpy()
    expected = cv2.resize(crop, (W, H), interpolation=cv2.INTER_LINEAR)
    inner = (slice(2, -2), slice(2, -2))  # at the border a crop knows nothing of its neighbours
    got = seen[0, 0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(got[inner], expected[inner], atol=1e-2)
    assert found.dtype == labels.dtype
    inside = labels[0, 0, 16:48, 24:72].numpy().astype(np.float32)
    share = cv2.resize(inside, (W, H), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(found[0, 0].numpy(), share > 0.5)


def test_several_objects_stay_apart() -> None:
    labels = torch.zeros(1, 1, H, W, dtype=torch.uint8)
    labels[0, 0, 20:40, 30:40], labels[0, 0, 20:40, 40:50] = 1, 3
    _, found = look(random(1, 1, 3, H, W), labels, np.array([[[0.25, 0.25, 0.5, 0.5]]]), (H, W))
    assert found.unique().tolist() == [0, 1, 3]
    assert (found == 1).sum() == (found == 3).sum() == 4 * 200


def test_a_mask_is_carried_to_where_the_next_view_shows_it() -> None:
    """Against OpenCV's affine warping, from one region to another that lies partly beyond it."""
    regions = np.array([[[0.1, 0.2, 0.5, 0.5], [0.3, 0.1, 0.6, 0.6]]])
    maps = random(1, 2, H, W)
    moved = reframe_maps(maps, changes_of(regions)[:, 0])
    (left, top, wide, tall), (x, y, width, height) = regions[0] * [W, H, W, H]
    scale_x, scale_y = width / wide, height / tall
    # From a pixel of the new view to the pixel of the old one; centres are at whole numbers.
    matrix = np.array([
        [scale_x, 0, (0.5 * width / W + x - left) * W / wide - 0.5],
        [0, scale_y, (0.5 * height / H + y - top) * H / tall - 0.5],
    ])  # fmt: skip
    for k in range(2):
        expected = cv2.warpAffine(
            maps[0, k].numpy(), matrix, (W, H), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        # OpenCV knows the place between two pixels to 1/32.
        np.testing.assert_allclose(moved[0, k].numpy(), expected, atol=0.05)
    assert (moved[..., -1] == 0).all()  # beyond the old view nothing is known


def test_no_change_of_view_changes_nothing() -> None:
    maps = random(1, 2, H, W)
    change = view_change(np.array([3.0, 4, 50, 40]), np.array([[3.0, 4, 50, 40]]))
    torch.testing.assert_close(reframe_maps(maps, change), maps, atol=1e-5, rtol=0)
