# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A segmenter without a network: an object is every pixel of the colour it had under its mask."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

import cv2
import numpy as np
import torch

from vos_ros.learned import Learned
from vos_ros.presence import ObjectPresence
from vos_ros.segmenter import Segmentation, SegmentationError
from vos_ros.step_times import StepTimes

LONG = 30.0
"""Seconds to wait for something that must happen; never waited out when all is well."""


class ColourSegmenter:
    """Stands in for `VideoSegmenter`, and tells what was asked of it.

    Attributes:
        seen: the brightness of the top left pixel of every image gone through, which the tests
            use to number their images.
        threads: names of the threads it was called on.
    """

    def __init__(self, max_objects: int = 10) -> None:
        self.max_objects = max_objects
        self.seen: list[int] = []
        self.threads: set[str] = set()
        self.error: Exception | None = None
        self.runtime_trouble = ""
        self.step_times: StepTimes | None = None
        self._colours: dict[int, np.ndarray] = {}
        self._held = threading.Event()
        self._held.set()
        self._entered = threading.Semaphore(0)

    def hold(self) -> None:
        """Make every image from now on wait for `let_go`."""
        self._held.clear()
        while self.entered():
            pass

    def entered(self) -> bool:
        """Whether an image has come in since `hold`, or since the last time this was true."""
        return self._entered.acquire(blocking=False)

    def let_go(self) -> None:
        """Let images through again."""
        self._held.set()

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(sorted(self._colours))

    def start(
        self, image: np.ndarray, mask: np.ndarray, since: Iterable[np.ndarray] = ()
    ) -> Segmentation:
        return self._register(image, mask, since, {})

    def add(
        self, image: np.ndarray, mask: np.ndarray, since: Iterable[np.ndarray] = ()
    ) -> Segmentation:
        return self._register(image, mask, since, self._colours)

    def step(self, image: np.ndarray) -> Segmentation:
        self._enter(image)
        if self.error is not None:
            raise self.error
        now = time.perf_counter()
        self.step_times = StepTimes(now, now + 1e-3, now + 5e-3, now + 7e-3)
        return self._segment(image)

    def remove(self, object_id: int) -> None:
        self.threads.add(threading.current_thread().name)
        if object_id not in self._colours:
            raise SegmentationError(f"object {object_id} is not followed; followed are {self.ids}")
        del self._colours[object_id]

    def reset(self) -> None:
        self._colours = {}

    def learned(self) -> Learned:
        if not self._colours:
            raise SegmentationError("nothing is followed")
        colours = torch.from_numpy(np.stack([self._colours[i] for i in self.ids]))
        return Learned(self.ids, {"colours": colours.unsqueeze(0)}, (32, 32), 32, "fp32")

    def recall(self, learned: Learned, keep_existing: bool = False) -> None:
        colours = learned.tensors["colours"][0].numpy()
        found = dict(zip(learned.ids, colours, strict=True))
        found = {**self._colours, **found} if keep_existing else found
        if len(found) > self.max_objects:
            raise SegmentationError(f"{len(found)} objects; at most {self.max_objects}")
        self._colours = found

    def _register(self, image, mask, since, kept) -> Segmentation:
        self._enter(image)
        if mask.shape != image.shape[:2]:
            raise SegmentationError(
                f"the mask is {mask.shape[1]} x {mask.shape[0]} pixels, but the image is"
                f" {image.shape[1]} x {image.shape[0]}"
            )
        shown = {int(i): image[mask == i].mean(axis=0) for i in np.unique(mask) if i}
        colours = {**kept, **shown}
        if len(colours) > self.max_objects:
            raise SegmentationError(f"{len(colours)} objects; at most {self.max_objects}")
        for image in since:
            self._enter(image)
        self._colours = colours
        return self._segment(image)

    def _enter(self, image: np.ndarray) -> None:
        self.threads.add(threading.current_thread().name)
        self.seen.append(int(image[0, 0, 0]))
        self._entered.release()
        assert self._held.wait(LONG)

    def _segment(self, image: np.ndarray) -> Segmentation:
        labels = np.zeros(image.shape[:2], np.uint8)
        objects = []
        for object_id in self.ids:
            own = np.abs(image.astype(float) - self._colours[object_id]).max(axis=2) < 10
            labels[own] = object_id
            box = cv2.boundingRect(own.astype(np.uint8)) if own.any() else (0, 0, 0, 0)
            objects.append(
                ObjectPresence(object_id, bool(own.any()), float(own.any()), own.mean(), box)
            )
        return Segmentation(labels, tuple(objects))
