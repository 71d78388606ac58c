# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers on the command lines, as argparse's `type`; what does not fit is told in a sentence."""

from __future__ import annotations

import argparse
import math


def whole(text: str) -> int:
    """A whole number of 0 or more."""
    return _at_least(0, text)


def positive(text: str) -> int:
    """A whole number of 1 or more."""
    return _at_least(1, text)


def span(text: str) -> float:
    """A length of time: a finite number of 0 or more."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 0 or more")
    return value


def rate(text: str) -> float:
    """How often in a second: above 0, up to 1000."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0, up to 1000")
    return value


def _at_least(low: int, text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = low - 1
    if value < low:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of {low} or more")
    return value
