# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Eroded previous masks, against SciPy and by hand."""

import numpy as np
import pytest
import torch
from references import random
from scipy.ndimage import minimum_filter

from vos_ros.training.erosion import eroded


@pytest.mark.parametrize("radius", [0, 1, 2, 3])
def test_a_pixel_takes_the_least_value_around_it(radius: int) -> None:
    masks = torch.ones(2, 1, 40, 50)
    masks[0, 0, 10:35, 5:45] = 0.7
    masks[0, 0, :6] = masks[1, 0, 20:, :12] = 0
    masks[1, 0, 9:12, 30] = 0.2
    result = eroded(masks, torch.full((2, 1), radius))
    for got, own in zip(result, masks, strict=True):
        expected = minimum_filter(own[0].numpy(), 2 * radius + 1, mode="nearest")
        np.testing.assert_array_equal(got[0], expected)


def test_each_mask_has_its_own_radius() -> None:
    masks = torch.zeros(2, 2, 20, 20)
    masks[:, :, 4:16, 4:16] = 1
    radii = torch.tensor([[0, 1], [2, 3]])
    sides = eroded(masks, radii).sum(dim=(2, 3)).sqrt()
    assert torch.equal(sides, 12.0 - 2 * radii)


def test_a_thin_object_is_not_taken_away() -> None:
    masks = torch.zeros(1, 2, 20, 20)
    masks[0, 0, 5, 2:18] = 1  # one pixel thin
    masks[0, 1, 4:10, 4:10] = 1
    result = eroded(masks, torch.tensor([[2, 2]]))
    assert torch.equal(result[0, 0], masks[0, 0])
    assert result[0, 1].sum() == 16  # 4 of 6; 2 of 6 would be less than a quarter


def test_an_absent_object_stays_absent_and_nothing_is_changed_in_place() -> None:
    masks = torch.cat([torch.zeros(1, 1, 8, 8), random(1, 1, 8, 8)])
    before = masks.clone()
    result = eroded(masks, torch.tensor([[3], [1]]))
    assert not result[0].any()
    assert torch.equal(masks, before) and not torch.equal(result[1], masks[1])
