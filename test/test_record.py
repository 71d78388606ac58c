# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`record`: overlay video, masks and a line for each image, of a node that runs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from vos_ros.apps.record import main
from vos_ros.data.video import VideoReader
from vos_ros.recordings.run import read_folder
from vos_ros.recordings.steady_frames import MOST_STILL, SteadyFrames

SECOND = 10**9


def shown(rate: float, stamps: list[float]) -> list[int]:
    """Which of the pictures, that come at these times in seconds, each frame of the video shows."""
    steady, found = SteadyFrames(rate), []
    for number, seconds in enumerate(stamps):
        picture = np.full((1, 1, 3), number, np.uint8)
        found += [int(frame[0, 0, 0]) for frame in steady.until(int(seconds * SECOND), picture)]
    return found + [int(frame[0, 0, 0]) for frame in steady.rest()]


def test_pictures_are_repeated_and_left_out_to_keep_time() -> None:
    assert shown(10, [0.0, 0.1, 0.2]) == [0, 1, 2]
    assert shown(10, [5.0, 5.3, 5.4]) == [0, 0, 0, 1, 2]
    assert shown(10, [0.0, 0.05, 0.1, 0.15, 0.2]) == [0, 2, 4]
    assert shown(10, []) == []


def test_a_silence_is_cut_and_a_step_back_in_time_forgiven() -> None:
    assert len(shown(10, [0.0, 3600.0])) == 10 * MOST_STILL + 1
    assert shown(10, [100.0, 100.1, 7.0, 7.1]) == [0, 2, 3]


@pytest.mark.parametrize("rate", [24.0, 29.97, 7.0])
def test_the_video_lasts_as_long_as_what_it_shows(rate: float) -> None:
    random = np.random.default_rng(1)
    stamps = np.cumsum(random.uniform(0.01, 0.4, 200))
    frames = shown(rate, stamps.tolist())
    assert len(frames) / rate == pytest.approx(stamps[-1] - stamps[0], abs=2 / rate)
    assert frames == sorted(frames)


rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed")
from spinning import Spinning  # noqa: E402
from stage import HEIGHT, WIDTH, picture, stamp, truth  # noqa: E402

COUNT = 5


def arguments(node: Spinning, out: Path, *more: object) -> list[str]:
    fixed = ["--node", node.name, "--image", node.image, "--out", str(out)]
    return [*fixed, "--rate", "10", *map(str, more)]


def check(out: Path, count: int) -> None:
    """What lies in the folder is true of `count` of the camera's images."""
    rows = [json.loads(line) for line in (out / "run.jsonl").read_text().splitlines()]
    assert len(rows) == count
    numbers = [round((row["stamp"] - 100 * SECOND) / 10**8) for row in rows]
    assert numbers == sorted(set(numbers))
    for place, row in enumerate(rows):
        assert row["stamp"] == stamp(numbers[place]).sec * SECOND + stamp(numbers[place]).nanosec
        assert row["mask"] == f"masks/{place:05d}.png"
        np.testing.assert_array_equal(np.array(Picture.open(out / row["mask"])), truth((1, 3)))
        assert [(o["id"], o["name"], o["present"]) for o in row["objects"]] == [
            (1, "red", True), (3, "blue", True),
        ]  # fmt: skip
        assert row["objects"][0]["area"] == pytest.approx(100 / (WIDTH * HEIGHT))
    assert len(list((out / "masks").iterdir())) == count
    assert len(read_folder(out).rows) == count


@pytest.fixture
def playing(make_stage):
    """A node that follows two colours in the images of a camera."""
    node = Spinning(make_stage().activate(), playing=(1, 3), names=("red", "blue"))
    yield node
    node.close()


def test_it_keeps_what_belongs_together(tmp_path: Path, playing: Spinning, capsys) -> None:
    out = tmp_path / "new"
    assert main(arguments(playing, out, "--count", COUNT)) == 0
    check(out, COUNT)
    video = VideoReader(out / "overlay.mp4")
    assert (video.width, video.height) == (WIDTH, HEIGHT)
    for frame in video:  # the squares are tinted, and the ground is not
        plain = picture(0, (1, 3))[..., ::-1].astype(int)
        changed = np.abs(frame.astype(int) - plain).max(axis=2) > 40
        assert changed[20:30][:, truth((1, 3))[20] > 0].mean() > 0.5
    assert f"{COUNT} masks in '{out}'" in capsys.readouterr().out
    assert sorted(item.name for item in out.iterdir()) == ["masks", "overlay.mp4", "run.jsonl"]


def test_a_signal_ends_it_with_everything_readable(tmp_path: Path, playing: Spinning) -> None:
    out = tmp_path / "new"
    child = subprocess.Popen(
        [sys.executable, "-m", "vos_ros", "record", *arguments(playing, out)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        playing.until(lambda: (out / "masks" / "00002.png").exists() or child.poll() is not None)
        child.send_signal(signal.SIGINT)
        said, _ = child.communicate(timeout=60)
    finally:
        child.kill()
        child.wait()
    assert child.returncode == 0, said
    check(out, len(list((out / "masks").iterdir())))
    assert sum(1 for _ in VideoReader(out / "overlay.mp4")) > 0


def test_only_what_is_asked_for_is_kept(tmp_path: Path, playing: Spinning) -> None:
    out = tmp_path / "new"
    assert main(arguments(playing, out, "--count", 2, "--no-video", "--no-masks")) == 0
    assert [item.name for item in out.iterdir()] == ["run.jsonl"]


def test_a_folder_in_use_is_left_alone(tmp_path: Path, capsys) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for out in (tmp_path, tmp_path / "mine.txt"):
        assert main(["--out", str(out)]) == 2
        assert "in use" in capsys.readouterr().err
    assert [item.name for item in tmp_path.iterdir()] == ["mine.txt"]
