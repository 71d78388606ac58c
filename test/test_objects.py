# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is the image's joins what is its objects', each object its own image's."""

from __future__ import annotations

import pytest
import torch

from vos_ros.models.gfddal.modulation import FeatureModulationBlock
from vos_ros.models.objects import add_to_objects


@pytest.mark.parametrize("objects", [1, 3])
@pytest.mark.parametrize("images", [1, 2, 4])
def test_every_object_gets_what_is_its_images(images, objects):
    generator = torch.Generator().manual_seed(images)
    per_object = torch.randn(images * objects, 5, 4, 6, generator=generator)
    per_image = torch.randn(images, 5, 4, 6, generator=generator)
    found = add_to_objects(per_object, per_image)
    for number in range(images * objects):
        expected = per_object[number] + per_image[number // objects]
        assert torch.equal(found[number], expected)


@torch.inference_mode()
def test_images_by_themselves_are_modulated_as_among_others():
    torch.manual_seed(0)
    block = FeatureModulationBlock(8).eval()
    features, masks = torch.randn(3, 8, 4, 6), torch.rand(3, 2, 4, 6)
    together = block(features, masks)
    alone = [block(features[i : i + 1], masks[i : i + 1]) for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone))
