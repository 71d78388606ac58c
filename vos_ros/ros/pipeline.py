# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""All that exists while the node is configured, and all that runs while it is active."""

from __future__ import annotations

import dataclasses
import math
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rclpy.executors import Executor
from std_msgs.msg import Header

from vos_ros.identity import Pair
from vos_ros.ros.awaiting import result_of
from vos_ros.ros.camera import Camera
from vos_ros.ros.follower import Followed, Follower
from vos_ros.ros.frame_buffer import FrameBuffer, FrameGoneError
from vos_ros.ros.frames import CameraFrame
from vos_ros.ros.images import ImageError
from vos_ros.ros.parameters import Settings
from vos_ros.ros.presence_topics import PresenceTopics
from vos_ros.ros.publishers import ResultPublishers
from vos_ros.ros.requests import InitOrder, RequestError, sentence, words
from vos_ros.ros.size_choice import SizeChooser, SizeView
from vos_ros.ros.statistics import Counter, FrameTimes, Statistics
from vos_ros.ros.surviving import SurvivingNode
from vos_ros.ros.target_files import TargetFiles
from vos_ros.ros.trace import Trace, Track
from vos_ros.ros.trace_file import TraceFile
from vos_ros.ros.troubles import Troubles
from vos_ros.ros.worker import Worker, WorkerBusyError, WorkerStoppedError
from vos_ros.segmenter import Segmentation, VideoSegmenter
from vos_ros.step_times import PARTS
from vos_ros.target_file import TaughtObjects
from vos_ros.weights import ModelCard

WARN_SECONDS = 5.0
EXIT_SECONDS = 1.0
"""How long the step in hand may still take when the process is to end."""


class Pipeline:
    """Camera messages in, results out: built whole or not at all, taken down in reverse.

    All methods belong to the node's executor; what they start runs on the worker's thread.

    Attributes:
        camera: where the images come from.
        files: of taught objects.
        doubts: objects of the last result that may have been taken for one another.
        exchanges: how often two of them had been, and were put right.

    Args:
        node: whose topics these are.
        settings: tells the values of the parameters at any moment.
        segmenter: handed over; the worker's thread owns it while the pipeline runs.
        card: of the weights that it has.
        troubles: told what goes wrong.
    """

    def __init__(
        self,
        node: SurvivingNode,
        settings: Callable[[], Settings],
        segmenter: VideoSegmenter,
        card: ModelCard,
        troubles: Troubles,
    ) -> None:
        self._node = node
        self._settings = settings
        self._troubles = troubles
        self._logger = node.get_logger()
        self._counter = Counter()
        self._trace = Trace()
        self._dropped_before = 0
        self._reset_due = False
        self._unsound: frozenset[int] = frozenset()
        self.doubts: tuple[Pair, ...] = ()
        self.exchanges = 0
        self._worker: Worker[CameraFrame] | None = None
        self._active = ExitStack()
        now = settings()
        self._sizes = SizeChooser(
            min(now.smallest_internal_size, now.internal_size),
            now.internal_size,
            lambda: settings().deadline_ms / 1e3,
            time.perf_counter,
        )
        self._buffer: FrameBuffer[CameraFrame] = FrameBuffer(
            now.buffer_frames, int(now.buffer_megabytes * 1e6)
        )
        self.camera = Camera(
            node,
            settings,
            self._buffer,
            self._counter,
            reject=self._reject,
            jumped=self._go_back_in_time,
            deliver=self._deliver,
            report=lambda: self._logger.debug(str(self.statistics)),
        )
        with ExitStack() as undo:
            self._results = ResultPublishers(node, lambda: settings().overlay_alpha)
            undo.callback(self._results.close)
            self._topics = PresenceTopics(node)
            undo.callback(self._topics.close)
            self.files = TargetFiles(now.targets_directory, card)
            undo.callback(self.files.close)
            self._trace_file = TraceFile(
                now.trace_directory, node.get_fully_qualified_name(), self._trace
            )
            undo.callback(self._trace_file.close)
            self._follower = Follower(
                segmenter,
                self._buffer,
                catch_up_limit=lambda: settings().catch_up_limit,
                counter=self._counter,
                publish=self._publish,
                correct=self._correct,
                confidence_wanted=lambda: self._results.confidence_wanted,
                adapt=self._adapt,
            )
            self._undo = undo.pop_all()

    @property
    def active(self) -> bool:
        """Whether camera images are taken in."""
        return self._worker is not None

    @property
    def ids(self) -> tuple[int, ...]:
        """The objects followed, ascending."""
        return self._follower.ids

    @property
    def size(self) -> SizeView:
        """What the internal size is, and why."""
        return self._sizes.view()

    @property
    def present(self) -> dict[int, bool]:
        """Whether each object of the last result was in its image."""
        return self._topics.present

    @property
    def statistics(self) -> Statistics:
        """What has been done since the node was configured."""
        dropped = self._worker.dropped if self._worker else 0
        return self._counter.statistics(self._dropped_before + dropped)

    @property
    def counts(self) -> dict[str, int]:
        """The counts of `statistics`, by name; cheap."""
        dropped = self._worker.dropped if self._worker else 0
        return {**self._counter.counts(), "dropped": self._dropped_before + dropped}

    def start(self) -> None:
        """Start the worker and take in camera images."""
        with ExitStack() as undo:
            self._worker = Worker(self._follower.step, self._report_failure)
            undo.callback(self._stop_worker)
            self._worker.start()
            undo.callback(self.camera.close)
            self.camera.open()
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
        worker, frame = self._running(), self._frame(order)
        return worker.submit(self._traced("init_mask", self._follower.follow, order, frame))

    def remove(self, object_id: int) -> Future[tuple[int, ...]]:
        """Have the worker forget one object; the future has the ids left or a `RequestError`."""
        return self._submit("remove_object", self._follower.forget, object_id)

    def reset(self) -> Future[tuple[int, ...]]:
        """Have the worker forget all objects; the future has the ids that were followed."""
        return self._submit("reset", self._follower.reset)

    def segment(self) -> Future[CameraFrame]:
        """Have the worker find the objects in the newest image, which the future has.

        Raises:
            RequestError: there is no image.
            WorkerBusyError: too many requests wait already.
        """
        worker = self._running()
        return worker.submit(partial(self._follower.segment, self._newest()))

    def taught(self) -> Future[TaughtObjects]:
        """Have the worker tell what was learned; the future has that or a `RequestError`."""
        return self._submit("save_targets", self._follower.taught)

    def recall(self, taught: TaughtObjects, keep_existing: bool) -> Future[dict[int, str]]:
        """Have the worker follow taught objects; the future has the names of all followed."""
        return self._submit("load_targets", self._follower.recall, taught, keep_existing)

    def write_trace(self) -> Future[tuple[Path, int]]:
        """Write what time was spent on; the future has the file and the number of spans in it."""
        return self._trace_file.write()

    def sync_topics(self) -> None:
        """Have presence topics for just the objects followed now."""
        self._topics.sync(self._follower.ids)

    def _submit(self, name: str, job: Callable[..., Any], *given: Any) -> Future[Any]:
        return self._running().submit(self._traced(name, job, *given))

    def _traced(self, name: str, job: Callable[..., Any], *given: Any) -> Callable[[], Any]:
        """The job, to be kept in the trace under a name."""

        def run() -> Any:
            began = time.perf_counter()
            try:
                return job(*given)
            finally:
                self._trace.note(Track.WORKER, name, began, time.perf_counter() - began)

        return run

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
                f"No image has come on {self.camera.topic} yet; wait until one has, or send the"
                " image together with the mask."
            )
        try:
            return self._buffer.at(order.stamp_ns) if order.stamp_ns else self._buffer.newest()
        except FrameGoneError as error:
            raise RequestError(f"{error} Or send the image together with the mask.") from error

    def _newest(self) -> CameraFrame:
        if self._buffer.held is None:
            raise RequestError(f"No image has come on {self.camera.topic} yet; wait until one has.")
        return self._buffer.newest()

    def _deliver(self, frame: CameraFrame) -> None:
        """Hand a good frame of the camera to the worker, if there is anything to be done."""
        if self._reset_due:
            self._reset_all()
        if not self._follower.ids or self._worker is None or self._reset_due:
            self._counter.count("idle")
        elif not self._is_due(frame):
            self._counter.count("skipped")
        else:
            self._worker.offer(frame)

    def _is_due(self, frame: CameraFrame) -> bool:
        """Whether it is one of every so many frames."""
        every = self._settings().every
        return every > 0 and frame.serial % every == 0

    def _go_back_in_time(self) -> str:
        """Do what is to be done when stamps went back, and say what."""
        if not self._follower.ids:
            return "earlier frames are forgotten."
        if self._settings().on_time_jump == "keep":
            return "earlier frames are forgotten, the objects are followed on (on_time_jump: keep)."
        self._reset_all()
        return "earlier frames and all objects are forgotten (on_time_jump: reset)."

    def _reset_all(self) -> None:
        try:
            forgotten = self.reset()
        except WorkerBusyError:
            # Tried again with the next frame; none is looked at before it is done.
            self._reset_due = True
            return
        self._reset_due = False
        self._node.run_later(self._sync_topics_after, forgotten, self._node.executor)

    async def _sync_topics_after(self, done: Future[object], executor: Executor) -> None:
        with suppress(WorkerStoppedError):
            await result_of(done, executor)
            self.sync_topics()

    def _reject(self, error: ImageError) -> None:
        self._counter.count("rejected")
        text = f"A camera image was skipped. {error}"
        self._troubles.note(text, serious=False)
        self._logger.warning(text, throttle_duration_sec=WARN_SECONDS)

    def _publish(
        self,
        frame: CameraFrame,
        image: np.ndarray,
        result: Segmentation,
        names: dict[int, str],
        times: FrameTimes,
    ) -> None:
        """Send a result out; on the worker's thread.

        Never raises: an object is followed even if its mask could not be sent.
        """
        try:
            began = time.perf_counter()
            self._results.publish(frame.header, result, names)
            self._report_unsound(result)
            self._report_identity(result)
            self._topics.update({item.id: bool(item.present) for item in result.objects})
            times = self._complete(times, frame, began)
            self._counter.processed(times)
            self._note(times, frame.stamp_ns, began)
            drawing = time.perf_counter()
            if self._results.publish_overlay(frame, image, result, names):
                took = time.perf_counter() - drawing
                self._trace.note(Track.WORKER, "overlay", drawing, took, frame.stamp_ns)
        except Exception as error:
            self._report_failure(error)

    def _adapt(self, seconds: float, objects: int) -> int | None:
        """Choose the internal size by how long a frame took; on the worker's thread."""
        before = self._sizes.view()
        if not self._sizes.took(seconds, objects):
            return None
        now = self._sizes.view()
        text = f"The internal size is now {now.size} pixels instead of {before.size}"
        if before.median is not None and now.deadline:
            text += f", at which images took {1e3 * before.median:.1f} ms"
        if now.deadline:
            text += f"; the deadline is {1e3 * now.deadline:.1f} ms"
        self._logger.info(f"{text}.")
        return now.size

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
                f"Objects {one} and {other} met or were out of sight, and look too much alike to"
                " tell which is which now: they may have been swapped. A new mask with"
                " keep_existing makes sure."
            )
        self.doubts = result.doubts

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
        text = f"A frame failed. {sentence(error)}"
        self._troubles.note(text, serious=True)
        self._logger.error(
            f"{text}\n"
            + "".join(traceback.format_exception(type(error), error, error.__traceback__)),
            throttle_duration_sec=WARN_SECONDS,
        )

    def _stop_worker(self) -> None:
        """Wait for the work in hand, however long; but not for long when the process is to end."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        ends_at = math.inf
        while not worker.stop(EXIT_SECONDS / 10) and time.monotonic() < ends_at:
            if ends_at == math.inf and not self._node.context.ok():
                ends_at = time.monotonic() + EXIT_SECONDS
        self._dropped_before += worker.dropped
