# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What happens in a share of the clips only."""

from __future__ import annotations

import numpy as np


def happens(rng: np.random.Generator, share: float) -> bool:
    """Whether something that happens in this share of the clips does in this one.

    Nothing is drawn for a share of 1: a step that can be switched off, but is not, leaves all that
    is drawn after it as it is.
    """
    return share >= 1 or bool(rng.random() < share)
