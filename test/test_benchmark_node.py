# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node timed from outside: processes that come up, are streamed to, and are gone afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import CONFIG, ColourNetwork, add_tiny_backbone, tiny_gfddal

pytest.importorskip("rclpy", reason="ROS 2 is not installed")

from vos_ros.apps.benchmark_run import StreamMeter  # noqa: E402
from vos_ros.apps.domains import claim_domain  # noqa: E402
from vos_ros.benchmark.errors import BenchmarkError  # noqa: E402
from vos_ros.benchmark.models import Model  # noqa: E402
from vos_ros.benchmark.row import PARTS_OF_A_FRAME  # noqa: E402
from vos_ros.benchmark.settings import Case, Size  # noqa: E402
from vos_ros.benchmark.streams import StreamEffort  # noqa: E402
from vos_ros.weights import load_network  # noqa: E402

PATIENCE = 280.0  # s; a busy machine needs many for three processes, and a failing test all
pytestmark = pytest.mark.timeout(PATIENCE + 20, method="signal")
COMMAND = [sys.executable, "-m", "vos_ros", "benchmark", "--sizes", "160x120"]
CASE = Case(Size(160, 120), "node", 2, "dgmpm_lite0", 64, "fp32", 1, "torch", 1)
MODEL = Model("dgmpm_lite0", ColourNetwork(), {"sha256": "of a file"})
EFFORT = StreamEffort(runs=1, frames=8, warmup=2, settle=0.0, rate=20.0)


def test_the_real_node_is_measured_from_its_start_to_its_last_mask(tmp_path: Path) -> None:
    file = tmp_path / "speed.json"
    done = subprocess.run(
        [*COMMAND, "--what", "node", "transport", "--weights", "dgmpm_lite0", "--objects", "2",
         "--precision", "fp32", "--internal-size", "64", "--threads", "1", "--runtime", "torch",
         "--runs", "1", "--frames", "10", "--rate", "10", "--warmup", "2", "--settle", "0",
         "--json", str(file)],
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    node, transport = json.loads(file.read_text())["rows"]
    assert (node["what"], node["model"], node["objects"]) == ("node", "dgmpm_lite0", 2)
    for row in (node, transport):
        assert row["size"] == "160x120" and row["sent"] == 10
        assert 1 <= row["received"] == row["calls"] == 10 - row["dropped"]
        assert 0 < row["median_ms"] <= row["p95_ms"] <= row["p99_ms"]
        assert row["camera_hz"] > 0
    assert node["startup_ms"] > node["median_ms"]
    assert 50 < node["memory_start_mb"] < 5000 and 50 < node["memory_end_mb"] < 5000
    parts = [node[part] for part in PARTS_OF_A_FRAME]
    assert all(part is not None and part >= 0 for part in parts)
    assert transport["startup_ms"] is None and transport["model"] is None
    assert transport["step_ms"] is None


def test_a_network_without_a_file_gets_one_that_the_node_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_tiny_backbone(monkeypatch)
    meter = StreamMeter(1, "cpu", EFFORT, tmp_path)
    facts = {"model": "gfddal", "config": CONFIG, "sha256": None}
    files = []
    for name in ("a/mine.yaml", "b/mine.yaml", "a/mine.yaml"):
        model = Model(name, tiny_gfddal(), facts)
        command = meter._node(replace(CASE, weights=name), model)
        (given,) = (word for word in command if word.startswith("weights:="))
        files.append(json.loads(given.removeprefix("weights:=")))
    assert files[0] == files[2] != files[1]
    network, card = load_network(files[1])
    assert card.model == "gfddal"
    for name, value in tiny_gfddal().state_dict().items():
        assert network.state_dict()[name].shape == value.shape
    shipped = meter._node(CASE, MODEL)
    assert any(word.endswith('dgmpm_lite0.safetensors"') for word in shipped)


PROGRAM = """
import os, sys
from fake_segmenter import ColourSegmenter
from stage import CARD
from vos_ros.ros import node
from vos_ros.segmenter import SegmentationError

{mischief}
node._build_segmenter = lambda settings: (ColourSegmenter(), CARD, "colours")
sys.exit(node.main(sys.argv[1:]))
"""
DIES_AT_ONCE = "os._exit(3)"
DIES_AT_WORK = """
class ColourSegmenter(ColourSegmenter):
    def step(self, image):
        os._exit(4)
"""
REFUSES = """
class ColourSegmenter(ColourSegmenter):
    def start(self, *_, **__):
        raise SegmentationError("this mask is too ugly")
"""
FINDS_NOTHING = """
class ColourSegmenter(ColourSegmenter):
    def step(self, image):
        raise ValueError("seen nothing")
"""


@pytest.fixture
def meter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator:
    """Makes a meter of nodes without a network, which have something in mind."""
    path = os.pathsep.join([str(Path(__file__).parent), os.environ["PYTHONPATH"]])
    monkeypatch.setenv("PYTHONPATH", path)
    before = children_of(os.getpid())
    with claim_domain() as domain:

        def make(mischief: str = "") -> StreamMeter:
            command = [sys.executable, "-c", PROGRAM.replace("{mischief}", mischief)]
            return StreamMeter(domain.number, "cpu", EFFORT, tmp_path, command)

        yield make
    assert set(children_of(os.getpid())) <= set(before)


def test_a_node_is_timed_by_the_stamps_it_sends_back(meter) -> None:
    run = meter().run(CASE, MODEL)
    assert len(run.sent) == EFFORT.frames and list(run.sent) == sorted(set(run.sent))
    assert set(run.answered) <= set(run.sent) and len(run.answered) >= 1
    assert len(run.arrived) >= len(run.answered) + EFFORT.warmup
    assert all(0 < latency < 1000 * PATIENCE for latency in run.latencies)
    assert 0 < run.startup < PATIENCE
    assert run.memory is not None and run.lost is not None


def test_several_cameras_are_served_by_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with claim_domain() as domain:
        meter = StreamMeter(domain.number, "cpu", EFFORT, tmp_path)
        run = meter.run(replace(CASE, cameras=2), MODEL)
    assert len(run.sent) == len(set(run.sent)) == 2 * EFFORT.frames and run.cameras == 2
    assert len(run.answered) >= 1
    assert "camera1" in (tmp_path / "node.log").read_text()
    assert "camera2" in (tmp_path / "node.log").read_text()
    assert run.parts.keys() == set(PARTS_OF_A_FRAME)


def test_an_echo_needs_no_model(meter) -> None:
    run = meter().run(Case(Size(160, 120), "transport"), None)
    assert len(run.answered) >= 1 and run.startup is None and run.parts == {}


@pytest.mark.parametrize(
    ("mischief", "said"),
    [
        (DIES_AT_ONCE, "node ended by itself with status 3"),
        (DIES_AT_WORK, "node ended by itself with status 4"),
        (REFUSES, "the node refused the first mask: This mask is too ugly"),
    ],
    ids=["dies at once", "dies at work", "refuses"],
)
def test_a_node_that_does_not_do_its_work_is_told_of(meter, mischief: str, said: str) -> None:
    with pytest.raises(BenchmarkError, match=f"node at 160x120: {said}"):
        meter(mischief).run(CASE, MODEL)


def test_a_node_that_sends_no_mask_is_told_of(meter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vos_ros.apps.benchmark_stage.MASK_PATIENCE", 1.0)
    with pytest.raises(BenchmarkError, match="in vain for masks"):
        meter(FINDS_NOTHING).run(CASE, MODEL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_to_end_it_leaves_no_process_behind(number: signal.Signals) -> None:
    benchmark = subprocess.Popen(
        [*COMMAND, "--what", "transport", "--frames", "1000000", "--rate", "5"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    end = time.monotonic() + PATIENCE
    try:
        children: list[int] = []
        while len(children) < 2:  # the camera, and the one that answers
            assert benchmark.poll() is None and time.monotonic() < end
            children = children_of(benchmark.pid)
            time.sleep(0.01)
        benchmark.send_signal(number)
        _, said = benchmark.communicate(timeout=PATIENCE)
    finally:
        benchmark.kill()
        benchmark.communicate()
    assert benchmark.returncode == 130, said
    assert said.endswith("benchmark: interrupted\n") and "Traceback" not in said
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)


def children_of(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(word) for task in tasks for word in (task / "children").read_text().split()]
