# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Takes in the camera's images while the node is active, and watches over their stream."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count

from rclpy.clock import Clock, ClockType
from rclpy.event_handler import QoSMessageLostInfo, SubscriptionEventCallbacks
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image

from vos_ros.ros import qos
from vos_ros.ros.frame_buffer import FrameBuffer
from vos_ros.ros.frames import CameraFrame, ImageMessage, check_frame
from vos_ros.ros.images import ImageError
from vos_ros.ros.parameters import Settings
from vos_ros.ros.qos_events import camera_events
from vos_ros.ros.statistics import Counter
from vos_ros.ros.stream_watch import CameraView, Severity, StreamWatch

WATCH_SECONDS = 1.0
REPORT_SECONDS = 10.0


class Camera:
    """The subscription to the camera: from a message to a frame in the buffer, handed on.

    All methods belong to the node's executor.

    Args:
        node: subscribes.
        settings: tells the values of the parameters at any moment.
        buffer: takes every good frame.
        counter: told about every message.
        reject: told why a message is no image.
        jumped: called when stamps went back; returns, as the end of a sentence, what was done.
        deliver: given every good frame, after the above.
        report: called every ten seconds.
    """

    def __init__(
        self,
        node: Node,
        settings: Callable[[], Settings],
        buffer: FrameBuffer[CameraFrame],
        counter: Counter,
        *,
        reject: Callable[[ImageError], None],
        jumped: Callable[[], str],
        deliver: Callable[[CameraFrame], None],
        report: Callable[[], None],
    ) -> None:
        self._node = node
        self._settings = settings
        self._buffer = buffer
        self._counter = counter
        self._reject = reject
        self._jumped = jumped
        self._deliver = deliver
        self._report = report
        self._kind = CompressedImage if settings().image_transport == "compressed" else Image
        self._serials = count()
        self._open = ExitStack()
        self._ticks = count(1)
        self.topic = node.resolve_topic_name("image" if self._kind is Image else "image/compressed")
        self._watch = self._new_watch()

    def open(self) -> None:
        """Take in images from now on."""
        self._watch = self._new_watch()
        self._ticks = count(1)
        with ExitStack() as undo:
            undo.callback(self._buffer.clear)
            steady = Clock(clock_type=ClockType.STEADY_TIME)
            timer = self._node.create_timer(WATCH_SECONDS, self._tick, clock=steady)
            undo.callback(self._node.destroy_timer, timer)
            reliable = self._settings().image_reliability == "reliable"
            subscription = self._node.create_subscription(
                self._kind,
                "image" if self._kind is Image else "image/compressed",
                self._take,
                qos.camera(reliable),
                event_callbacks=self._events(reliable),
            )
            undo.callback(self._node.destroy_subscription, subscription)
            self._open = undo.pop_all()

    def close(self) -> None:
        """Take in no more images, and forget those held. Safe to call twice."""
        self._open.close()

    def view(self) -> CameraView:
        """What is known of the camera now."""
        return self._watch.view(time.perf_counter(), self._publishers())

    def _take(self, message: ImageMessage) -> None:
        """Take in one message of the camera; quick, for it holds up everything else."""
        now = time.perf_counter()
        self._counter.count("received")
        self._watch.came(now)
        try:
            width, height = check_frame(message)
        except ImageError as error:
            self._reject(error)
            return
        encoding = message.encoding if isinstance(message, Image) else message.format
        self._watch.good(width, height, encoding, now)
        frame = CameraFrame(message, next(self._serials), now)
        later = self._watch.stamped(frame.stamp_ns)
        self._buffer.push(frame.stamp_ns, frame)
        if later is not None:
            self._watch.say_jump(frame.stamp_ns, later, self._jumped(), now)
        self._deliver(frame)

    def _tick(self) -> None:
        counts = self._counter.counts()
        self._watch.check(time.perf_counter(), self._publishers, counts["received"], counts["lost"])
        if next(self._ticks) % round(REPORT_SECONDS / WATCH_SECONDS) == 0:
            self._report()

    def _publishers(self) -> int:
        return self._node.count_publishers(self.topic)

    def _events(self, reliable: bool) -> SubscriptionEventCallbacks:
        events = camera_events(self._node, self.topic, qos.camera(reliable))
        events.message_lost = self._lost
        return events

    def _lost(self, event: QoSMessageLostInfo) -> None:
        # The transport numbers what it sends, so that gaps tell exactly how many are missing.
        self._counter.count("lost", event.total_count_change)

    def _new_watch(self) -> StreamWatch:
        return StreamWatch(
            self.topic,
            self._say,
            lambda: self._settings().camera_timeout,
            time.perf_counter(),
        )

    def _say(self, severity: Severity, text: str) -> None:
        logger = self._node.get_logger()
        if severity is Severity.WARNING:
            logger.warning(text)
        else:
            logger.info(text)
