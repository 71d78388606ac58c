# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a segmentation to the topics, the figures and the log."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack

import numpy as np
from std_msgs.msg import Header

from vos_ros.identity import Pair
from vos_ros.ros.camera_info import CameraInfoRelay
from vos_ros.ros.frames import CameraFrame
from vos_ros.ros.health import not_compiled
from vos_ros.ros.presence_topics import PresenceTopics
from vos_ros.ros.publishers import ResultPublishers
from vos_ros.ros.requests import words
from vos_ros.ros.statistics import Counter, FrameTimes
from vos_ros.ros.surviving import SurvivingNode
from vos_ros.ros.trace import Trace, Track
from vos_ros.ros.troubles import Troubles
from vos_ros.segmenter import Segmentation
from vos_ros.step_times import PARTS


class Results:
    """All that is done with a result: it is published, timed, and spoken of where there is need.

    Built whole or not at all. `publish` and `correct` belong to the worker's thread, `sync_topics`
    and `close` to the node's executor; the rest may come from any.

    Attributes:
        doubts: objects of the last result that may have been taken for one another.
        exchanges: how often two of them had been, and were put right.
        strangers: objects of the last result that may be something that nobody follows.

    Args:
        node: whose topics these are.
        overlay_alpha: tells the weight of the overlay's colours, 0 to 1.
        camera_info: sends the calibration beside each mask.
        counter: told about every frame that was published, and its times.
        trace: told what the time was spent on.
        troubles: told of which objects the network says nothing.
        runtime_trouble: tells why PyTorch computes steps that were to be compiled; "" for none.
        failed: told what was raised in publishing.
    """

    def __init__(
        self,
        node: SurvivingNode,
        overlay_alpha: Callable[[], float],
        camera_info: CameraInfoRelay,
        *,
        counter: Counter,
        trace: Trace,
        troubles: Troubles,
        runtime_trouble: Callable[[], str],
        failed: Callable[[Exception], None],
    ) -> None:
        self._node = node
        self._camera_info = camera_info
        self._counter = counter
        self._trace = trace
        self._troubles = troubles
        self._runtime_trouble = runtime_trouble
        self._told_runtime = ""
        self._failed = failed
        self._logger = node.get_logger()
        self._unsound: frozenset[int] = frozenset()
        self.doubts: tuple[Pair, ...] = ()
        self.exchanges = 0
        self.strangers: tuple[int, ...] = ()
        with ExitStack() as undo:
            self._publishers = ResultPublishers(node, overlay_alpha)
            undo.callback(self._publishers.close)
            self._topics = PresenceTopics(node)
            undo.callback(self._topics.close)
            self._undo = undo.pop_all()

    @property
    def confidence_wanted(self) -> bool:
        """Whether anybody subscribes to the confidence."""
        return self._publishers.confidence_wanted

    @property
    def present(self) -> dict[int, bool]:
        """Whether each object of the last result was in its image."""
        return self._topics.present

    def sync_topics(self, ids: Iterable[int]) -> None:
        """Have presence topics for just these objects."""
        self._topics.sync(ids)

    def close(self) -> None:
        """Destroy the topics. Safe to call twice."""
        self._undo.close()

    def publish(
        self,
        frame: CameraFrame,
        image: np.ndarray,
        result: Segmentation,
        names: dict[int, str],
        times: FrameTimes,
    ) -> None:
        """Send a result out. Never raises: an object is followed even if its mask was not sent."""
        try:
            began = time.perf_counter()
            self._send(frame.header, result, names)
            self._report_unsound(result)
            self._report_identity(result)
            self._report_runtime()
            self._topics.update({item.id: bool(item.present) for item in result.objects})
            times = self._complete(times, frame, began)
            self._counter.processed(times)
            self._note(times, frame.stamp_ns, began)
            drawing = time.perf_counter()
            if self._publishers.publish_overlay(frame, image, result, names):
                took = time.perf_counter() - drawing
                self._trace.note(Track.WORKER, "overlay", drawing, took, frame.stamp_ns)
        except Exception as error:
            self._failed(error)

    def correct(self, header: Header, result: Segmentation, names: dict[int, str]) -> None:
        """Send out what is left of the last result. Never raises."""
        try:
            self._send(header, result, names)
        except Exception as error:
            self._failed(error)

    def _send(self, header: Header, result: Segmentation, names: dict[int, str]) -> None:
        self._publishers.publish(header, result, names)
        height, width = result.labels.shape
        self._camera_info.publish(header, width, height)

    def _report_unsound(self, result: Segmentation) -> None:
        """Say, once for each time that it happens, of which objects the network says nothing."""
        unsound = frozenset(item.id for item in result.objects if not item.sound)
        new, self._unsound = unsound - self._unsound, unsound
        if not new:
            return
        text = (
            f"What the network says of object {words(sorted(new))} is no number. It counts as"
            " absent, and what was learned of it stays as it was; the others are followed on. If it"
            " goes on, take another precision or show the object again."
        )
        self._troubles.note(text, serious=True)
        self._logger.warning(text)

    def _report_identity(self, result: Segmentation) -> None:
        """Say, once for each time that it happens, which objects may be or were the other."""
        for one, other in result.exchanged:
            self.exchanges += 1
            self._logger.warning(
                f"Objects {one} and {other} had been taken for one another, by what they look"
                " like, and have their own ids again from this image on."
            )
        for one, other in set(result.doubts).difference(self.doubts):
            self._logger.warning(
                f"Objects {one} and {other} met or were out of sight, and by what they look like"
                " nobody can tell which is which now: they may have been swapped. A new mask with"
                " keep_existing makes sure."
            )
        self.doubts = result.doubts
        strangers = tuple(entry.id for entry in result.objects if entry.stranger)
        new = sorted(set(strangers).difference(self.strangers))
        if new:
            self._logger.warning(
                f"What is taken for object {words(new)} came back, leapt or changed, and does not"
                " look like it: it may be something else. A new mask with keep_existing makes sure."
            )
        self.strangers = strangers

    def _report_runtime(self) -> None:
        """Say, once for each reason, that steps are not compiled as they were to be."""
        trouble = self._runtime_trouble()
        if trouble and trouble != self._told_runtime:
            self._logger.warning(not_compiled(trouble))
        self._told_runtime = trouble

    def _complete(self, times: FrameTimes, frame: CameraFrame, began: float) -> FrameTimes:
        """Add to a frame's times what is known once its mask was sent, which began at `began`."""
        now = time.perf_counter()
        latency = math.nan
        if frame.stamp_ns:
            latency = (self._node.get_clock().now().nanoseconds - frame.stamp_ns) / 1e9
        return dataclasses.replace(
            times,
            latency=latency,
            transport=latency - (now - frame.arrived),
            publish=now - began,
        )

    def _note(self, times: FrameTimes, stamp_ns: int, published: float) -> None:
        """Keep in the trace what the time of a frame was spent on."""
        waited = times.began - times.wait
        self._trace.note(Track.MAILBOX, "wait", waited, times.wait, stamp_ns)
        parts = [(name, getattr(times, name)) for name in ("convert", *PARTS)]
        self._trace.note_row(times.began, parts, stamp_ns)
        self._trace.note(Track.WORKER, "publish", published, times.publish, stamp_ns)
