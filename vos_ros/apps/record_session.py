# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ROS side of `record`: brings image, mask and presence of one stamp together."""

from __future__ import annotations

import argparse
import signal
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import CompressedImage, Image

from vos_msgs.msg import ObjectPresenceArray
from vos_ros.data.image_files import write_labels
from vos_ros.data.video import write_video
from vos_ros.drawing import draw_overlay
from vos_ros.recordings.errors import RecordingError
from vos_ros.recordings.run import ROWS, ObjectRow, line_of
from vos_ros.recordings.steady_frames import SteadyFrames
from vos_ros.ros.environment import keep_large_blocks
from vos_ros.ros.frames import to_rgb
from vos_ros.ros.images import mask_to_labels

_WAITING = 90  # stamps for which not everything has come yet; three seconds of a camera
_HINT = 10.0  # s without a mask, after which it is said what is missing


@dataclass
class _Moment:
    """What has come of one stamp."""

    image: Image | CompressedImage | None = None
    mask: Image | None = None
    presence: ObjectPresenceArray | None = None


def record(given: argparse.Namespace) -> str:
    """Record as the command line says; return what was kept, for people.

    Raises:
        RecordingError: no mask came.
        VideoError, OSError: a file cannot be written.
    """
    keep_large_blocks()
    with _stoppable() as stop, _Recorder(given, stop) as recorder:
        if given.no_video:
            for _ in recorder.frames():
                pass
        else:
            _write_whole(given.out / "overlay.mp4", recorder.frames(), given.rate)
        return recorder.described()


def _write_whole(path: Path, frames: Iterator[np.ndarray], rate: float) -> None:
    """Write a video that has its name only when it is whole."""
    first = next(frames, None)
    if first is None:
        return
    part = path.with_name(f".{path.name}.part.mp4")
    try:
        write_video(part, _joined(first, frames), rate)
        part.replace(path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def _joined(first: np.ndarray, rest: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    yield first
    yield from rest


@contextmanager
def _stoppable() -> Iterator[list[int]]:
    """Inside, the first SIGINT or SIGTERM is put into the list; a second one acts as ever."""
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}

    def note(number: int, _frame: object) -> None:
        came.append(number)
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in numbers:
        signal.signal(number, note)
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Recorder:
    """Subscribes to camera and node, and writes what belongs together."""

    def __init__(self, given: argparse.Namespace, stop: list[int]) -> None:
        self._given, self._stop = given, stop
        self._moments: OrderedDict[int, _Moment] = OrderedDict()
        self._ready: list[tuple[int, np.ndarray]] = []
        self._steady = SteadyFrames(given.rate)
        self._count = self._drawn = 0
        self._unreadable = ""
        self._began = time.monotonic()
        self._first_mask: float | None = None
        given.out.mkdir(parents=True, exist_ok=True)
        if not given.no_masks:
            (given.out / "masks").mkdir()
        self._rows = open(given.out / ROWS, "w", encoding="utf-8", buffering=1)
        self._context = Context()
        rclpy.init(context=self._context, signal_handler_options=SignalHandlerOptions.NO)
        self._node = Node("vos_record", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._subscribe()

    def __enter__(self) -> _Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)
        self._rows.close()
        if not self._count:  # nothing is left of a recording of nothing
            with suppress(OSError):
                (self._given.out / ROWS).unlink()
                (self._given.out / "masks").rmdir()

    def _subscribe(self) -> None:
        deep = {"depth": 60, "history": HistoryPolicy.KEEP_LAST}
        results = QoSProfile(reliability=ReliabilityPolicy.RELIABLE, **deep)
        camera = QoSProfile(reliability=ReliabilityPolicy.BEST_EFFORT, **deep)
        name = f"/{self._given.node.strip('/')}"
        self._topics = [f"{name}/mask", f"{name}/presence"]
        subscribe = self._node.create_subscription
        subscribe(Image, self._topics[0], lambda m: self._take("mask", m), results)
        subscribe(
            ObjectPresenceArray, self._topics[1], lambda m: self._take("presence", m), results
        )
        if not self._given.no_video:
            kind = CompressedImage if self._given.compressed else Image
            topic = self._given.image + ("/compressed" if self._given.compressed else "")
            subscribe(kind, topic, lambda m: self._take("image", m), camera)

    def frames(self) -> Iterator[np.ndarray]:
        """Yield the frames of the video as they come; ends when the recording does."""
        hinted = False
        while not self._over():
            self._executor.spin_once(timeout_sec=0.1)
            for stamp, picture in self._ready:
                yield from self._steady.until(stamp, picture)
            self._ready.clear()
            if not self._count and not hinted and time.monotonic() - self._began > _HINT:
                hinted = True
                print(self._missing(), flush=True)
        yield from self._steady.rest()

    def _over(self) -> bool:
        if self._stop or not self._context.ok():
            return True
        if self._given.count and self._count >= self._given.count:
            return True
        if not self._given.seconds or self._first_mask is None:
            return False
        return time.monotonic() - self._first_mask >= self._given.seconds

    def _missing(self) -> str:
        there = [name for name in self._topics if self._node.count_publishers(name)]
        if not there:
            return f"nobody publishes {self._topics[0]}: is the node running, under that name?"
        return f"no mask has come on {self._topics[0]}: is anything followed, and the camera on?"

    def _take(self, what: str, message: Any) -> None:
        stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        moment = self._moments.setdefault(stamp, _Moment())
        setattr(moment, what, message)
        if moment.mask is not None and moment.presence is not None:
            del self._moments[stamp]
            self._keep(stamp, moment)
        while len(self._moments) > _WAITING:
            self._moments.popitem(last=False)

    def _keep(self, stamp: int, moment: _Moment) -> None:
        if self._over():
            return
        assert moment.mask is not None and moment.presence is not None
        arrived = self._node.get_clock().now().nanoseconds
        labels = mask_to_labels(moment.mask)
        name = ""
        if not self._given.no_masks:
            name = f"masks/{self._count:05d}.png"
            write_labels(self._given.out / name, labels)
        objects = [
            ObjectRow(o.id, o.name, o.present, o.score, o.area_fraction, o.doubtful)
            for o in moment.presence.objects
        ]
        self._rows.write(line_of(stamp, arrived, name, objects))
        self._count += 1
        self._first_mask = self._first_mask or time.monotonic()
        if moment.image is not None:
            self._draw(stamp, moment.image, labels, objects)

    def _draw(
        self,
        stamp: int,
        image: Image | CompressedImage,
        labels: np.ndarray,
        objects: list[ObjectRow],
    ) -> None:
        names = {item.id: item.name for item in objects if item.name}
        try:
            picture = draw_overlay(to_rgb(image), labels, objects, names=names)
        except ValueError as error:  # an image that cannot be read, or not the mask's
            self._unreadable = self._unreadable or str(error)
            return
        self._drawn += 1
        self._ready.append((stamp, picture))

    def described(self) -> str:
        """What was kept, for people.

        Raises:
            RecordingError: nothing was.
        """
        if not self._count:
            raise RecordingError(self._missing() if self._context.ok() else "no mask came")
        words = [f"{self._count} masks in '{self._given.out}'"]
        if not self._given.no_video:
            words.append(f"{self._drawn} of them in overlay.mp4")
            if not self._drawn:
                words.append(f"no image of theirs came on {self._given.image}: see --image")
        if self._unreadable:
            words.append(f"some images could not be drawn on: {self._unreadable}")
        return "; ".join(words)
