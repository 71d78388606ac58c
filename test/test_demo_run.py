# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The demo as a person runs it: three processes, from a short clip to the files left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from vos_ros.data.video import VideoReader

pytest.importorskip("rclpy", reason="ROS 2 is not installed")

PATIENCE = 240.0  # s; a busy machine needs many for three processes, and a failing test all
FRAMES = 10
SMALL = ("--internal-size", "96", "--rate", "10")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A textured disc that moves before texture of another colour; masks beside the frames."""
    root = tmp_path_factory.mktemp("clip with space")
    frames, masks = root / "frames", root / "masks"
    frames.mkdir(), masks.mkdir()
    rng = np.random.default_rng(5)
    ground = cv2.resize(rng.integers(40, 120, (18, 32, 3), dtype=np.uint8), (320, 180))
    skin = cv2.resize(rng.integers(150, 255, (18, 32, 3), dtype=np.uint8), (320, 180))
    skin[..., 0] //= 4
    for index in range(FRAMES):
        mask = np.zeros((180, 320), np.uint8)
        cv2.circle(mask, (90 + 8 * index, 90), 45, 255, -1)
        frame = np.where(mask[..., None] > 0, np.roll(skin, 8 * index, axis=1), ground)
        cv2.imwrite(str(frames / f"{index:05d}.png"), frame)
        cv2.imwrite(str(masks / f"{index:05d}.png"), mask)
    return root


def command(clip: Path, out: Path, *rest: str) -> list[str]:
    place = ["--video", str(clip / "frames"), "--truth", str(clip / "masks"), "--out", str(out)]
    return [sys.executable, "-m", "vos_ros", "demo", *place, *SMALL, *rest]


@pytest.mark.timeout(PATIENCE + 60)
def test_a_short_run_leaves_what_it_promises(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ended = subprocess.run(
        command(clip, out, "--names", "disc"),
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    summary = json.loads((out / "summary.json").read_text())
    assert summary["problems"] == [] and summary["masks_foreign"] == 0
    assert summary["frames_sent"] == FRAMES
    assert 1 <= summary["masks_returned"] <= FRAMES
    assert summary["frames_without_mask"] == FRAMES - summary["masks_returned"]
    assert summary["latency_ms_median"] > 0
    assert summary["objects"] == {"255": "disc"}
    assert len(summary["presence"]["255"]) == summary["masks_returned"]
    # Any network that follows at all holds a bright disc on dark ground.
    assert summary["accuracy_percent"]["j"] > 50
    scored = [row["frame"] for row in summary["accuracy_percent"]["frames"]]
    assert scored == [row["frame"] for row in summary["presence"]["255"] if row["frame"] > 0]
    frames = list(VideoReader(out / "overlay.mp4"))
    assert len(frames) == FRAMES and frames[0].shape == (180, 320, 3)
    assert cv2.imread(str(out / "contact_sheet.png")) is not None
    assert "disc: present in" in ended.stdout
    assert summary["accuracy_percent"]["frames_with_truth"] == FRAMES - 1
    assert f"the masks of {len(scored)} of {FRAMES - 1} frames with truth" in ended.stdout
    assert f"{summary['frames_without_mask']} frames without a mask" in ended.stdout


@pytest.mark.timeout(PATIENCE + 60)
def test_a_node_that_cannot_be_configured_is_quoted(clip: Path, tmp_path: Path) -> None:
    ended = subprocess.run(
        command(clip, tmp_path, "--weights", "no_such_weights"),
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "could not be configured" in ended.stderr and "no_such_weights" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.timeout(PATIENCE + 60)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_behind(clip: Path, tmp_path: Path, number: signal.Signals) -> None:
    demo = subprocess.Popen(
        command(clip, tmp_path), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        line = next(line for line in demo.stdout if "/vos/init_mask" in line)
        assert "Following 255" in line
        children = children_of(demo.pid)
        assert len(children) == 2
        demo.send_signal(number)
        assert demo.wait(PATIENCE) in (128 + number, -number)
        end = time.monotonic() + PATIENCE
        while any(alive(pid) for pid in children):
            assert time.monotonic() < end, "a process lives on"
            time.sleep(0.01)
    finally:
        demo.kill()
        demo.communicate()


def children_of(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(word) for task in tasks for word in (task / "children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"
