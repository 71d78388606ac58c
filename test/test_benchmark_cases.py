# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a benchmark measures, and what each case is compared with."""

from __future__ import annotations

import math

import pytest

from vos_ros import runtimes
from vos_ros.benchmark.cases import combinations, parse_comparison, parse_variant
from vos_ros.benchmark.errors import BenchmarkError
from vos_ros.benchmark.settings import (
    CALLS,
    PARTS,
    PRECISIONS,
    RUNTIMES,
    SETTINGS,
    STREAMS,
    Case,
    Size,
    parse_size,
)
from vos_ros.inference import PRECISIONS as CALCULATED

CHOICES = {
    "size": [Size(640, 480), Size(854, 480)],
    "objects": [1, 3],
    "what": ["network", "segmenter"],
    "weights": ["a", "b"],
    "internal_size": [288],
    "precision": ["fp32", "bf16"],
    "threads": [2],
    "runtime": ["torch"],
    "cameras": [1, 2],
}


def test_every_combination_is_there_once() -> None:
    cases, references = combinations(CHOICES)
    assert len(cases) == len(set(cases)) == len(references) == 32
    for name, values in CHOICES.items():
        # One process serves several cameras only where there is a node.
        values = [None] if name == "cameras" else values
        assert {getattr(case, name) for case in cases} == set(values)


def test_each_is_compared_with_the_first_of_the_same_part() -> None:
    cases, references = combinations(CHOICES)
    firsts = {what: next(c for c in cases if c.what == what) for what in CHOICES["what"]}
    assert all(cases[ref] == firsts[case.what] for case, ref in zip(cases, references, strict=True))
    assert firsts["segmenter"] == Case(Size(640, 480), "segmenter", 1, "a", 288, "fp32", 2, "torch")


def test_a_case_has_what_its_part_depends_on_and_is_there_once() -> None:
    cases, references = combinations({**CHOICES, "what": list(PARTS)})
    for what, settings in PARTS.items():
        own = [case for case in cases if case.what == what]
        values = [len(CHOICES[name]) for name in settings]
        assert len(own) == len(set(own)) == math.prod(values)
        for case in own:
            known = {name for name in SETTINGS if getattr(case, name) is not None}
            assert known == {"what", *settings}
    assert cases[references[-1]].what == cases[-1].what
    assert set(PARTS) == {*CALLS, *STREAMS} and not CALLS.keys() & STREAMS.keys()


def test_a_part_that_what_is_compared_means_nothing_to_is_left_out() -> None:
    everything = {**CHOICES, "what": list(PARTS)}
    cases, _ = combinations(everything, parse_comparison(["threads=1", "threads=2"]))
    assert {case.what for case in cases} == {"network", "segmenter", "node"}
    cases, _ = combinations(everything, parse_comparison(["size=96x64", "size=64x64"]))
    assert {case.what for case in cases} == set(PARTS)
    sides = parse_comparison(["what=node", "what=transport"])
    cases, references = combinations({**everything, "objects": [1], "weights": ["a"]}, sides)
    # A size has one transport, whatever the precision of the node beside it.
    assert [case.what for case in cases] == ["node", "transport"] * 8
    assert references == [index - index % 2 for index in range(16)]


def test_nothing_is_left_when_what_is_compared_means_nothing_to_any_part() -> None:
    sides = parse_comparison(["threads=1", "threads=2"])
    with pytest.raises(BenchmarkError, match="depends on threads"):
        combinations({**CHOICES, "what": ["transport", "conversion"]}, sides)


def test_the_words_for_a_network_are_those_of_the_network() -> None:
    assert PRECISIONS == tuple(CALCULATED) and RUNTIMES == runtimes.RUNTIMES


def test_sides_follow_upon_each_other_and_refer_to_the_first() -> None:
    sides = parse_comparison(["weights=x,precision=fp32", "weights=y,precision=fp16"])
    cases, references = combinations(CHOICES, sides)
    assert len(cases) == 16  # two sizes, two numbers of objects, two parts, two sides
    for index, (case, reference) in enumerate(zip(cases, references, strict=True)):
        own = ("x", "fp32") if index % 2 == 0 else ("y", "fp16")
        assert (case.weights, case.precision) == own
        assert reference == index - index % 2
        first = cases[reference]
        assert (case.size, case.objects, case.what) == (first.size, first.objects, first.what)


def test_a_setting_can_be_compared_with_itself() -> None:
    sides = parse_comparison(["objects=3", "objects=3"])
    cases, references = combinations(CHOICES, sides)
    assert {case.objects for case in cases} == {3}
    assert len({case.variant for case in cases}) == 2
    assert references[:4] == [0, 0, 2, 2]


def test_a_side_reads_every_setting() -> None:
    text = (
        "size=96x64,objects=2,what=network,weights=w,internal-size=64,precision=bf16,threads=3,"
        "runtime=openvino,cameras=4"
    )
    side = parse_variant(text)
    assert side == {
        "size": Size(96, 64), "objects": 2, "what": "network", "weights": "w",
        "internal_size": 64, "precision": "bf16", "threads": 3, "runtime": "openvino",
        "cameras": 4,
    }  # fmt: skip
    assert side.keys() == SETTINGS.keys()


@pytest.mark.parametrize(
    "text", ["640", "640x", "640x480x3", "0x480", "16x480", "640x9000", "-640x480", "٦٤٠x480 "]
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(BenchmarkError, match="640x480"):
        parse_size(text)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["precision=fp32"], "two sides"),
        (["precision=fp32", "objects=1"], "same settings"),
        (["speed=1", "speed=2"], "'speed=1' is not SETTING=VALUE"),
        (["precision", "precision"], "SETTING=VALUE"),
        (["precision=int8", "precision=fp32"], "int8"),
        (["objects=0", "objects=1"], "1..255"),
        (["objects=one", "objects=1"], "1..255"),
        (["what=nothing", "what=network"], "network, segmenter"),
        (["what=node", "what=network"], "cannot be set against"),
        (["runtime=magic", "runtime=torch"], "auto, torch, openvino"),
    ],
)
def test_a_comparison_that_makes_no_sense_is_refused(texts: list[str], said: str) -> None:
    with pytest.raises(BenchmarkError, match=said):
        parse_comparison(texts)
