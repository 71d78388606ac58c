# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The soak: the real node among all faults for a while, and nodes that break promises.

SOAK_SECONDS says for how long the real one is soaked: two minutes unless told otherwise.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import pytest
from node_process import LONG

from vos_ros.apps.domains import claim_domain
from vos_ros.apps.soak_run import SoakRun
from vos_ros.soak.plan import FAULTS, plan
from vos_ros.soak.report import Report

SECONDS = int(os.environ.get("SOAK_SECONDS", "120"))
PATIENCE = 2 * LONG
# By a signal, which fails the test; a thread's way to end it would take the test process along.
pytestmark = pytest.mark.timeout(300, method="signal")
SOAK = [sys.executable, "-u", "-m", "vos_ros", "soak", "--internal-size", "64", "--rate", "10"]


@pytest.mark.timeout(SECONDS + 300, method="signal")
def test_the_real_node_keeps_every_promise(tmp_path: Path):
    file, figure = tmp_path / "report" / "soak.json", tmp_path / "figures" / "soak.png"
    done = subprocess.run(
        [
            *SOAK,
            "--seconds",
            str(SECONDS),
            "--seed",
            "3",
            "--every",
            "0.5",
            "--json",
            str(file),
            "--logs",
            str(tmp_path),
            "--patience",
            str(PATIENCE),
            "--figure",
            str(figure),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS + 280,
    )
    assert done.returncode == 0, done.stdout
    told = json.loads(file.read_text(encoding="utf-8"))
    assert (told["seconds"], told["seed"]) == (SECONDS, 3)
    assert told["seconds_run"] >= SECONDS
    assert told["restarts"] == 0 and told["broken"] == [] and told["exit_status"] == 0
    assert told["frames"] > told["masks"] > 0
    assert told["worst_latency_ms"] >= told["latency_ms"]["median"] > 0
    count = sum(told["faults"].values())
    assert 0 < count and set(told["faults"]) <= set(FAULTS)
    begun = [planned.kind for planned, _ in zip(plan(3, 0.5), range(count), strict=False)]
    assert told["faults"] == {kind: begun.count(kind) for kind in sorted(begun)}
    drawn = cv2.imread(str(figure))
    assert drawn is not None and drawn.std() > 0


def test_interrupted_it_tells_what_it_has_seen(tmp_path: Path):
    file = tmp_path / "soak.json"
    soak = subprocess.Popen(
        [*SOAK, "--seconds", "3600", "--json", str(file), "--logs", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watchdog = threading.Timer(LONG * 1.5, soak.kill)
    watchdog.start()
    try:
        assert soak.stdout is not None and "Starting the node" in soak.stdout.readline()
        soak.send_signal(signal.SIGINT)
        said, _ = soak.communicate()
    finally:
        watchdog.cancel()
        soak.kill()
    assert file.is_file(), f"{soak.returncode}: {said}"
    told = json.loads(file.read_text(encoding="utf-8"))
    assert told["interrupted"], said
    assert soak.returncode == 130, said
    assert "Traceback" not in said


# --- nodes that do not keep what is promised: a soak that finds nothing must be able to find this


PROGRAM = """
import os, sys
from fake_segmenter import ColourSegmenter
from stage import CARD
from vos_ros.ros import node, publishers

node._build_segmenter = lambda settings: (ColourSegmenter(), CARD, "colours")
{mischief}
sys.exit(node.main(sys.argv[1:]))
"""
DIES = """
class ColourSegmenter(ColourSegmenter):
    def remove(self, object_id):
        os._exit(3)
"""
WRONG_STAMPS = """
import copy
right, count = publishers.ResultPublishers.publish, [0]
def publish(self, header, *rest, **named):
    count[0] += 1
    header = copy.deepcopy(header)
    header.stamp.nanosec ^= count[0] % 2
    right(self, header, *rest, **named)
publishers.ResultPublishers.publish = publish
"""
SURE = """
import dataclasses
import numpy as np
told = publishers.ResultPublishers.publish
def publish(self, header, result, names):
    sure = np.full(result.labels.shape, {sure}, np.float32)
    told(self, header, dataclasses.replace(result, confidence=sure), names)
publishers.ResultPublishers.publish = publish
"""
"""The confidence is the same everywhere."""
ENDS_BADLY = """
well = node.main
node.main = lambda arguments: well(arguments) + 5
"""
COMPLAINS = """
print("Traceback (most recent call last):", flush=True)
"""


def soaked(folder: Path, mischief: str, kinds: list[str]) -> Report:
    """The report of two seconds with a node without a network, which has something in mind."""
    report = Report(seconds=2, seed=1, every=0.2, rate=20, node={}, warm_up=0.0)
    command = [sys.executable, "-u", "-c", PROGRAM.replace("{mischief}", mischief)]
    with claim_domain() as domain, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROS_DOMAIN_ID", str(domain.number))
        path = os.pathsep.join([str(Path(__file__).parent), os.environ["PYTHONPATH"]])
        patch.setenv("PYTHONPATH", path)
        with SoakRun(folder, report, domain.number, PATIENCE, command) as run:
            run.start()
            run.go_through(kinds)
    return report


def test_a_good_node_is_not_accused(tmp_path: Path):
    report = soaked(tmp_path, "", ["unknown_remove", "encoding", "targets"])
    assert not report.failed, report.broken
    assert report.faults and report.ledger.masks > 0


def test_a_good_node_is_not_accused_of_what_it_is_asked_for_seldom(tmp_path: Path):
    kinds = ["confidence", "segment", "disk", "sim_time"]
    report = soaked(tmp_path, SURE.replace("{sure}", "0.5"), kinds)
    assert not report.failed, report.broken
    assert report.faults


def test_a_confidence_that_is_none_is_told_of(tmp_path: Path):
    report = soaked(tmp_path, SURE.replace("{sure}", "1.5"), ["confidence"])
    assert report.restarts == 0 and report.failed
    assert all("other values than one from 0 to 1" in text for text in report.broken)


def test_a_node_that_does_not_end_well_is_told_of(tmp_path: Path):
    report = soaked(tmp_path, ENDS_BADLY, ["end"])
    assert report.restarts == 0 and report.failed
    assert all("told to end, the node's status was 5" in text for text in report.broken)
    assert len(report.exit_times) == len(report.broken) == 1 + report.faults["end"]
    assert report.as_json()["exit_seconds"] == pytest.approx(max(report.exit_times), abs=0.01)


def test_a_node_that_dies_is_told_of(tmp_path: Path):
    report = soaked(tmp_path, DIES, ["remove"])
    assert report.restarts > 0 and report.failed, report.broken
    assert "node ended by itself with status 3" in report.broken[0]
    assert len(report.curves) == 1 + report.restarts


def test_a_mask_with_a_stamp_of_no_image_is_told_of(tmp_path: Path):
    report = soaked(tmp_path, WRONG_STAMPS, ["encoding"])
    assert report.restarts == 0 and report.failed, report.broken
    assert all("of which no image was sent" in text for text in report.broken)


def test_a_traceback_is_told_of(tmp_path: Path):
    report = soaked(tmp_path, COMPLAINS, ["unknown_remove"])
    assert report.restarts == 0
    assert [text for text in report.broken if "Traceback" in text] == report.broken != []
