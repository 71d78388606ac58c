# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Processes that train together come to what one with the whole batch comes to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from shared_training import CASES, outcome, trainer_of
from tiny import add_tiny_backbone

from vos_ros.training.distributed import World, WorldError, open_world

# Whichever test is first waits for three Pythons to start and for every case to be run.
pytestmark = pytest.mark.timeout(300)

HERE = Path(__file__).parent
NAMES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")

#: what follows this bias subtracts the mean: its gradient is nothing but rounding, which Adam
#: makes whole steps of
ROUNDING_ALONE = "context.main.bias"


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes, started by torchrun, wrote of every case."""
    folder = tmp_path_factory.mktemp("together")
    paths = [str(HERE.parent), str(HERE), os.environ.get("PYTHONPATH", "")]
    environment = {name: value for name, value in os.environ.items() if name not in NAMES}
    environment |= {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    # A rendezvous of one machine takes any free port.
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*command, str(HERE / "shared_training.py"), str(folder)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def told(folder: Path, rank: int) -> dict:
    return json.loads((folder / f"told_{rank}.json").read_text())


def test_the_processes_know_their_places_and_agree(together: Path) -> None:
    for rank in (0, 1):
        found = told(together, rank)
        assert (found["rank"], found["size"]) == (rank, 2)
        assert found["any"] == [False, True, True]
        assert found["mean"] == {"a": 0.5, "b": 0.5}


@pytest.mark.parametrize("case", CASES)
def test_two_processes_give_the_update_of_one(together, monkeypatch, case: str) -> None:
    """Each has half of the clips, and the clips of one half have other numbers of objects."""
    add_tiny_backbone(monkeypatch)
    trainer = trainer_of(case, World.single())
    before = {name: value.clone() for name, value in trainer.network.named_parameters()}
    values = list(trainer.run())
    expected = outcome(trainer)
    moved = [n for n, value in before.items() if not torch.equal(value, expected[f"network/{n}"])]
    assert len(moved) > len(before) / 2
    first, second = (load_file(together / f"{case}_{rank}.safetensors") for rank in (0, 1))
    assert not [name for name, value in first.items() if not torch.equal(value, second[name])]
    half = CASES[case][2].get("precision") == "fp16"
    for name, value in expected.items():
        if not name.endswith(ROUNDING_ALONE):
            torch.testing.assert_close(
                first[name], value, atol=2e-3 if half else 5e-6, rtol=0, msg=name
            )
    # The same losses are told by both, and are those of the whole batch.
    for rank in (0, 1):
        for found, one in zip(told(together, rank)[case], values, strict=True):
            assert found.keys() == one.keys()
            for name in one.keys() - {"seconds"}:
                assert found[name] == pytest.approx(one[name], rel=2e-2 if half else 1e-4), name


def test_processes_go_on_together_from_one_checkpoint(together: Path) -> None:
    case = "dgmpm_half"
    for rank in (0, 1):
        whole = load_file(together / f"{case}_{rank}.safetensors")
        resumed = load_file(together / f"{case}_resumed_{rank}.safetensors")
        assert not [name for name, value in whole.items() if not torch.equal(value, resumed[name])]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Without anything that torchrun might have set."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_without_torchrun_there_is_one_process(environment) -> None:
    world = open_world("cpu")
    assert world == World.single() and world.writes and (world.rank, world.size) == (0, 1)
    assert world.any(True) and not world.any(False)
    assert world.mean({"a": 3.0}) == {"a": 3.0}
    module = torch.nn.Linear(1, 1)
    assert world.shared(module) is module
    world.close()
    assert not torch.distributed.is_initialized()


def test_a_torchrun_of_one_process_is_one_process(environment) -> None:
    for name, value in zip(NAMES, ("0", "1", "0"), strict=False):
        environment.setenv(name, value)
    assert open_world() == World.single()
    assert not torch.distributed.is_initialized()


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"RANK": "0"}, "WORLD_SIZE must be a whole number, as torchrun sets it, not ''"),
        ({"RANK": "x", "WORLD_SIZE": "2"}, "RANK must be a whole number.*not 'x'"),
        ({"RANK": "0", "WORLD_SIZE": "2"}, "LOCAL_RANK must be a whole number"),
        (
            {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0"},
            "the processes do not find each other: .*MASTER_ADDR",
        ),
    ],
    ids=str,
)
def test_half_an_environment_is_refused(environment, entries, message) -> None:
    for name, value in entries.items():
        environment.setenv(name, value)
    with pytest.raises(WorldError, match=message):
        open_world()
    assert not torch.distributed.is_initialized()


def test_a_process_without_a_gpu_is_told(environment) -> None:
    environment.setattr(torch.cuda, "device_count", lambda: 2)
    for name, value in zip(NAMES, ("2", "4", "2"), strict=False):
        environment.setenv(name, value)
    with pytest.raises(WorldError, match="process 2 of this machine has no GPU, there are 2"):
        open_world("cuda")
