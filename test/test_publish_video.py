# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The camera made of a video: options, pace, stamps, and its manners as a process."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from vos_ros.apps.node_options import OptionError
from vos_ros.apps.publish_video import Options, main, parse_size, parser

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed")
from rcl_interfaces.srv import SetParameters  # noqa: E402
from rclpy.context import Context  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.node import Node  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from rclpy.qos import qos_profile_sensor_data  # noqa: E402
from sensor_msgs.msg import CompressedImage, Image  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

PATIENCE = 60.0  # s; only ever used up by a failing test
LEVELS = (20, 60, 100, 140, 180, 220)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Six frames of 64 x 48, each of one grey level."""
    folder = tmp_path / "frames"
    folder.mkdir()
    for index, level in enumerate(LEVELS):
        cv2.imwrite(str(folder / f"{index}.png"), np.full((48, 64, 3), level, np.uint8))
    return folder


@pytest.fixture
def viewer() -> Iterator[Viewer]:
    made = Viewer()
    yield made
    made.close()


class Viewer:
    """A subscriber in this process and the publisher processes it started."""

    def __init__(self) -> None:
        self.context = Context()
        rclpy.init(context=self.context)
        self.node = Node("viewer", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.messages: list = []
        self.children: list[subprocess.Popen] = []

    def watch(self, kind: type = Image, topic: str = "image") -> None:
        self.node.create_subscription(kind, topic, self.messages.append, qos_profile_sensor_data)

    def start(self, *arguments: object) -> subprocess.Popen:
        command = [sys.executable, "-m", "vos_ros", "publish_video", *map(str, arguments)]
        self.children.append(
            subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        return self.children[-1]

    def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, "waited in vain"
            self.executor.spin_once(timeout_sec=0.05)

    def ended(self, child: subprocess.Popen) -> int:
        self.until(lambda: child.poll() is not None)
        return child.returncode

    def levels(self) -> list[int]:
        """Grey level of the middle pixel of every raw image received."""
        return [message.data[len(message.data) // 2] for message in self.messages]

    def close(self) -> None:
        for child in self.children:
            child.kill()
            child.communicate()
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


def stamp(message: Image) -> int:
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


def test_every_frame_arrives_in_order_with_a_true_header(viewer: Viewer, clip: Path) -> None:
    viewer.watch()
    log = clip.parent / "log.csv"
    before = time.time_ns()
    child = viewer.start(
        clip, "--wait-for-subscribers", 1, "--rate", 30, "--frame-id", "eye", "--hold", "--log", log
    )
    viewer.until(lambda: len(viewer.messages) >= 3)
    assert viewer.levels() == [LEVELS[0]] * len(viewer.messages)  # held at the first frame
    client = viewer.node.create_client(Trigger, "/video_publisher/start")
    viewer.until(client.service_is_ready)
    answer = client.call_async(Trigger.Request())
    viewer.until(answer.done)
    assert answer.result().success
    assert viewer.ended(child) == 0
    message = viewer.messages[-1]
    assert (message.height, message.width, message.step) == (48, 64, 192)
    assert (message.encoding, message.header.frame_id) == ("bgr8", "eye")
    assert len(message.data) == 48 * 192
    levels = viewer.levels()
    assert levels == sorted(levels) and set(levels) == set(LEVELS)
    stamps = [stamp(message) for message in viewer.messages]
    assert stamps == sorted(set(stamps)) and before <= stamps[0] <= stamps[-1] <= time.time_ns()
    rows = [tuple(map(int, line.split(","))) for line in log.read_text().splitlines()]
    assert [index for index, _, held in rows if not held] == list(range(6))
    assert {index for index, _, held in rows if held} == {0}
    level_at = {when: LEVELS[index] for index, when, _ in rows}
    assert [level_at[when] for when in stamps] == levels


def test_nothing_is_sent_before_a_subscriber_is_there(viewer: Viewer, clip: Path) -> None:
    log = clip.parent / "log.csv"
    viewer.start(clip, "--wait-for-subscribers", 1, "--rate", 100, "--loop", "--log", log)
    viewer.until(lambda: viewer.node.count_publishers("image") == 1)
    # Thirty ticks pass; the log, written before each message, shows whether any was used.
    end = time.monotonic() + 0.3
    viewer.until(lambda: time.monotonic() > end)
    assert log.read_text() == ""
    viewer.watch()
    viewer.until(lambda: viewer.messages)
    assert log.read_text().startswith("0,")


def test_loop_size_and_count(viewer: Viewer, clip: Path) -> None:
    log = clip.parent / "log.csv"
    viewer.watch()
    child = viewer.start(
        clip,
        "--wait-for-subscribers",
        1,
        "--rate",
        100,
        "--loop",
        "--count",
        15,
        "--size",
        "32x16",
        "--log",
        log,
    )
    assert viewer.ended(child) == 0
    assert [int(row.split(",")[0]) for row in log.read_text().split()] == [
        *range(6),
        *range(6),
        *range(3),
    ]
    assert {(message.width, message.height) for message in viewer.messages} == {(32, 16)}


def test_the_rate_can_change_while_it_plays_and_nothing_else(viewer: Viewer, clip: Path) -> None:
    log = clip.parent / "log.csv"
    # At this rate the second frame would come after a quarter of an hour.
    child = viewer.start(clip, "--rate", 0.001, "--hold", "--start", 2, "--log", log)
    client = viewer.node.create_client(SetParameters, "/video_publisher/set_parameters")
    viewer.until(client.service_is_ready)

    def set_parameter(name: str, value: object) -> str:
        change = Parameter(name, value=value).to_parameter_msg()
        request = SetParameters.Request(parameters=[change])
        answer = client.call_async(request)
        viewer.until(answer.done)
        return answer.result().results[0].reason

    assert "above 0" in set_parameter("rate", -1.0)
    assert "cannot change" in set_parameter("video", "other.mp4")
    assert set_parameter("rate", 50.0) == ""
    start = viewer.node.create_client(Trigger, "/video_publisher/start")
    viewer.until(start.service_is_ready)
    start.call_async(Trigger.Request())
    assert viewer.ended(child) == 0
    rows = [row.split(",") for row in log.read_text().split()]
    assert [int(row[0]) for row in rows if row[2] == "0"] == [2, 3, 4, 5]


def test_parameters_and_remapping_as_a_launch_file_gives_them(viewer: Viewer, clip: Path) -> None:
    viewer.watch(CompressedImage, "/eye/compressed")
    child = viewer.start(
        "--ros-args", "-p", f"video:={clip}", "-p", "compressed:=true", "-p", "rate:=50",
        "-p", "wait_for_subscribers:=1", "-p", "count:=4",
        "-r", "image/compressed:=/eye/compressed",
    )  # fmt: skip
    assert viewer.ended(child) == 0
    assert viewer.messages
    message = viewer.messages[0]
    assert message.format == "bgr8; jpeg compressed bgr8"
    picture = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (48, 64, 3)
    assert min(abs(int(picture[24, 32, 0]) - level) for level in LEVELS) <= 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(viewer: Viewer, clip: Path, number: signal.Signals) -> None:
    viewer.watch()
    child = viewer.start(clip, "--loop", "--rate", 50)
    viewer.until(lambda: viewer.messages)
    child.send_signal(number)
    assert viewer.ended(child) == 0
    assert "Traceback" not in child.stderr.read()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "no video was named"),
        ({"video": "a", "rate": -1.0}, "the rate lies in"),
        ({"video": "a", "rate": float("nan")}, "the rate lies in"),
        ({"video": "a", "size": "12"}, "WIDTHxHEIGHT"),
        ({"video": "a", "quality": 0}, "quality"),
        ({"video": "a", "count": -1}, "0 or greater"),
    ],
)
def test_impossible_options_are_refused(values: dict[str, object], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        Options(**values)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["absent.mp4"], "there is no video file or folder"),
        (["CLIP", "--start", "6"], "has no frame 6"),
        (["CLIP", "--log", "absent/log.csv"], "the log"),
        (["CLIP", "--ros-args", "-p", "loop:=7"], "the parameter loop is of type bool"),
    ],
)
def test_what_cannot_be_played_is_answered_with_a_sentence(
    clip: Path, arguments: list[str], words: str
) -> None:
    given = [str(clip) if item == "CLIP" else item for item in arguments]
    ended = subprocess.run(
        [sys.executable, "-m", "vos_ros", "publish_video", *given],
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert words in ended.stderr and "Traceback" not in ended.stderr


def test_a_broken_frame_is_named(viewer: Viewer, clip: Path) -> None:
    (clip / "3.png").write_bytes(b"torn")
    child = viewer.start(clip, "--rate", 100)
    assert viewer.ended(child) == 2
    assert "3.png" in child.stderr.read()


def test_options_of_the_command_line_are_those_of_the_table() -> None:
    assert vars(parser().parse_args([])) == {
        name: field.default for name, field in Options.__dataclass_fields__.items()
    }


def test_help_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0 and "--wait-for-subscribers" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "640", "0x4", "640x", "-2x5", "1.5x2", "640x00"])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(OptionError):
        parse_size(text)
    assert parse_size("640X480") == (640, 480)
