# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Videos of coloured squares in every layout, and a fake segmenter that follows colours.

Frames are PNG, so that a colour found is the colour drawn. The fake has the API of
`VideoSegmenter`; its answers are right but for a shift to the left by a known number of pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from vos_ros.data.image_files import write_labels

HEIGHT, WIDTH, SIDE, STEP = 64, 120, 14, 3
GROUND = (40, 40, 40)


@dataclass(frozen=True)
class Thing:
    """A square: its id, its row, and the frames in which it is seen."""

    id: int
    top: int
    first: int = 0
    last: int = 999

    @property
    def colour(self) -> tuple[int, int, int]:
        return (250 - 9 * self.id, 30 * self.id % 200, 90)


ONE = (Thing(1, 6),)
TWO = (Thing(1, 6), Thing(4, 30))
THREE = (*TWO, Thing(2, 48, first=2))


def truth(things: tuple[Thing, ...], index: int) -> np.ndarray:
    """Labels of a frame, H x W uint8."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for thing in things:
        if thing.first <= index <= thing.last:
            left = 20 + STEP * index
            labels[thing.top : thing.top + SIDE, left : left + SIDE] = thing.id
    return labels


def picture(things: tuple[Thing, ...], index: int) -> np.ndarray:
    """A frame, H x W x 3 uint8."""
    image = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    image[:] = GROUND
    labels = truth(things, index)
    for thing in things:
        image[labels == thing.id] = thing.colour
    return image


def iou_of(shift: int) -> float:
    """J of a square against itself, moved by `shift` pixels."""
    return (SIDE - shift) / (SIDE + shift)


def write_frames(folder: Path, things: tuple[Thing, ...], length: int, suffix=".png") -> None:
    folder.mkdir(parents=True)
    for index in range(length):
        Image.fromarray(picture(things, index)).save(folder / f"{index:05d}{suffix}")


def write_masks(folder: Path, things: tuple[Thing, ...], indices) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index in indices:
        write_labels(folder / f"{index:05d}.png", truth(things, index))


def write_davis2017(root: Path, videos: dict[str, tuple[Thing, ...]], length: int = 6) -> Path:
    """A split `val` with every mask and `test-dev` with the first alone; videos of `length`."""
    lists = root / "ImageSets" / "2017"
    lists.mkdir(parents=True)
    for split in ("val", "test-dev"):
        names = [name if split == "val" else f"{name}-dev" for name in videos]
        (lists / f"{split}.txt").write_text("\n".join(names) + "\n")
        for name, things in zip(names, videos.values(), strict=True):
            write_frames(root / "JPEGImages" / "480p" / name, things, length)
            shown = range(length) if split == "val" else (0,)
            write_masks(root / "Annotations" / "480p" / name, things, shown)
    return root


@dataclass
class Answer:
    labels: np.ndarray


@dataclass
class ColourSegmenter:
    """Gives every pixel the id of the object that had its colour, `shift` pixels to the right."""

    shift: int = 0
    colours: dict[int, tuple[int, ...]] = field(default_factory=dict, init=False)

    def reset(self) -> None:
        self.colours.clear()

    def start(self, image: np.ndarray, mask: np.ndarray) -> Answer:
        self.reset()
        return self.add(image, mask)

    def add(self, image: np.ndarray, mask: np.ndarray) -> Answer:
        for object_id in np.unique(mask[mask != 0]).tolist():
            self.colours[object_id] = tuple(image[mask == object_id][0])
        labels = self._found(image)
        return Answer(np.where(mask != 0, mask, labels).astype(np.uint8))

    def step(self, image: np.ndarray) -> Answer:
        assert self.colours, "step before start"
        return Answer(self._found(image))

    def _found(self, image: np.ndarray) -> np.ndarray:
        labels = np.zeros(image.shape[:2], np.uint8)
        for object_id, colour in self.colours.items():
            labels[(image == np.array(colour)).all(axis=2)] = object_id
        return np.roll(labels, -self.shift, axis=1)


@dataclass(frozen=True)
class BuildColours:
    """Makes the fake, here or in a worker."""

    shift: int = 0

    def __call__(self) -> ColourSegmenter:
        return ColourSegmenter(self.shift)
