# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What to measure: every combination of the settings asked for, and what each is compared with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, product

from vos_ros.benchmark.errors import BenchmarkError

_SIZE = re.compile(r"(\d+)x(\d+)")
_SHORTEST, _LONGEST = 32, 8192
PRECISIONS = ("fp32", "bf16", "fp16")
#: parts of the work that are measured for every combination of settings
PARTS = ("network", "segmenter")


@dataclass(frozen=True)
class Size:
    """Of a camera image, in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True)
class Case:
    """One combination of settings.

    Attributes:
        size: of the camera image.
        objects: how many are followed, 1..255.
        what: one of `PARTS`.
        weights: a weight file, the name of a shipped one, or the name of a network.
        internal_size: wanted short side of the image inside the network, pixels.
        precision: one of `PRECISIONS`.
        variant: the setting that is compared, as the user wrote it; empty when none is.
    """

    size: Size
    objects: int
    what: str
    weights: str
    internal_size: int
    precision: str
    variant: str = ""


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
    "what": parse_choice("part", PARTS),
    "weights": str,
    "internal_size": parse_number(32, 2160),
    "precision": parse_choice("precision", PRECISIONS),
}
"""Name of a setting of `Case` -> what reads it, the slowest to change first."""


def parse_variant(text: str) -> dict[str, object]:
    """The settings of one side of a comparison, written ``precision=bf16,objects=3``.

    Raises:
        BenchmarkError: when there is no such setting or it has no such value.
    """
    settings = {}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        name = key.replace("-", "_")
        if not equals or name not in SETTINGS:
            names = ", ".join(SETTINGS).replace("_", "-")
            raise BenchmarkError(
                f"{part!r} is not SETTING=VALUE with a setting among {names}, such as "
                "precision=bf16"
            )
        settings[name] = SETTINGS[name](value)
    return settings


def parse_comparison(texts: Sequence[str]) -> dict[str, dict[str, object]] | None:
    """The sides of a comparison by number and text; None when nothing is compared.

    Raises:
        BenchmarkError: when there is one side only, or they do not name the same settings.
    """
    if not texts:
        return None
    sides = [parse_variant(text) for text in texts]
    if len(sides) < 2 or any(side.keys() != sides[0].keys() for side in sides):
        raise BenchmarkError(
            "a comparison needs two sides or more that name the same settings, such as "
            "precision=fp32 precision=bf16"
        )
    # Numbered, so that a setting can be compared with itself.
    return {f"{k}. {text}": side for k, text, side in zip(count(1), texts, sides, strict=False)}


def combinations(
    choices: Mapping[str, Iterable], variants: Mapping[str, Mapping[str, object]] | None = None
) -> tuple[list[Case], list[int]]:
    """All cases, and for each the index of the one whose time its own is divided by.

    Sides of a comparison follow upon each other and refer to the first of them. Where nothing is
    compared, a case refers to the first that measures the same part.

    Args:
        choices: for every key of `SETTINGS`, the values to combine.
        variants: by name, the settings that a side of the comparison takes in their place.
    """
    variants = variants or {"": {}}
    compared = next(iter(variants.values())).keys()
    fixed = {name: choices[name] for name in SETTINGS if name not in compared}
    cases, references = [], []
    for values in product(*fixed.values()):
        settings = dict(zip(fixed, values, strict=True))
        first = len(cases)
        for variant, own in variants.items():
            cases.append(Case(**settings, **own, variant=variant))
            references.append(first)
    if not compared:
        firsts = {case.what: index for index, case in reversed(list(enumerate(cases)))}
        references = [firsts[case.what] for case in cases]
    return cases, references
