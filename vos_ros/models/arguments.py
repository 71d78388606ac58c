# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Arguments of the networks, which people write into files: what does not fit is told in words."""

from __future__ import annotations


def check_channels(multiple: int = 1, **numbers: object) -> None:
    """Raise ValueError unless every number is positive, whole and a multiple."""
    for name, number in numbers.items():
        if not _channels(number, multiple):
            raise ValueError(f"{name} must be {_wanted(multiple)}, not {number!r}")


def check_widths(name: str, numbers: object, multiple: int = 1) -> None:
    """Raise ValueError unless this is a list of positive whole numbers, multiples all of them."""
    if not isinstance(numbers, list | tuple) or not all(_channels(n, multiple) for n in numbers):
        shown = list(numbers) if isinstance(numbers, tuple) else numbers
        what = f"positive multiples of {multiple}" if multiple > 1 else "positive whole numbers"
        raise ValueError(f"{name} must be {what}, not {shown!r}")


def check_share(**numbers: object) -> None:
    """Raise ValueError unless every number is within 0..1."""
    for name, number in numbers.items():
        if not isinstance(number, int | float) or not 0 <= number <= 1:
            raise ValueError(f"{name} must be within 0..1, not {number!r}")


def check_switches(**switches: object) -> None:
    """Raise ValueError unless every one is on or off."""
    for name, value in switches.items():
        if not isinstance(value, int) or value not in (0, 1):
            raise ValueError(f"{name} must be true or false, not {value!r}")


def _channels(number: object, multiple: int) -> bool:
    return type(number) is int and number >= multiple and number % multiple == 0


def _wanted(multiple: int) -> str:
    return f"a positive multiple of {multiple}" if multiple > 1 else "a positive whole number"
