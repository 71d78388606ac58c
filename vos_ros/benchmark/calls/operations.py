# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How much arithmetic a call is."""

from __future__ import annotations

from collections.abc import Callable

from torch.utils.flop_counter import FlopCounterMode


def count_operations(call: Callable[[], object]) -> int:
    """Additions and multiplications, counted apart, of the convolutions and matrix products.

    They are counted as the call runs, from the sizes of what goes in: an element of a product over
    n terms is 2 n operations. All else (activations, norms that are not folded, resizing, soft
    maximum) is a small share of the arithmetic of these networks and is not counted.
    """
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()
