# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The log of a run: what a crash or a power cut left of it is cut to what can be read."""

from __future__ import annotations

import json
import math

import pytest

from vos_ros.training.log import cut_log, log_step


def steps(log) -> list[int]:
    return [json.loads(line)["step"] for line in log.read_text().splitlines()]


@pytest.fixture
def log(tmp_path):
    for step in (1, 2, 3, 4):
        log_step(tmp_path / "log.jsonl", step, {"loss": 0.5})
    return tmp_path / "log.jsonl"


def test_steps_after_the_checkpoint_are_dropped(log):
    cut_log(log, 3)
    assert steps(log) == [1, 2, 3]
    assert [path.name for path in log.parent.iterdir()] == ["log.jsonl"]


@pytest.mark.parametrize(
    "left",
    [
        b"\0" * 40,  # what some file systems leave after a power cut
        b"\0" * 40 + b"\n",
        b'{"step": 3, "lo',
        b'{"step": 3, "lo\n',
        b'{"step": 3, "loss": 0.5}',  # without its end it may be cut inside a number
        b"\xff\xfe\n",
        b"[3]\n",
        b"3\n",
        b'{"step": "3"}\n',
        b"{}\n",
        b"\n",
    ],
    ids=repr,
)
def test_what_cannot_be_read_is_dropped_and_the_rest_kept(log, left):
    before = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(before[:2]) + left)
    cut_log(log, 10)
    assert log.read_bytes() == b"".join(before[:2])
    log_step(log, 3, {"loss": 1.0})
    assert steps(log) == [1, 2, 3]


def test_what_cannot_be_read_in_the_middle_takes_nothing_else_with_it(log):
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(lines[0] + b"\0\0\0\n" + b"".join(lines[2:]))
    cut_log(log, 3)
    assert steps(log) == [1, 3]


def test_a_log_that_is_well_is_not_written_anew(log):
    before = log.stat().st_ino
    cut_log(log, 4)
    assert log.stat().st_ino == before


def test_an_interruption_leaves_the_whole_log(log, monkeypatch):
    before = log.read_bytes()

    def refusing(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", refusing)
    with pytest.raises(OSError, match="No space"):
        cut_log(log, 1)
    assert log.read_bytes() == before


def test_a_log_that_is_not_there_stays_so(tmp_path):
    cut_log(tmp_path / "log.jsonl", 3)
    assert not list(tmp_path.iterdir())


def test_what_is_not_finite_is_null(log):
    log_step(log, 5, {"loss": math.nan, "dice": math.inf, "coarse": -math.inf, "seconds": 2.0})
    last = log.read_text().splitlines()[-1]
    assert last == '{"step": 5, "loss": null, "dice": null, "coarse": null, "seconds": 2.0}'
