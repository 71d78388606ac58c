# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ROS side of `publish_video`: the node that sends the frames of a clip at their pace."""

from __future__ import annotations

import signal
import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import TextIO

import cv2
import numpy as np
import rclpy
from rcl_interfaces.msg import SetParametersResult
from rclpy.executors import ExternalShutdownException
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data
from rclpy.task import Future
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from vos_ros.apps.node_options import OptionError, declared_options
from vos_ros.apps.publish_video import Options, parse_size
from vos_ros.data.video import VideoError, VideoReader, resize
from vos_ros.ros.environment import keep_large_blocks

_HOLD_RATE = 5.0  # Hz; a still picture need not be sent more often, for viewers store it
_LINGER = 0.5  # s; a best-effort writer that vanishes takes what is under way with it


_FIXED = frozenset(field.name for field in fields(Options)) - {"rate"}


def _is_rate(value: object) -> bool:
    return isinstance(value, int | float) and type(value) is not bool and 0.0 < value <= 1000.0


class VideoPublisher(Node):
    """Sends one frame at each tick of a timer; `done` is fulfilled when the clip is over.

    The next frame is decoded after the last one is sent, so that a stamp is taken just before its
    message leaves, as a camera driver does it.
    """

    def __init__(self, defaults: Mapping[str, object]) -> None:
        """Read the parameters and open the clip.

        Args:
            defaults: value of each field of Options where no ROS parameter is given.

        Raises:
            OptionError: a parameter has an impossible value.
            VideoError: the clip cannot be read, or the log not be written.
        """
        super().__init__("video_publisher")
        # It says itself which of them may not change.
        self.options = options = declared_options(self, Options, defaults, {*_FIXED, "rate"})
        reader = VideoReader(options.video)
        self.rate = options.rate or reader.rate
        self.sent = 0
        self.done = Future()
        self._held = options.hold
        self._size = parse_size(options.size) if options.size else None
        self._frames = _play_order(reader, options.start, options.loop, options.count)
        self._next = next(self._frames, None)
        if self._next is None:
            raise VideoError(f"'{reader.path}' has no frame {options.start} to begin with")
        self._log = _open_log(options.log)
        kind = CompressedImage if options.compressed else Image
        topic = f"{options.topic}/compressed" if options.compressed else options.topic
        self._publisher = self.create_publisher(kind, topic, qos_profile_sensor_data)
        if options.hold:
            self.create_service(Trigger, "~/start", self._start)
        self._waiting = options.wait_for_subscribers > 0
        self._timer = self.create_timer(self._period(), self._tick)
        self.add_on_set_parameters_callback(self._check_change)
        self.add_post_set_parameters_callback(self._take_change)
        self.get_logger().info(
            f"playing '{reader.path}' ({reader.width}x{reader.height}) at {self.rate:g} Hz on "
            f"{self._publisher.topic_name}"
        )

    def _period(self) -> float:
        """Return the time between two frames, in s."""
        return 1.0 / (min(self.rate, _HOLD_RATE) if self._held else self.rate)

    def _set_pace(self) -> None:
        # A new timer: a period that is changed in place counts from the old timer's last call.
        self.destroy_timer(self._timer)
        self._timer = self.create_timer(self._period(), self._tick)

    def _check_change(self, changes: Sequence[Parameter]) -> SetParametersResult:
        """Allow nothing but a new rate while the clip plays."""
        for change in changes:
            if change.name in _FIXED:
                return SetParametersResult(reason=f"{change.name} cannot change while playing")
            if change.name == "rate" and not _is_rate(change.value):
                return SetParametersResult(reason="a rate lies above 0 and up to 1000 Hz")
        return SetParametersResult(successful=True)

    def _take_change(self, changes: Sequence[Parameter]) -> None:
        for change in changes:
            if change.name == "rate":
                self.rate = float(change.value)
                if self._next is not None:
                    self._set_pace()

    def _start(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success, self._held = self._held, False
        if response.success:
            self._set_pace()
        response.message = "Playing." if response.success else "It was playing already."
        return response

    def _tick(self) -> None:
        if self._waiting:
            there = self._publisher.get_subscription_count()
            if there < self.options.wait_for_subscribers:
                return
            self._waiting = False
        if self._next is None:
            self._finish()
            return
        index, frame = self._next
        self._publish(index, frame)
        if not self._held:
            self.sent += 1
            self._next = next(self._frames, None)

    def _publish(self, index: int, frame: np.ndarray) -> None:
        if self._size is not None:
            frame = resize(frame, *self._size)
        header = Header(frame_id=self.options.frame_id)
        now = self.get_clock().now()
        header.stamp = now.to_msg()
        if self._log is not None:  # before sending: whoever has the image finds it in the log
            self._log.write(f"{index},{now.nanoseconds},{int(self._held)}\n")
        if self.options.compressed:
            self._publisher.publish(_compressed(header, frame, self.options.quality))
        else:
            self._publisher.publish(_raw(header, frame))

    def _finish(self) -> None:
        self._timer.cancel()
        self.get_logger().info(f"{self.sent} frames sent")
        self._timer = self.create_timer(_LINGER, lambda: self.done.set_result(None))

    def close(self) -> None:
        """Close the log."""
        if self._log is not None:
            self._log.close()


def _play_order(
    reader: VideoReader, start: int, loop: bool, count: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (number in the clip, BGR frame) of every frame to be sent."""
    sent = 0
    while True:
        before = sent
        for index, frame in enumerate(reader):
            if index < start:
                continue
            yield index, frame
            sent += 1
            if count and sent == count:
                return
        if not loop or sent == before:
            return


def _open_log(path: str) -> TextIO | None:
    if not path:
        return None
    try:
        return open(path, "w", encoding="ascii", buffering=1)  # a line at a time, for readers
    except OSError as error:
        raise VideoError(f"the log '{path}' cannot be written: {error.strerror}") from error


def _raw(header: Header, frame: np.ndarray) -> Image:
    message = Image(header=header, encoding="bgr8", is_bigendian=0)
    message.height, message.width = frame.shape[:2]
    message.step = 3 * message.width
    data = array("B")
    # A numpy array would be copied element by element here, 40 ms for 640x480.
    data.frombytes(np.ascontiguousarray(frame).reshape(-1).data)
    message.data = data
    return message


def _compressed(header: Header, frame: np.ndarray, quality: int) -> CompressedImage:
    coded, buffer = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not coded:
        raise VideoError(f"a frame of {frame.shape[1]}x{frame.shape[0]} pixels is no JPEG")
    message = CompressedImage(header=header, format="bgr8; jpeg compressed bgr8")
    data = array("B")
    data.frombytes(buffer.reshape(-1).data)
    message.data = data
    return message


def play(defaults: Mapping[str, object], arguments: Sequence[str]) -> int:
    """Run the node to the end of the clip; 0, or 2 for a bad clip or option.

    Args:
        defaults: the options of the command line.
        arguments: the whole command line, for the ROS arguments in it.
    """
    keep_large_blocks()
    rclpy.init(args=list(arguments))
    node: VideoPublisher | None = None
    try:
        node = VideoPublisher(defaults)
        rclpy.spin_until_future_complete(node, node.done)
        return 0
    except (OptionError, VideoError) as error:
        print(f"publish_video: {error}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, ExternalShutdownException):
        return 0  # being told to stop is no failure
    except rclpy_implementation.RCLError:
        # A signal may take the context away in the middle of a call.
        if rclpy.ok():
            raise
        return 0
    finally:
        # `ros2 launch` and a terminal both send the signal: the second must not cut this short.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if node is not None:
            node.close()
            node.destroy_node()
        rclpy.try_shutdown()
