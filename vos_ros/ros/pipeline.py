# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""All that exists while the node is configured, and all that runs while it is active."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from itertools import count

import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from vos_ros.ros import qos
from vos_ros.ros.follower import Followed, Follower
from vos_ros.ros.frame_buffer import FrameBuffer, FrameGoneError
from vos_ros.ros.frames import CameraFrame, ImageMessage, check_frame
from vos_ros.ros.images import ImageError
from vos_ros.ros.parameters import Settings
from vos_ros.ros.presence_topics import PresenceTopics
from vos_ros.ros.publishers import ResultPublishers
from vos_ros.ros.requests import InitOrder, RequestError, sentence
from vos_ros.ros.statistics import Counter, Statistics
from vos_ros.ros.worker import Worker
from vos_ros.segmenter import Segmentation, VideoSegmenter

REPORT_SECONDS = 10.0
WARN_SECONDS = 5.0


class Pipeline:
    """Camera messages in, results out: built whole or not at all, taken down in reverse.

    All methods belong to the node's executor; what they start runs on the worker's thread.

    Args:
        node: whose topics these are.
        settings: tells the values of the parameters at any moment.
        segmenter: handed over; the worker's thread owns it while the pipeline runs.
    """

    def __init__(
        self, node: LifecycleNode, settings: Callable[[], Settings], segmenter: VideoSegmenter
    ) -> None:
        self._node = node
        self._logger = node.get_logger()
        self._counter = Counter()
        self._serials = count()
        self._size: tuple[int, int] | None = None
        self._topic = ""
        self._dropped_before = 0
        self._worker: Worker[CameraFrame] | None = None
        self._active = ExitStack()
        now = settings()
        self._compressed = now.image_transport == "compressed"
        self._buffer: FrameBuffer[CameraFrame] = FrameBuffer(
            now.buffer_frames, int(now.buffer_megabytes * 1e6)
        )
        with ExitStack() as undo:
            self._results = ResultPublishers(node, lambda: settings().overlay_alpha)
            undo.callback(self._results.close)
            self._topics = PresenceTopics(node)
            undo.callback(self._topics.close)
            self._follower = Follower(
                segmenter,
                self._buffer,
                catch_up_limit=lambda: settings().catch_up_limit,
                counter=self._counter,
                publish=self._publish,
                correct=self._correct,
            )
            self._undo = undo.pop_all()

    @property
    def active(self) -> bool:
        """Whether camera images are taken in."""
        return self._worker is not None

    @property
    def topic(self) -> str:
        """The full name of the camera's topic; "" before the first start."""
        return self._topic

    @property
    def ids(self) -> tuple[int, ...]:
        """The objects followed, ascending."""
        return self._follower.ids

    @property
    def statistics(self) -> Statistics:
        """What has been done since the node was configured."""
        dropped = self._worker.dropped if self._worker else 0
        return self._counter.statistics(self._dropped_before + dropped)

    def start(self) -> None:
        """Start the worker and take in camera images."""
        with ExitStack() as undo:
            undo.callback(self._buffer.clear)
            self._worker = Worker(self._follower.step, self._report_failure)
            undo.callback(self._stop_worker)
            self._worker.start()
            steady = Clock(clock_type=ClockType.STEADY_TIME)
            timer = self._node.create_timer(REPORT_SECONDS, self._report, clock=steady)
            undo.callback(self._node.destroy_timer, timer)
            kind, topic = (
                (CompressedImage, "image/compressed") if self._compressed else (Image, "image")
            )
            subscription = self._node.create_subscription(kind, topic, self._take, qos.camera())
            undo.callback(self._node.destroy_subscription, subscription)
            self._topic = subscription.topic_name
            self._active = undo.pop_all()

    def stop(self) -> None:
        """Take in no more images and let the worker end what it has in hand.

        What is followed stays followed. Safe to call twice, and before `start`.
        """
        if self.active and self._node.context.ok():
            self._logger.info(str(self.statistics))
        self._active.close()

    def close(self) -> None:
        """Stop, and destroy what was built. Safe to call twice."""
        self.stop()
        self._undo.close()

    def init(self, order: InitOrder) -> Future[Followed]:
        """Have the worker follow what is ordered.

        Raises:
            RequestError: there is no frame to do it on.
            WorkerBusyError: too many requests wait already.
        """
        return self._running().submit(partial(self._follower.follow, order, self._frame(order)))

    def remove(self, object_id: int) -> Future[tuple[int, ...]]:
        """Have the worker forget one object; the future has the ids left or a `RequestError`."""
        return self._running().submit(partial(self._follower.forget, object_id))

    def reset(self) -> Future[tuple[int, ...]]:
        """Have the worker forget all objects; the future has the ids that were followed."""
        return self._running().submit(self._follower.reset)

    def sync_topics(self) -> None:
        """Have presence topics for just the objects followed now."""
        self._topics.sync(self._follower.ids)

    def _running(self) -> Worker[CameraFrame]:
        if self._worker is None:
            raise RequestError("The node is configured but not active; activate it first.")
        return self._worker

    def _frame(self, order: InitOrder) -> CameraFrame:
        """The frame the mask of an order belongs to."""
        if order.image is not None:
            return CameraFrame(order.image)
        if self._buffer.held is None:
            raise RequestError(
                f"No image has come on {self._topic} yet; wait until one has, or send the image"
                " together with the mask."
            )
        try:
            return self._buffer.at(order.stamp_ns) if order.stamp_ns else self._buffer.newest()
        except FrameGoneError as error:
            raise RequestError(f"{error} Or send the image together with the mask.") from error

    def _take(self, message: ImageMessage) -> None:
        """Take in one message of the camera; quick, for it holds up everything else."""
        self._counter.count("received")
        try:
            size = check_frame(message)
        except ImageError as error:
            self._reject(error)
            return
        self._note_size(size)
        frame = CameraFrame(message, next(self._serials))
        if self._buffer.push(frame.stamp_ns, frame):
            self._logger.warning(
                "The camera's stamps went back in time; earlier frames are forgotten.",
                throttle_duration_sec=WARN_SECONDS,
            )
        if self._follower.ids and self._worker is not None:
            self._worker.offer(frame)
        else:
            self._counter.count("idle")

    def _note_size(self, size: tuple[int, int]) -> None:
        if self._size not in (None, size):
            self._logger.warning(
                f"The camera's images were {self._size[0]} x {self._size[1]} pixels and now are"
                f" {size[0]} x {size[1]}; going on with the new size.",
                throttle_duration_sec=WARN_SECONDS,
            )
        self._size = size

    def _reject(self, error: ImageError) -> None:
        self._counter.count("rejected")
        self._logger.warning(
            f"A camera image was skipped. {error}", throttle_duration_sec=WARN_SECONDS
        )

    def _publish(
        self,
        frame: CameraFrame,
        image: np.ndarray,
        result: Segmentation,
        names: dict[int, str],
        step_seconds: float,
    ) -> None:
        """Send a result out; on the worker's thread.

        Never raises: an object is followed even if its mask could not be sent.
        """
        try:
            self._results.publish(frame.header, result, names)
            self._topics.update({item.id: bool(item.present) for item in result.objects})
            now = self._node.get_clock().now().nanoseconds
            self._counter.processed((now - frame.stamp_ns) / 1e9, step_seconds)
            self._results.publish_overlay(frame, image, result, names)
        except Exception as error:
            self._report_failure(error)

    def _correct(self, header: Header, result: Segmentation, names: dict[int, str]) -> None:
        """Send out what is left of the last result; on the worker's thread. Never raises."""
        try:
            self._results.publish(header, result, names)
        except Exception as error:
            self._report_failure(error)

    def _report_failure(self, error: Exception) -> None:
        """Say why a frame has no mask; on the worker's thread."""
        if isinstance(error, ImageError):
            self._reject(error)
            return
        if not self._node.context.ok():
            return  # a signal came while the frame was in hand: nobody can be told of it any more
        self._counter.count("failed")
        self._logger.error(
            f"A frame failed. {sentence(error)}\n"
            + "".join(traceback.format_exception(type(error), error, error.__traceback__)),
            throttle_duration_sec=WARN_SECONDS,
        )

    def _report(self) -> None:
        statistics = self.statistics
        self._logger.debug(str(statistics))
        if not statistics.received:
            publishers = self._node.count_publishers(self._topic)
            self._logger.warning(
                f"No image has come on {self._topic} so far, which has {publishers} publishers."
                + (_TRANSPORT_HINT if publishers else " Is `image` remapped to the camera?"),
                once=True,
            )

    def _stop_worker(self) -> None:
        if self._worker is not None:
            self._worker.stop()
            self._dropped_before += self._worker.dropped
            self._worker = None


_TRANSPORT_HINT = (
    " If they do publish, images may be lost in the transport: start the camera and this node"
    " with FASTRTPS_DEFAULT_PROFILES_FILE naming config/fastdds.xml of this package."
)
