# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is computed once of an image, and what is of each object in it."""

from __future__ import annotations

from torch import Tensor


def add_to_objects(per_object: Tensor, per_image: Tensor) -> Tensor:
    """Add what was computed once of each image to what belongs to its objects.

    Args:
        per_object: B x C x h x w, K objects of each of N images, image after image (B = N K).
        per_image: N x C x h x w.

    Returns:
        B x C x h x w.
    """
    n = per_image.shape[0]
    if n == 1:  # the same without a fifth dimension, for which memory would be laid out anew
        return per_object + per_image
    return (per_object.unflatten(0, (n, -1)) + per_image.unsqueeze(1)).flatten(0, 1)
