# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames: sizes by hand, pixels against Pillow, and the way to the network and back."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage
from torch.nn import functional as F

from vos_ros.frames import Geometry, crop, pad, to_camera, to_input, to_masks
from vos_ros.models.maps import reframe_maps, view_change
from vos_ros.region import Region

CPU = torch.device("cpu")
sides = st.integers(1, 2000)


@pytest.mark.parametrize(
    ("camera", "size", "scaled", "padded"),
    [
        ((480, 854), 288, (288, 512), (288, 512)),  # 854 * 0.6 = 512.4
        ((720, 1280), 288, (288, 512), (288, 512)),
        ((480, 640), 288, (288, 384), (288, 384)),
        ((1280, 720), 288, (512, 288), (512, 288)),  # portrait
        ((480, 854), 480, (480, 856), (480, 864)),  # a multiple of 4, then of 32
        ((100, 120), 288, (100, 120), (128, 128)),  # never enlarged
        ((200, 4000), 200, (40, 800), (64, 800)),  # a panorama: 4 times the short side
        ((1, 1), 32, (4, 4), (32, 32)),
    ],
)
def test_the_sizes_of_known_frames(camera, size, scaled, padded):
    geometry = Geometry.of(*camera, size, 32)
    assert (geometry.camera, geometry.scaled, geometry.padded) == (camera, scaled, padded)


@settings(deadline=None)
@given(sides, sides, st.integers(32, 600))
def test_sizes_are_bounded_multiples_that_keep_the_aspect_ratio(height, width, size):
    geometry = Geometry.of(height, width, size, 32)
    short = min(size, height, width)  # of the network's image
    scale = min(short / min(height, width), 4 * short / max(height, width))
    for full, scaled, padded in zip(geometry.camera, geometry.scaled, geometry.padded, strict=True):
        assert scaled % 4 == 0 and padded % 32 == 0 and 0 <= padded - scaled < 32
        assert scaled == 4 or abs(scaled - full * scale) <= 2.0 + 1e-6
        assert padded <= 4 * size + 32


@pytest.mark.parametrize("size", [(90, 150), (61, 47), (480, 200)])
def test_images_are_scaled_as_pillow_does_it(size):
    """Pillow's bilinear filter widens with the scale, too: an independent antialiased resize."""
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    geometry = Geometry.of(*size, 40, 32)
    ours = to_input(image, geometry, CPU)
    theirs = np.array(
        Image.fromarray(image).resize(geometry.scaled[::-1], Image.Resampling.BILINEAR)
    )
    assert ours.shape == (1, 3, *geometry.scaled) and ours.dtype == torch.uint8
    difference = ours[0].permute(1, 2, 0).numpy().astype(int) - theirs
    assert np.abs(difference).max() <= 1


def test_an_image_of_the_right_size_passes_unchanged():
    image = np.random.default_rng(0).integers(0, 256, (32, 64, 3), dtype=np.uint8)
    geometry = Geometry.of(32, 64, 32, 32)
    ours = to_input(image, geometry, CPU)
    np.testing.assert_array_equal(ours[0].permute(1, 2, 0).numpy(), image)


def test_padding_is_zero_below_and_at_the_right_and_cropping_undoes_it():
    geometry = Geometry((40, 50), Region(0, 0, 50, 40), (40, 52), (64, 64))
    maps = torch.rand(1, 2, 40, 52) + 1
    padded = pad(maps, geometry)
    assert padded.shape == (1, 2, 64, 64)
    assert not padded[..., 40:, :].any() and not padded[..., 52:].any()
    assert torch.equal(crop(padded, geometry), maps)
    assert pad(maps, Geometry((40, 50), Region(0, 0, 50, 40), (40, 52), (40, 52))) is maps


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_cropping_a_map_at_a_stride_is_cropping_what_it_was_made_of(stride):
    geometry = Geometry((40, 50), Region(0, 0, 50, 40), (40, 52), (64, 64))
    full = torch.arange(64 * 64.0).reshape(1, 1, 64, 64)
    strided = torch.nn.functional.avg_pool2d(full, stride)
    expected = torch.nn.functional.avg_pool2d(full[..., :40, :52], stride)
    assert torch.equal(crop(strided, geometry), expected)


def test_soft_masks_hold_the_share_of_each_cell():
    labels = np.zeros((8, 8), np.uint8)
    labels[:, :4], labels[4:, 4:] = 7, 200
    soft = to_masks(labels, (200, 7), Geometry((8, 8), Region(0, 0, 8, 8), (8, 8), (32, 32)))
    assert soft.shape == (1, 2, 32, 32) and soft.dtype == torch.float32
    np.testing.assert_array_equal(soft[0, 0, :8, :8], labels == 200)
    np.testing.assert_array_equal(soft[0, 1, :8, :8], labels == 7)
    assert not soft[..., 8:, :].any() and not soft[..., 8:].any()


def test_masks_are_scaled_as_pillow_does_it():
    labels = (np.random.default_rng(2).random((90, 150)) < 0.4).astype(np.uint8) * 9
    geometry = Geometry.of(90, 150, 40, 32)
    ours = crop(to_masks(labels, (9,), geometry), geometry)[0, 0]
    theirs = Image.fromarray((labels == 9).astype(np.float32)).resize(
        geometry.scaled[::-1], Image.Resampling.BILINEAR
    )
    np.testing.assert_allclose(ours, np.array(theirs), atol=1e-5)


def test_maps_are_enlarged_between_the_centres_of_their_cells():
    maps = np.random.default_rng(3).random((10, 16), np.float32)
    geometry = Geometry((90, 150), Region(0, 0, 150, 90), (40, 64), (64, 64))
    ours = to_camera(torch.from_numpy(maps)[None, None], geometry)[0, 0]
    theirs = cv2.resize(maps, (150, 90), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_scaled_masks_keep_their_mass_and_add_up():
    rng = np.random.default_rng(1)
    labels = np.kron(rng.integers(0, 3, (10, 16)), np.ones((9, 9))).astype(np.uint8)
    geometry = Geometry.of(*labels.shape, 40, 32)
    soft = to_masks(labels, (1, 2), geometry)[..., : geometry.scaled[0], : geometry.scaled[1]]
    assert soft.min() >= 0 and soft.max() <= 1 and soft.sum(dim=1).max() <= 1 + 1e-5
    for channel, object_id in enumerate((1, 2)):
        assert soft[0, channel].mean() == pytest.approx((labels == object_id).mean(), abs=0.02)


@pytest.mark.parametrize("stride", [2, 4])
@pytest.mark.parametrize("camera", [(128, 224), (200, 100), (150, 210), (64, 64), (333, 517)])
def test_a_mask_sent_to_the_network_and_back_lands_where_it_was(camera, stride):
    """Every edge of a rectangle comes back to within half a stride of the network's pixels."""
    geometry = Geometry.of(*camera, 64, 32)
    height, width = camera
    top, bottom = height // 4, height // 4 * 3 + 1
    left, right = width // 5, width // 5 * 3 + 2
    labels = np.zeros(camera, np.uint8)
    labels[top:bottom, left:right] = 9
    soft = to_masks(labels, (9,), geometry)
    at_stride = torch.nn.functional.avg_pool2d(soft, stride)
    back = to_camera(crop(at_stride, geometry), geometry)
    assert back.shape == (1, 1, *camera)
    found = back[0, 0].numpy() > 0.5
    rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    for axis, edges in enumerate(
        [(rows[0] - top, rows[-1] + 1 - bottom), (columns[0] - left, columns[-1] + 1 - right)]
    ):
        allowed = 0.5 * stride * camera[axis] / geometry.scaled[axis] + 0.5
        assert max(map(abs, edges)) <= allowed


#: regions of a camera image of 90 x 150, one of them at its corner
REGIONS = [Region(30, 20, 75, 45), Region(111, 67, 39, 23), Region(0, 0, 20, 12)]


@pytest.mark.parametrize("region", REGIONS, ids=str)
def test_a_region_is_cut_out_and_scaled_as_pillow_does_it(region):
    """Smaller ones are enlarged: Pillow then is bilinear between the pixels, like us."""
    image = np.random.default_rng(4).integers(0, 256, (90, 150, 3), dtype=np.uint8)
    geometry = Geometry.of(90, 150, 40, 32, region)
    ours = to_input(image, geometry, CPU)
    assert geometry.scaled == Geometry.of(90, 150, 40, 32).scaled == (40, 68)
    box = (region.x, region.y, region.x + region.width, region.y + region.height)
    theirs = Image.fromarray(image).crop(box).resize((68, 40), Image.Resampling.BILINEAR)
    difference = ours[0].permute(1, 2, 0).numpy().astype(int) - np.array(theirs)
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("region", REGIONS, ids=str)
def test_masks_are_those_of_the_region_alone(region):
    labels = (np.random.default_rng(5).random((90, 150)) < 0.4).astype(np.uint8) * 9
    geometry = Geometry.of(90, 150, 40, 32, region)
    cut = labels[region.y : region.y + region.height, region.x : region.x + region.width]
    ours = crop(to_masks(labels, (9,), geometry), geometry)[0, 0]
    theirs = Image.fromarray((cut == 9).astype(np.float32)).resize(
        geometry.scaled[::-1], Image.Resampling.BILINEAR
    )
    np.testing.assert_allclose(ours, np.array(theirs), atol=1e-5)
    back = to_camera(torch.zeros(1, 2, 10, 17), geometry)
    assert back.shape == (1, 2, *region.size)


def place_in(geometry: Geometry, x: float, y: float) -> tuple[float, float]:
    """Where a point of the camera image is in the padded input, -1 and 1 at the outer borders."""
    region = geometry.region
    right = (x - region.x) / region.width * geometry.scaled[1]
    down = (y - region.y) / region.height * geometry.scaled[0]
    return 2 * right / geometry.padded[1] - 1, 2 * down / geometry.padded[0] - 1


regions = st.builds(
    lambda x, y, w, h: Region(x, y, w, h),
    st.integers(0, 60), st.integers(0, 40), st.integers(8, 90), st.integers(8, 50),
)  # fmt: skip


@settings(deadline=None)
@given(regions, regions, st.sampled_from([1, 2, 3]), st.floats(0, 90), st.floats(0, 150))
def test_a_change_of_view_takes_every_point_to_where_it_was(now, before, finer, y, x):
    """Padded views both, the later one perhaps of a finer camera that sees the same scene."""
    scaled = Region(*(finer * v for v in (now.x, now.y, now.width, now.height)))
    later = Geometry((90 * finer, 150 * finer), scaled, (40, 68), (64, 96))
    earlier = Geometry((90, 150), before, (52, 84), (64, 96))
    (change,) = view_change(np.array(earlier.view), np.array([later.view])).numpy()
    found = change @ [*place_in(later, x * finer, y * finer), 1]
    np.testing.assert_allclose(found, place_in(earlier, x, y), rtol=1e-4, atol=1e-4)


def test_without_padding_the_whole_image_is_the_view_and_with_it_more():
    assert Geometry.of(64, 128, 32, 32).view == (0, 0, 1, 1)
    assert Geometry((40, 50), Region(25, 10, 20, 16), (40, 48), (64, 96)).view == pytest.approx(
        (0.5, 0.25, 0.4 * 2, 0.4 * 1.6)
    )


@pytest.mark.parametrize("stride", [2, 4])
def test_maps_are_moved_as_scipy_moves_them(stride):
    """The map of a new view, from that of the old one, by the places of the cells' centres."""
    before = Geometry.of(90, 150, 40, 32, Region(30, 20, 75, 45))
    now = Geometry.of(90, 150, 40, 32, Region(40, 10, 90, 54))
    maps = np.random.default_rng(6).random([side // stride for side in now.padded], np.float32)
    change = view_change(np.array(before.view), np.array([now.view]))
    moved = reframe_maps(torch.from_numpy(maps)[None, None], change)[0, 0]
    factors, offsets = [], []
    for axis, new_corner, old_corner in ((0, 10, 20), (1, 40, 30)):
        # Camera pixels in a cell of either view.
        new, old = (view.region.size[axis] / view.scaled[axis] * stride for view in (now, before))
        factors.append(new / old)
        offsets.append((new_corner + 0.5 * new - old_corner) / old - 0.5)
    theirs = ndimage.affine_transform(maps, factors, offsets, order=1, mode="grid-constant")
    np.testing.assert_allclose(moved, theirs, atol=1e-4)


@pytest.mark.parametrize("camera", [(480, 640), (97, 131), (20, 30)])
def test_maps_are_scaled_to_the_camera_as_pytorch_does(camera):
    geometry = Geometry.of(*camera, 64, 32)
    rows, columns = (side // 2 for side in geometry.scaled)
    maps = torch.randn(1, 3, rows + 3, columns + 5, generator=torch.Generator().manual_seed(0))
    cut = maps[..., :rows, :columns]
    wanted = F.interpolate(cut, size=camera, mode="bilinear", align_corners=False)
    torch.testing.assert_close(to_camera(cut, geometry), wanted, atol=1e-4, rtol=0)
