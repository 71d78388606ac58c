# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The cameras of a benchmark: a process that sends images made beforehand, at a steady rate.

It is idle until the service `~/play` is called, and plays until `~/finish` is; then it sends as
many more images as it was told, writes down the stamp of each, and ends.
"""

from __future__ import annotations

import argparse
import itertools
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.executors import ExternalShutdownException
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.task import Future
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from vos_ros.benchmark.film import make_film
from vos_ros.benchmark.settings import parse_size
from vos_ros.ros import qos
from vos_ros.ros.images import rgb_to_message

NAME = "benchmark_camera"
_LINGER = 0.5  # s; a best-effort writer that vanishes takes what is under way with it


class EndingNode(Node):
    """A node with an end of its own: when `done` is fulfilled."""

    done: Future


class BenchmarkCamera(EndingNode):
    """Sends the frames of the made-up film round and round, on each topic one after the other.

    Attributes:
        done: fulfilled when all images are sent.

    Args:
        given: the command line.
        log: gets the stamp, nanoseconds, of each image that is sent after `~/finish`, a line each.
    """

    def __init__(self, given: argparse.Namespace, log: TextIO) -> None:
        super().__init__(NAME)
        film = make_film(parse_size(given.size), given.objects)
        header = Header(frame_id="camera")
        self._messages = itertools.cycle(
            [rgb_to_message(frame, header, "bgr8") for frame in film.frames]
        )
        self._frames, self._left, self._log = given.frames, -1, log
        self.done = Future()
        self._publishers = [
            self.create_publisher(Image, topic, qos.camera()) for topic in given.topics
        ]
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = self.create_timer(1 / given.rate, self._tick, clock=steady)
        self._timer.cancel()
        self.create_service(Trigger, "~/play", self._play)
        self.create_service(Trigger, "~/finish", self._finish)

    def _play(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._timer.reset()
        response.success = True
        return response

    def _finish(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._left = self._frames
        response.success = True
        return response

    def _tick(self) -> None:
        message: Image = next(self._messages)
        for publisher in self._publishers:
            # Each has a stamp of its own, by which its mask is known.
            now = self.get_clock().now()
            message.header.stamp = now.to_msg()
            if self._left > 0:
                self._log.write(f"{now.nanoseconds}\n")
            publisher.publish(message)
        if self._left < 0:
            return
        self._left -= 1
        if self._left == 0:
            self._timer.cancel()
            self.create_timer(_LINGER, lambda: self.done.set_result(None))


@contextmanager
def orderly_end() -> Iterator[None]:
    """Inside, being told to end is no failure; the ROS context is gone after it."""
    try:
        yield
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except rclpy_implementation.RCLError:
        # A signal may take the context away in the middle of a call.
        if rclpy.ok():
            raise
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one must not cut this short
        rclpy.try_shutdown()


def spin(make: Callable[[], EndingNode]) -> None:
    """Run a node until it has a future `done` that is fulfilled, or the process is told to end."""
    with orderly_end():
        rclpy.init(args=[])
        node = make()
        rclpy.spin_until_future_complete(node, node.done)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the camera; 0 when all is sent or it was told to end."""
    parser = argparse.ArgumentParser(prog="benchmark_camera")
    parser.add_argument("--size", required=True)
    parser.add_argument("--objects", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--topics", nargs="+", default=["image"])
    given = parser.parse_args(argv)
    with given.log.open("w", encoding="ascii") as log:
        spin(lambda: BenchmarkCamera(given, log))
    return 0


if __name__ == "__main__":
    sys.exit(main())
