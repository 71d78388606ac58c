# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What to measure: every combination of the settings asked for, and what each is compared with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count, product
from typing import Any

from vos_ros.benchmark.errors import BenchmarkError
from vos_ros.benchmark.settings import CALLS, PARTS, SETTINGS, Case


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
        BenchmarkError: when there is one side only, or they do not name the same settings, or
            name parts that are not timed alike.
    """
    if not texts:
        return None
    sides = [parse_variant(text) for text in texts]
    if len(sides) < 2 or any(side.keys() != sides[0].keys() for side in sides):
        raise BenchmarkError(
            "a comparison needs two sides or more that name the same settings, such as "
            "precision=fp32 precision=bf16"
        )
    if len({side["what"] in CALLS for side in sides if "what" in side}) > 1:
        raise BenchmarkError(
            "what is timed call by call cannot be set against what a camera streams to; compare "
            f"among {', '.join(CALLS)}, or among {', '.join(PARTS.keys() - CALLS.keys())}"
        )
    # Numbered, so that a setting can be compared with itself.
    return {f"{k}. {text}": side for k, text, side in zip(count(1), texts, sides, strict=False)}


def combinations(
    choices: Mapping[str, Iterable[Any]], variants: Mapping[str, Mapping[str, object]] | None = None
) -> tuple[list[Case], list[int]]:
    """All cases, and for each the index of the one whose time its own is divided by.

    A case has the settings that its part depends on, and each is there once. Sides of a comparison
    follow upon each other and refer to the first of them; a part to which a setting compared means
    nothing is left out. Where nothing is compared, a case refers to the first of the same part.

    Args:
        choices: for every key of `SETTINGS`, the values to combine.
        variants: by name, the settings that a side of the comparison takes in their place.

    Raises:
        BenchmarkError: when the settings compared mean nothing to any of the parts.
    """
    variants = variants or {"": {}}
    compared = next(iter(variants.values())).keys() - {"what"}
    fixed = {n: choices[n] for n in SETTINGS if n not in next(iter(variants.values()))}
    groups: dict[tuple[Case, ...], None] = {}
    for values in product(*fixed.values()):
        settings = dict(zip(fixed, values, strict=True))
        group = tuple(_case({**settings, **own}, variant) for variant, own in variants.items())
        if all(compared <= PARTS[case.what] for case in group):
            groups[group] = None
    if not groups:
        raise BenchmarkError(
            f"none of the parts asked for depends on {' and '.join(sorted(compared))}"
        )
    cases: list[Case] = []
    references: list[int] = []
    for group in groups:
        references += [len(cases)] * len(group)
        cases += group
    if "" in variants:
        firsts = {case.what: index for index, case in reversed(list(enumerate(cases)))}
        references = [firsts[case.what] for case in cases]
    return cases, references


def _case(settings: Mapping[str, Any], variant: str) -> Case:
    """With the settings that its part depends on."""
    own = {"what", *PARTS[settings["what"]]}
    return Case(**{name: settings[name] for name in SETTINGS if name in own}, variant=variant)
