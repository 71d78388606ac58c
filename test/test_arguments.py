# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers on the command lines, and the commands that take them."""

from __future__ import annotations

from argparse import ArgumentTypeError

import pytest

from vos_ros.apps import ablate, benchmark, evaluate_options, train
from vos_ros.apps.arguments import positive, rate, span, whole

TRAIN = ["--config", "a", "--data", "b", "--out", "c"]


def test_what_fits_is_a_number():
    assert [whole("0"), whole("12"), positive("1"), span("0"), span("0.5")] == [0, 12, 1, 0, 0.5]
    assert [rate("0.5"), rate("1000")] == [0.5, 1000]
    assert all(type(number) is int for number in (whole("3"), positive("3")))


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (whole, "-1", "'-1' is not a whole number of 0 or more"),
        (whole, "1.5", "'1.5' is not a whole number of 0 or more"),
        (positive, "0", "'0' is not a whole number of 1 or more"),
        (positive, "many", "'many' is not a whole number of 1 or more"),
        (span, "-0.1", "'-0.1' is not a number of 0 or more"),
        (span, "nan", "'nan' is not a number of 0 or more"),
        (span, "inf", "'inf' is not a number of 0 or more"),
        (span, "long", "'long' is not a number of 0 or more"),
        (rate, "0", "'0' is not a number above 0, up to 1000"),
        (rate, "1001", "'1001' is not a number above 0, up to 1000"),
        (rate, "nan", "'nan' is not a number above 0, up to 1000"),
        (rate, "often", "'often' is not a number above 0, up to 1000"),
    ],
)
def test_what_does_not_is_refused_in_words(kind, text, message):
    with pytest.raises(ArgumentTypeError) as caught:
        kind(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("main", "given", "option", "text"),
    [
        (train.main, TRAIN, "--threads", "-1"),
        (train.main, TRAIN, "--workers", "-1"),
        (train.main, TRAIN, "--minutes", "nan"),
        (train.main, TRAIN, "--minutes", "-3"),
        (train.main, TRAIN, "--until", "-1"),
        (ablate.main, ["--table", "a", "--out", "b"], "--workers", "0"),
        (ablate.main, ["--table", "a", "--out", "b"], "--clip-workers", "-1"),
        (ablate.main, ["--table", "a", "--out", "b"], "--minutes", "nan"),
        (benchmark.main, [], "--rounds", "0"),
        (benchmark.main, [], "--seconds", "nan"),
        (evaluate_options.parse, ["--root", "a"], "--workers", "0"),
    ],
)
def test_commands_refuse_them_before_they_begin(main, given, option, text, capsys):
    with pytest.raises(SystemExit) as caught:
        main([*given, option, text])
    assert caught.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert f"argument {option}: '{text}' is not a" in last and "or more" in last
