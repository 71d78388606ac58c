# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Processes that train together go on together, refuse together, and one of them says why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from torchrun import HERE, Torchrun

from vos_ros.training.agreement import agreed_batches, agreement, gathered
from vos_ros.training.distributed import World
from vos_ros.training.stage import StageError


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """What each of two processes came to."""
    folder: Path = tmp_path_factory.mktemp("told")
    run = Torchrun(HERE / "agreeing.py", folder)
    try:
        assert run.end() == 0, run.said
    finally:
        run.close()
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


def test_all_hear_what_every_one_says(told):
    for each in told:
        assert each["gathered"] == [["", "ü" * 70], ["same", "same"]]


def test_where_nothing_is_wrong_all_go_on(told):
    assert [each["none"] for each in told] == ["went on", "went on"]


@pytest.mark.parametrize(("case", "teller"), [("first", 0), ("second", 1), ("both", 0)])
def test_one_process_tells_what_was_wrong_and_all_end(told, case, teller):
    assert told[teller][case] == f"StageError: bad in {teller}"
    assert told[1 - teller][case].startswith("ToldElsewhere: ")


def test_a_batch_that_one_process_cannot_have_ends_all_after_the_same_step(told):
    assert told[0]["batches"] == ["7 3", "8 3", "ToldElsewhere"]
    assert told[1]["batches"] == ["7 3", "8 3", "StageError"]


def test_batches_come_to_their_end(told):
    assert [each["whole"] for each in told] == [["a", "c"], ["a", "c"]]


def test_one_process_alone_agrees_with_itself():
    world = World.single()
    with agreement(world):
        pass
    with pytest.raises(StageError, match="bad"), agreement(world):
        raise StageError("bad")
    assert gathered("alone", world) == ["alone"]
    source = agreed_batches(lambda step, length: iter([(step, length)]), world)
    assert list(source(4, 2)) == [(4, 2)]
