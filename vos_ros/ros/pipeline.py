# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""All that exists while the node is configured, and all that runs while it is active."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from pathlib import Path

from rclpy.executors import Executor

from vos_ros.identity import Pair
from vos_ros.ros.awaiting import result_of
from vos_ros.ros.camera import Camera
from vos_ros.ros.camera_info import CameraInfoRelay
from vos_ros.ros.follower import Followed, Follower
from vos_ros.ros.frame_buffer import FrameBuffer
from vos_ros.ros.frame_choice import frame_of, newest_frame
from vos_ros.ros.frame_failures import FrameFailures
from vos_ros.ros.frames import CameraFrame
from vos_ros.ros.jobs import Jobs
from vos_ros.ros.parameters import Settings
from vos_ros.ros.requests import InitOrder
from vos_ros.ros.results import Results
from vos_ros.ros.size_choice import SizeChooser, SizeView, size_change
from vos_ros.ros.statistics import Counter, Statistics
from vos_ros.ros.surviving import SurvivingNode
from vos_ros.ros.target_files import TargetFiles
from vos_ros.ros.trace import Trace
from vos_ros.ros.trace_file import TraceFile
from vos_ros.ros.troubles import Troubles
from vos_ros.ros.worker import WorkerBusyError, WorkerStoppedError
from vos_ros.segmenter import VideoSegmenter
from vos_ros.target_file import TaughtObjects
from vos_ros.weights import ModelCard


class Pipeline:
    """Camera messages in, results out: built whole or not at all, taken down in reverse.

    All methods belong to the node's executor; what they start runs on the worker's thread.

    Attributes:
        camera: where the images come from.
        files: of taught objects.

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
        self._logger = node.get_logger()
        self._counter = Counter()
        trace = Trace()
        failures = FrameFailures(node, self._counter, troubles)
        self._reset_due = False
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
            reject=failures.rejected,
            jumped=self._go_back_in_time,
            deliver=self._deliver,
            report=lambda: self._logger.debug(str(self.statistics)),
        )
        with ExitStack() as undo:
            self._camera_info = CameraInfoRelay(node, self.camera.topic, troubles)
            undo.callback(self._camera_info.destroy)
            self._results = Results(
                node,
                lambda: settings().overlay_alpha,
                self._camera_info,
                counter=self._counter,
                trace=trace,
                troubles=troubles,
                runtime_trouble=lambda: segmenter.runtime_trouble,
                failed=failures.failed,
            )
            undo.callback(self._results.close)
            self.files = TargetFiles(now.targets_directory, card)
            undo.callback(self.files.close)
            self._trace_file = TraceFile(
                now.trace_directory, node.get_fully_qualified_name(), trace
            )
            undo.callback(self._trace_file.close)
            self._follower = Follower(
                segmenter,
                self._buffer,
                catch_up_limit=lambda: settings().catch_up_limit,
                counter=self._counter,
                publish=self._results.publish,
                correct=self._results.correct,
                confidence_wanted=lambda: self._results.confidence_wanted,
                adapt=self._adapt,
            )
            self._jobs = Jobs(node.context, trace, self._follower.step, failures.failed)
            self._undo = undo.pop_all()

    @property
    def active(self) -> bool:
        """Whether camera images are taken in."""
        return self._jobs.running

    @property
    def ids(self) -> tuple[int, ...]:
        """The objects followed, ascending."""
        return self._follower.ids

    @property
    def size(self) -> SizeView:
        """What the internal size is, and why."""
        return self._sizes.view()

    @property
    def runtime_trouble(self) -> str:
        """Why PyTorch computes steps that were to be compiled; "" while it does not."""
        return self._follower.runtime_trouble

    @property
    def present(self) -> dict[int, bool]:
        """Whether each object of the last result was in its image."""
        return self._results.present

    @property
    def doubts(self) -> tuple[Pair, ...]:
        """Objects of the last result that may have been taken for one another."""
        return self._results.doubts

    @property
    def strangers(self) -> tuple[int, ...]:
        """Objects of the last result that may be something that nobody follows."""
        return self._results.strangers

    @property
    def exchanges(self) -> int:
        """How often two objects had been taken for one another, and were put right."""
        return self._results.exchanges

    @property
    def statistics(self) -> Statistics:
        """What has been done since the node was configured."""
        return self._counter.statistics(self._jobs.dropped)

    @property
    def counts(self) -> dict[str, int]:
        """The counts of `statistics`, by name; cheap."""
        return {**self._counter.counts(), "dropped": self._jobs.dropped}

    def start(self) -> None:
        """Start the worker and take in camera images."""
        with ExitStack() as undo:
            undo.callback(self._camera_info.close)
            self._camera_info.open()
            undo.callback(self._jobs.stop)
            self._jobs.start()
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
        self._jobs.check_running()
        return self._jobs.submit(
            "init_mask",
            self._follower.follow,
            order,
            frame_of(order, self._buffer, self.camera.topic),
        )

    def remove(self, object_id: int) -> Future[tuple[int, ...]]:
        """Have the worker forget one object; the future has the ids left or a `RequestError`."""
        return self._jobs.submit("remove_object", self._follower.forget, object_id)

    def reset(self) -> Future[tuple[int, ...]]:
        """Have the worker forget all objects; the future has the ids that were followed."""
        return self._jobs.submit("reset", self._follower.reset)

    def segment(self) -> Future[CameraFrame]:
        """Have the worker find the objects in the newest image, which the future has.

        Raises:
            RequestError: there is no image.
            WorkerBusyError: too many requests wait already.
        """
        self._jobs.check_running()
        # Kept in the trace as the step that it is, part by part.
        return self._jobs.submit(
            None, self._follower.segment, newest_frame(self._buffer, self.camera.topic)
        )

    def taught(self) -> Future[TaughtObjects]:
        """Have the worker tell what was learned; the future has that or a `RequestError`."""
        return self._jobs.submit("save_targets", self._follower.taught)

    def recall(self, taught: TaughtObjects, keep_existing: bool) -> Future[dict[int, str]]:
        """Have the worker follow taught objects; the future has the names of all followed."""
        return self._jobs.submit("load_targets", self._follower.recall, taught, keep_existing)

    def write_trace(self) -> Future[tuple[Path, int]]:
        """Write what time was spent on; the future has the file and the number of spans in it."""
        return self._trace_file.write()

    def sync_topics(self) -> None:
        """Have presence topics for just the objects followed now."""
        self._results.sync_topics(self._follower.ids)

    def _deliver(self, frame: CameraFrame) -> None:
        """Hand a good frame of the camera to the worker, if there is anything to be done."""
        if self._reset_due:
            self._reset_all()
        if not self._follower.ids or not self._jobs.running or self._reset_due:
            self._counter.count("idle")
        elif not self._is_due(frame):
            self._counter.count("skipped")
        else:
            self._jobs.offer(frame)

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

    def _adapt(self, seconds: float, objects: int) -> int | None:
        """Choose the internal size by how long a frame took; on the worker's thread."""
        before = self._sizes.view()
        if not self._sizes.took(seconds, objects):
            return None
        now = self._sizes.view()
        self._logger.info(size_change(before, now))
        return now.size
