# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A small DAVIS data set of moving squares, and fake segmenters whose scores on it are known.

The object is a square that moves four pixels a frame. The fakes have the API of `VideoSegmenter`
and answer with a square that lags behind by a known distance. They can be sent to worker processes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from vos_ros.data.davis import DavisDataset
from vos_ros.evaluation.davis2016 import Davis2016
from vos_ros.evaluation.runner import SequenceTask
from vos_ros.evaluation.sources import SegmenterSource

HEIGHT, WIDTH, SIDE, STEP = 48, 160, 16, 4
LENGTHS = {"cat": 6, "ant": 9, "bee": 3}


def square(index: int, lag: int = 0) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    left = 4 + STEP * index - lag
    mask[10 : 10 + SIDE, left : left + SIDE] = 1
    return mask


def iou_at(lag: int) -> float:
    """Of two squares that are `lag` pixels apart."""
    return (SIDE - lag) / (SIDE + lag)


def write_squares(root: Path) -> Path:
    """A data set of `LENGTHS`, split `val`; frame i is grey of brightness i."""
    (root / "ImageSets" / "480p").mkdir(parents=True)
    (root / "ImageSets" / "480p" / "val.txt").write_text("\n".join(LENGTHS) + "\n")
    for name, length in LENGTHS.items():
        for kind in ("JPEGImages", "Annotations"):
            (root / kind / "480p" / name).mkdir(parents=True)
        for index in range(length):
            image = np.full((HEIGHT, WIDTH, 3), index, np.uint8)
            Image.fromarray(image).save(root / f"JPEGImages/480p/{name}/{index:05d}.jpg")
            mask = Image.fromarray(255 * square(index))
            mask.save(root / f"Annotations/480p/{name}/{index:05d}.png")
    return root


@dataclass
class Answer:
    labels: np.ndarray


@dataclass
class LaggingSegmenter:
    """Answers every step with the square `lag` pixels behind, as object 1."""

    lag: int = 0
    index: int | None = field(default=None, init=False)

    def reset(self) -> None:
        self.index = None

    def start(self, image: np.ndarray, mask: np.ndarray) -> Answer:
        assert image.shape == (HEIGHT, WIDTH, 3) and image.dtype == np.uint8
        if not mask.any():
            raise ValueError("the mask holds no object")
        self.index = 0
        return Answer(mask.astype(np.uint8))

    def step(self, image: np.ndarray) -> Answer:
        assert self.index is not None, "step before start"
        self.index += 1
        assert abs(int(image.mean()) - self.index) <= 1, "a frame out of order"
        return Answer(square(self.index, self.lag))


@dataclass(frozen=True)
class Build:
    """Makes the fake, here or in a worker, and notes each making in a file."""

    lag: int = 0
    log: Path | None = None

    def __call__(self) -> LaggingSegmenter:
        if self.log is not None:
            with self.log.open("a") as file:
                file.write("built\n")
        return LaggingSegmenter(self.lag)


class FailingSegmenter(LaggingSegmenter):
    """Stops in the sequence of nine frames."""

    def step(self, image: np.ndarray) -> Answer:
        if self.index == 6:
            raise ValueError("the frame is of an unknown kind")
        return super().step(image)


def build_failing() -> FailingSegmenter:
    return FailingSegmenter()


def build_dying() -> None:
    os._exit(9)


def build_impossible() -> None:
    raise ValueError("there is no device tpu")


def sequences(root: Path):
    return DavisDataset(root, "val").sequences()


def task(build=Build(), **options) -> SequenceTask:
    return SequenceTask(Davis2016(), SegmenterSource(build), **options)
