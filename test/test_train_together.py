# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`train` as torchrun starts it, two processes on one machine; and ended by signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
import yaml
from node_process import LONG
from safetensors import safe_open
from torchrun import Torchrun
from train_cases import STAGE, draw_data, logged

from vos_ros.apps import train

pytestmark = pytest.mark.timeout(300)

#: a network that needs no help of a test to be found, and no rounding that depends on the batch
ENTRIES = {
    "network": {
        "backbone": "efficientnet_lite0",
        "direction_channels": 8,
        "guided_channels": 8,
        "fused_channels": 8,
        "decoder_channels": [8, 8, 8, 8],
    },
    "data": {"stills": {"folders": ["stills"]}},
    "lengths": [[0.0, 2]],
    "precision": "fp32",
}
ENDLESS = 1_000_000


@pytest.fixture
def given(tmp_path):
    """Writes the stage, and gives the arguments of `train`."""
    draw_data(tmp_path / "data")

    def arguments(*options, out="out", **entries):
        config = tmp_path / f"{out}.yaml"
        config.write_text(yaml.safe_dump(STAGE | ENTRIES | entries))
        paths = ["--config", config, "--data", tmp_path / "data", "--out", tmp_path / out]
        return [*map(str, paths), "--workers", "0", "--no-tensorboard", *options]

    return arguments


@pytest.fixture
def together(given):
    """Starts two processes that train together."""
    started: list[Torchrun] = []

    def run(*options, **entries):
        started.append(Torchrun("-m", "vos_ros", "train", *given(*options, **entries)))
        return started[-1]

    yield run
    for each in started:
        each.close()


def saved_step(folder):
    with safe_open(folder / "checkpoint.safetensors", framework="pt") as file:
        return json.loads(file.metadata()["progress"])["step"]


def test_two_processes_do_the_work_of_one_and_the_first_writes(together, given, tmp_path):
    damaged = tmp_path / "data/stills/images/00001.jpg"
    damaged.write_bytes(damaged.read_bytes()[:200])
    run = together()
    assert run.end() == 0, run.said
    assert run.said.count("wrote ") == 1 and run.said.count("step 4/4") == 1
    assert "files that could not be used: 1" in run.said
    assert train.main(given(out="alone")) == 0
    both, alone = logged(tmp_path / "out"), logged(tmp_path / "alone")
    assert [entry["step"] for entry in both] == [1, 2, 3, 4]
    for name in ("loss", "cross_entropy", "dice", "coarse"):
        values = [entry[name] for entry in both]
        assert values == pytest.approx([entry[name] for entry in alone], rel=1e-4), name
    # Once the backbone is tuned, a first step of Adam makes much of what rounding did to nothing.
    norms = [[entry["gradient_norm"] for entry in entries[:3]] for entries in (both, alone)]
    assert norms[0] == pytest.approx(norms[1], rel=1e-3)
    assert saved_step(tmp_path / "out") == 4
    lists = [(tmp_path / name / "skipped.txt").read_text() for name in ("out", "alone")]
    assert str(damaged) in lists[0] and lists[0] == lists[1]


def test_a_signal_to_any_process_stops_all_and_all_go_on_from_there(together, given, tmp_path):
    run = together(steps=ENDLESS)
    run.wait_for("step 1/")
    run.signal(signal.SIGTERM, rank=1)
    assert run.end() != 0
    assert "stopped by a signal" in run.said, run.said
    entries = logged(tmp_path / "out")
    stopped = saved_step(tmp_path / "out")
    assert [entry["step"] for entry in entries] == list(range(1, stopped + 1))

    run = together(steps=ENDLESS)
    run.wait_for(f"resuming after step {stopped} of {ENDLESS}")
    run.wait_for(f"step {stopped + 1}/")
    run.signal(signal.SIGINT)  # to the launcher, which tells both
    assert run.end() != 0
    assert "stopped by a signal" in run.said, run.said
    again = logged(tmp_path / "out")
    stopped_again = saved_step(tmp_path / "out")
    assert again[:stopped] == entries and len(again) == stopped_again > stopped
    # One process may go on with what two have done.
    assert train.main(given("--until", str(stopped_again + 1), steps=ENDLESS)) == 0
    assert logged(tmp_path / "out")[-1]["step"] == stopped_again + 1


def test_what_is_wrong_for_all_is_told_once(together, tmp_path):
    run = together(data={"stills": {"folders": ["gone"]}})
    assert run.end() != 0
    assert run.said.count("train: ") == 1 and "gone" in run.said
    assert not (tmp_path / "out").exists()


def test_ctrl_c_in_a_terminal_reaches_all_processes_and_harms_none(given, tmp_path):
    """The processes that make clips are signalled, too; the step in hand needs them."""
    command = [sys.executable, "-m", "vos_ros", "train", *given("--workers", "1", steps=ENDLESS)]
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        said = ""
        while "step 1/" not in said:
            said += (line := child.stdout.readline())
            assert line, said
        os.killpg(child.pid, signal.SIGINT)
        said += child.communicate(timeout=LONG)[0]
    finally:
        child.kill()
        child.communicate()
    assert child.returncode == 128 + signal.SIGINT, said
    assert "the same command goes on from here" in said and "Traceback" not in said
    assert len(logged(tmp_path / "out")) == saved_step(tmp_path / "out") >= 1
