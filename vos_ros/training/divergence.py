# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When a training is given up: nothing of what it does is finite any more."""

from __future__ import annotations

#: steps in a row that change nothing before a training is given up. float16 begins with some, until
#: its losses are scaled little enough: each halves the scale, and so many would leave 1e-10 of it.
MOST_LEFT_OUT = 50


class DivergedError(ValueError):
    """A training that goes nowhere any more; the message says what to try."""


def diverged(left_out: int) -> bool:
    """Whether so many steps in a row that changed nothing are too many."""
    return left_out >= MOST_LEFT_OUT


def check_divergence(left_out: int, step: int) -> None:
    """Raise a DivergedError once they are too many.

    Args:
        left_out: how many in a row.
        step: the last of them.
    """
    if diverged(left_out):
        raise DivergedError(
            f"the training diverged: {left_out} steps in a row, up to step {step}, had a loss or "
            "a gradient that was not finite. They are not saved; begin again in another --out, "
            "with lower learning rates or `precision: fp32`"
        )
