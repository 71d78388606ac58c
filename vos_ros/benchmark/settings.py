# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What can be measured, and the settings that say how."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from vos_ros.benchmark.errors import BenchmarkError

Setting = TypeVar("Setting")

_SIZE = re.compile(r"(\d+)x(\d+)")
_SHORTEST, _LONGEST = 32, 8192
PRECISIONS = ("fp32", "bf16", "fp16")
RUNTIMES = ("torch", "openvino", "cudagraphs")
"""What computes the steps of a network; see `vos_ros.runtimes`."""

_OF_A_NETWORK = frozenset(
    {"size", "objects", "weights", "internal_size", "precision", "threads", "runtime"}
)
CALLS: Mapping[str, frozenset[str]] = {
    "network": _OF_A_NETWORK,
    "segmenter": _OF_A_NETWORK,
    "conversion": frozenset({"size"}),
}
"""Parts that are timed call by call, and the settings that each of them depends on."""

STREAMS: Mapping[str, frozenset[str]] = {
    "node": _OF_A_NETWORK | {"cameras"},
    "transport": frozenset({"size"}),
}
"""Parts that are timed while a camera streams to a process of its own, and their settings."""

PARTS: Mapping[str, frozenset[str]] = {**CALLS, **STREAMS}


@dataclass(frozen=True)
class Size:
    """Of a camera image, in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True)
class Case:
    """One combination of settings; those that the part does not depend on are None.

    Attributes:
        size: of the camera image.
        objects: how many are followed, 1..255.
        what: one of `PARTS`.
        weights: a weight file, the name of a shipped one, or the name of a network.
        internal_size: wanted short side of the image inside the network, pixels.
        precision: one of `PRECISIONS`.
        threads: that an operation may use on the CPU.
        runtime: one of `RUNTIMES`, or ``auto`` for the fastest of them.
        cameras: that one process serves, each with so many objects.
        variant: the setting that is compared, as the user wrote it; empty when none is.
    """

    size: Size
    what: str
    objects: int | None = None
    weights: str | None = None
    internal_size: int | None = None
    precision: str | None = None
    threads: int | None = None
    runtime: str | None = None
    cameras: int | None = None
    variant: str = ""


def given(value: Setting | None) -> Setting:
    """A setting, or a figure, that is there: the part of its case depends on it."""
    assert value is not None
    return value


def parse_size(text: str) -> Size:
    """WIDTHxHEIGHT in pixels; raises BenchmarkError for anything else."""
    found = _SIZE.fullmatch(text)
    size = Size(*map(int, found.groups())) if found else None
    if size is None or not all(_SHORTEST <= s <= _LONGEST for s in (size.width, size.height)):
        raise BenchmarkError(
            f"a size is WIDTHxHEIGHT with both within {_SHORTEST}..{_LONGEST} pixels, such as "
            f"640x480, not {text!r}"
        )
    return size


def parse_number(least: int, most: int) -> Callable[[str], int]:
    """What reads a whole number within least..most, or raises BenchmarkError."""

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise BenchmarkError(f"{text!r} is not a whole number within {least}..{most}")
        return int(text)

    return parse


def parse_choice(name: str, choices: Sequence[str]) -> Callable[[str], str]:
    """What takes one of some words, or raises BenchmarkError."""

    def parse(text: str) -> str:
        if text not in choices:
            raise BenchmarkError(f"no {name} is called {text!r}: one of {', '.join(choices)}")
        return text

    return parse


SETTINGS: dict[str, Callable[[str], object]] = {
    "size": parse_size,
    "objects": parse_number(1, 255),
    "what": parse_choice("part", tuple(PARTS)),
    "weights": str,
    "internal_size": parse_number(32, 2160),
    "precision": parse_choice("precision", PRECISIONS),
    "threads": parse_number(1, 1024),
    "runtime": parse_choice("runtime", ("auto", *RUNTIMES)),
    "cameras": parse_number(1, 64),
}
"""Name of a setting of `Case` -> what reads it, the slowest to change first."""
