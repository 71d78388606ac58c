# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What happens on the worker's thread: orders and frames in, segmentations out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from std_msgs.msg import Header

from vos_ros.ros.album import Album
from vos_ros.ros.catch_up import catch_up
from vos_ros.ros.frame_buffer import FrameBuffer
from vos_ros.ros.frames import CameraFrame, to_rgb
from vos_ros.ros.images import ImageError
from vos_ros.ros.last_sent import LastSent
from vos_ros.ros.requests import InitOrder, RequestError, sentence
from vos_ros.ros.statistics import Counter, FrameTimes
from vos_ros.segmenter import Segmentation, SegmentationError, VideoSegmenter
from vos_ros.target_file import TaughtObjects
from vos_ros.thumbnails import thumbnails_of


class Publish(Protocol):
    """Takes a result to whoever wants it."""

    def __call__(
        self,
        frame: CameraFrame,
        image: np.ndarray,
        result: Segmentation,
        names: dict[int, str],
        times: FrameTimes,
    ) -> None:
        """Publish the segmentation of a camera frame, whose RGB image is `image`.

        `times` has how long the frame waited and how long the work on it took.
        """


Adapt = Callable[[float, int], "int | None"]
"""Takes the seconds that a frame took, and how many objects were followed in it; returns the size
that the network is to see from then on, when that is another."""

Correct = Callable[[Header, Segmentation, dict[int, str]], None]
"""Takes what is left of a result, and the header of its frame, to whoever got the whole."""


@dataclass(frozen=True)
class Followed:
    """The answer to an order that was met.

    Attributes:
        ids: all objects now followed, ascending.
        stamp_ns: stamp of the frame they were registered on, in nanoseconds.
        steps: later frames gone through before answering.
    """

    ids: tuple[int, ...]
    stamp_ns: int
    steps: int


class Follower:
    """The segmenter with what people know its objects by and the frames it may go back to.

    Every method belongs to the worker's thread, but the properties.

    Args:
        segmenter: owned from now on.
        buffer: the camera's recent frames.
        catch_up_limit: tells the most frames to go through before answering an order.
        counter: told about every frame.
        publish: given every result that belongs to a camera frame.
        correct: given what is left of the last such result when objects have been forgotten.
        confidence_wanted: tells whether results are to say how sure each label is.
        adapt: told about every step.
        clock: seconds, steady; what frames' times of arrival were read from.
    """

    def __init__(
        self,
        segmenter: VideoSegmenter,
        buffer: FrameBuffer[CameraFrame],
        *,
        catch_up_limit: Callable[[], int],
        counter: Counter,
        publish: Publish,
        correct: Correct,
        confidence_wanted: Callable[[], bool] = lambda: False,
        adapt: Adapt = lambda seconds, objects: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._segmenter = segmenter
        self._buffer = buffer
        self._catch_up_limit = catch_up_limit
        self._counter = counter
        self._publish_frame = publish
        self._correct = correct
        self._confidence_wanted = confidence_wanted
        self._adapt = adapt
        self._clock = clock
        self._album = Album()
        self._ids: tuple[int, ...] = ()
        self._last_serial = -1
        # The frame that the segmenter's labels of all objects belong to; -1 for none.
        self._whole_serial = -1
        self._sent = LastSent()

    @property
    def ids(self) -> tuple[int, ...]:
        """The objects followed, ascending. May be read from any thread."""
        return self._ids

    @property
    def runtime_trouble(self) -> str:
        """Why PyTorch computes steps that were to be compiled. May be read from any thread."""
        return self._segmenter.runtime_trouble

    def follow(self, order: InitOrder, frame: CameraFrame) -> Followed:
        """Register the order's objects on a frame and carry them through the frames since.

        Raises:
            RequestError: the image cannot be read, mask and image do not fit, or there are too
                many objects. What was followed before still is.
        """
        keep = order.keep_existing and bool(self._ids)
        register = self._segmenter.add if keep else self._segmenter.start
        self._segmenter.with_confidence = self._confidence_wanted()
        try:
            shown = to_rgb(frame.message)
            trail = _Trail(frame, shown)
            began = self._clock()
            result = register(trail.image, order.labels, since=self._frames_since(frame, trail))
            took = self._clock() - began
        except (ImageError, SegmentationError) as error:
            raise RequestError(sentence(error)) from error
        self._album.note(order.names, thumbnails_of(shown, order.labels, order.names), keep)
        self._ids = tuple(self._segmenter.ids)
        self._sent.forget(set(order.names) if keep else set(self._sent.ids))
        serial = trail.frame.serial
        # The others were not carried through: their labels are true only of the frame they had.
        if set(self._ids) - order.names.keys() and serial != self._whole_serial:
            self._whole_serial = -1
        else:
            self._whole_serial = serial
        if self._whole_serial >= max(0, self._last_serial):
            times = FrameTimes(step=took / (1 + trail.steps))
            self._publish(trail.frame, trail.image, result, times)
        self._last_serial = max(self._last_serial, serial)
        return Followed(self._ids, frame.stamp_ns, trail.steps)

    def taught(self) -> TaughtObjects:
        """What was learned of the objects, and what people know them by.

        Raises:
            RequestError: nothing is followed.
        """
        try:
            learned = self._segmenter.learned()
        except SegmentationError as error:
            raise RequestError(sentence(error)) from error
        names = {object_id: name for object_id, name in self._album.names.items() if name}
        return TaughtObjects(learned, names, self._album.thumbnails)

    def recall(self, taught: TaughtObjects, keep_existing: bool) -> dict[int, str]:
        """Follow objects that were taught before; they are searched for in the next frame.

        Returns:
            The names of all objects now followed, by ascending id.

        Raises:
            RequestError: they do not go with this network, or are too many. What was followed
                before still is.
        """
        keep = keep_existing and bool(self._ids)
        try:
            self._segmenter.recall(taught.learned, keep_existing=keep)
        except SegmentationError as error:
            raise RequestError(sentence(error)) from error
        names = {object_id: taught.names.get(object_id, "") for object_id in taught.learned.ids}
        self._album.note(names, taught.thumbnails, keep)
        self._ids = tuple(self._segmenter.ids)
        self._sent.forget(set(names) if keep else set(self._sent.ids))
        self._whole_serial = -1  # there are no labels of these objects yet
        names = self._album.names
        return {object_id: names.get(object_id, "") for object_id in self._ids}

    def forget(self, object_id: int) -> tuple[int, ...]:
        """Stop following one object and return the ids of the others.

        Raises:
            RequestError: it is not followed.
        """
        try:
            self._segmenter.remove(object_id)
        except SegmentationError as error:
            raise RequestError(sentence(error)) from error
        self._album.forget(object_id)
        self._ids = tuple(self._segmenter.ids)
        self._tell_forgotten({object_id})
        return self._ids

    def reset(self) -> tuple[int, ...]:
        """Stop following everything and return the ids of what was followed."""
        forgotten = self._ids
        self._segmenter.reset()
        self._album.clear()
        self._ids = ()
        self._whole_serial = -1
        if forgotten:
            self._tell_forgotten(set(self._sent.ids))
        return forgotten

    def step(self, frame: CameraFrame) -> bool:
        """Find the objects in a camera frame, publish them, and return true.

        A frame that was gone through already, or that comes when nothing is followed any more,
        is passed over: false.

        Raises:
            ImageError: the image cannot be read; nothing has changed.
        """
        if not self._ids or frame.serial <= self._last_serial:
            return False
        began = self._clock()
        image = to_rgb(frame.message)
        converted = self._clock()
        self._segmenter.with_confidence = self._confidence_wanted()
        result = self._segmenter.step(image)
        stepped = self._clock()
        self._last_serial = self._whole_serial = frame.serial
        parts = self._segmenter.step_times
        assert parts is not None  # of the step just taken
        times = FrameTimes(
            wait=began - frame.arrived,
            convert=converted - began,
            step=stepped - converted,
            upload=parts.upload,
            network=parts.network,
            download=parts.download,
            began=began,
        )
        self._publish(frame, image, result, times)
        size = self._adapt(stepped - began, len(self._ids))
        if size is not None:
            self._segmenter.size = size
        return True

    def segment(self, frame: CameraFrame) -> CameraFrame:
        """Find the objects in a camera frame because somebody asked for it; return the frame.

        Raises:
            RequestError: nothing is followed, the frame was gone through already, or it failed.
        """
        if not self._ids:
            raise RequestError("Nothing is followed; call ~/init_mask first.")
        try:
            if self.step(frame):
                return frame
        except (ImageError, SegmentationError) as error:
            raise RequestError(sentence(error)) from error
        raise RequestError(
            "The newest image has its mask already; call again when another has come."
        )

    def _publish(
        self, frame: CameraFrame, image: np.ndarray, result: Segmentation, times: FrameTimes
    ) -> None:
        self._sent.note(frame.header, result)
        self._publish_frame(frame, image, result, self._album.names, times)

    def _tell_forgotten(self, ids: set[int]) -> None:
        """Send the last result once more, without objects that were forgotten."""
        self._sent.forget(ids)
        # An object that was not on it yet would be missing: the next frame's result tells then.
        last = self._sent.content
        if last is not None and set(self._sent.ids) == set(self._ids):
            self._correct(*last, self._album.names)

    def _frames_since(self, frame: CameraFrame, trail: _Trail) -> Iterator[np.ndarray]:
        """Yield the images of the frames since one; the trail remembers which came last."""
        held = self._buffer.held
        if held is None or frame.stamp_ns < held.oldest:
            # The image is not of the stream's recent past, so there is nothing between it and
            # now: the next frame is as good as any to go on with.
            return
        for later in catch_up(
            self._buffer.since, lambda item: item.stamp_ns, frame.stamp_ns, self._catch_up_limit()
        ):
            try:
                image = to_rgb(later.message)
            except ImageError:
                self._counter.count("rejected")
                continue
            self._counter.count("caught_up")
            trail.go_on(later, image)
            yield image


class _Trail:
    """The last frame that was handed to the segmenter, and how many came before it."""

    def __init__(self, frame: CameraFrame, image: np.ndarray) -> None:
        self.frame = frame
        self.image = image
        self.steps = 0

    def go_on(self, frame: CameraFrame, image: np.ndarray) -> None:
        """Take the next frame."""
        self.frame, self.image = frame, image
        self.steps += 1
