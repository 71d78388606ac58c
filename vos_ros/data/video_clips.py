# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training clips from annotated videos in the DAVIS layout."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from vos_ros.data.actors import Actor, companion
from vos_ros.data.appearance import draw_camera, noise_bank, photograph
from vos_ros.data.clip import Clip, least_area
from vos_ros.data.cutouts import Cutout, box_of, choose_object, cut_out
from vos_ros.data.davis import DavisDataset, DavisError
from vos_ros.data.layers import Layer, draw_layer
from vos_ros.data.motion import (
    Motion,
    changes,
    draw_pace,
    keep_inside,
    linear,
    source_points,
    translation,
)
from vos_ros.data.still_mix import StillMix
from vos_ros.data.stills import StillError, StillSet, decode_image

logger = logging.getLogger(__name__)

ATTEMPTS = 25
WHOLE = 0.15  # share of the clips that show the whole picture small, framed by one colour


class VideoClips:
    """Endless clips from some sequences. Clip i depends on (seed, i) and the files alone.

    Frames are kept in memory as the files' own bytes, a tenth of the decoded size, and decoded
    anew for each clip. Bad frames are named in the log, counted in `bad`, and their clip is drawn
    again; with `strict` they are errors.
    """

    def __init__(
        self,
        root: Path | str,
        sequences: Sequence[str],
        size: tuple[int, int] = (256, 448),
        length: int = 4,
        *,
        seed: int = 0,
        max_gap: int = 6,
        year: int = 2016,
        resolution: str = "480p",
        stills: StillSet | None = None,
        pasted: float = 0.3,
        strict: bool = False,
    ) -> None:
        """Raises DavisError for a sequence that is not there, ValueError for bad figures.

        sequences: names of folders under JPEGImages/<resolution>. size: height, width.
        max_gap: most frames of the video from one frame of the clip to the next.
        stills: where pasted occluders come from; the target's look-alikes are pasted without it.
        pasted: share of the clips with something pasted over them.
        """
        if length < 1 or min(size) < 32 or max_gap < 1 or not sequences:
            raise ValueError(
                f"length {length}, size {size}, max_gap {max_gap}, {len(sequences)} sequences: "
                "all must be positive"
            )
        data = DavisDataset(Path(root), "", year, resolution)
        self._sequences = [data.sequence(name) for name in sequences]
        for sequence in self._sequences:
            if not sequence.mask_paths:
                raise DavisError(f"the sequence {sequence.name} of {root} has no masks")
        self._bytes: dict[Path, bytes] = {}
        self.size, self.length, self.seed, self.max_gap = tuple(size), length, seed, max_gap
        self.bad: dict[Path, str] = {}
        self._strict, self._stills, self._pasted = strict, stills, pasted
        self._mix = StillMix(crossing=0.6)
        self._bank = noise_bank(size[0] + 64, size[1] + 64)

    def __getitem__(self, index: int) -> Clip:
        """Raises DavisError when no clip can be made."""
        if index < 0:
            raise IndexError(f"clips are numbered from 0, not {index}")
        rng = np.random.default_rng([self.seed, index])
        for _ in range(ATTEMPTS):
            try:
                clip = self._compose(rng)
            except DavisError as error:
                if self._strict:
                    raise
                logger.warning("skipped %s (%d bad so far)", error, len(self.bad))
                continue
            if clip is not None:
                return clip
        raise DavisError(f"clip {index}: {ATTEMPTS} attempts gave no frame that shows its object")

    def frame_numbers(self, rng: np.random.Generator, annotated: Sequence[int]) -> list[int]:
        """Which frames of a video make a clip: `length` of the annotated ones."""
        count = len(annotated)
        steps = max(1, self.length - 1)
        gap = int(rng.integers(1, self.max_gap + 1))
        gap = max(1, min(gap, (count - 1) // steps))
        steady = rng.random() < 0.5
        gaps = np.full(steps, gap) if steady else rng.integers(1, gap + 1, steps)
        places = np.concatenate([[0], np.cumsum(gaps)])[: self.length]
        places = places + rng.integers(0, max(1, count - places[-1]))
        # A video shorter than the clip: its last frame stands still.
        places = np.minimum(places, count - 1)
        if rng.random() < 0.3:
            places = places[::-1].copy()
        if rng.random() < 0.3:
            places[0] = rng.integers(count)
        return [annotated[place] for place in places]

    def _read(self, path: Path) -> bytes:
        if path not in self._bytes:
            try:
                self._bytes[path] = path.read_bytes()
            except OSError as error:
                raise self._fault(path, f"cannot be read ({error.strerror})") from error
        return self._bytes[path]

    def _fault(self, path: Path, what: str) -> DavisError:
        self.bad.setdefault(path, what)
        return DavisError(f"{path}: {what}")

    def _frame(self, sequence: int, number: int) -> tuple[np.ndarray, np.ndarray]:
        """One frame and its ids, checked."""
        video = self._sequences[sequence]
        path, mask_path = video.frame_paths[number], video.mask_paths[number]
        try:
            image = decode_image(np.frombuffer(self._read(path), np.uint8), path)
        except StillError as error:
            raise self._fault(path, "not a readable image") from error
        try:
            with Image.open(io.BytesIO(self._read(mask_path))) as file:
                ids = np.array(file if file.mode in ("L", "P") else file.convert("L"))
        except (OSError, SyntaxError, ValueError) as error:
            raise self._fault(mask_path, "not a readable mask") from error
        if ids.shape != image.shape[:2]:
            raise self._fault(mask_path, f"is {ids.shape}, its frame {image.shape[:2]}")
        return image, (ids > 0).astype(np.uint8) if video.binary else ids

    def _compose(self, rng: np.random.Generator) -> Clip | None:
        which = int(rng.integers(len(self._sequences)))
        numbers = self.frame_numbers(rng, self._sequences[which].annotated)
        frames = [self._frame(which, number) for number in numbers]
        image, ids = frames[0]
        present = np.flatnonzero(np.bincount(ids.ravel(), minlength=255)[1:255]) + 1
        if not present.size:
            return None
        chosen = int(rng.choice(present))
        masks = [(ids == chosen).astype(np.uint8) * np.uint8(255) for _, ids in frames]
        view = self._view(rng, masks[0])
        others = self._others(rng, image, masks[0], view)
        clip = self._draw(rng, [image for image, _ in frames], masks, view, others)
        if np.count_nonzero(clip.labels[0]) < least_area(self.size):
            return None
        return clip

    def _view(self, rng: np.random.Generator, mask: np.ndarray) -> np.ndarray:
        """A crop that shows the target in frame 0 and moves a little: T x 3 x 3."""
        height, width = self.size
        fit = max(height / mask.shape[0], width / mask.shape[1])
        whole = rng.random() < WHOLE
        low, high = (0.6, 1.0) if whole else (1.0, 1.5)
        scale = fit * float(np.exp(rng.uniform(np.log(low), np.log(high))))
        turn = float(rng.normal(0.0, 0.12)) if rng.random() < 0.5 else 0.0
        top, bottom, left, right = box_of(mask > 0)
        spot = np.array([rng.uniform(left, right), rng.uniform(top, bottom)])
        # The view's middle, kept where the view stays within the picture if it can.
        half = np.array([width, height]) / (2.0 * scale)
        bounds = np.array([mask.shape[1], mask.shape[0]], float)
        middle = spot + rng.uniform(-0.8, 0.8, 2) * half
        middle = np.where(
            half * 2 < bounds, np.clip(middle, half, np.maximum(half, bounds - half)), bounds / 2
        )
        start = (
            translation((width - 1) / 2, (height - 1) / 2)
            @ linear(turn, scale, flip=bool(rng.random() < 0.5))
            @ translation(-middle[0], -middle[1])
        )
        view = np.repeat(start[None], self.length, 0)
        if rng.random() < 0.5:
            steps = changes(rng, self.length, draw_pace(rng, 0.05), 0.5 * height, width)
            centre = translation((width - 1) / 2, (height - 1) / 2)
            view = centre @ steps @ np.linalg.inv(centre) @ start
        if not whole:
            view = np.stack([keep_inside(matrix, mask.shape, self.size) for matrix in view])
        return view

    def _others(
        self, rng: np.random.Generator, image: np.ndarray, mask: np.ndarray, view: np.ndarray
    ) -> list[Layer]:
        """What is pasted over the video: look-alikes of the target, objects from stills."""
        if rng.random() >= self._pasted:
            return []
        cutout = cut_out(image, mask > 0)
        target = Actor(Layer(image, mask, Motion(view), 1), cutout)
        layers = []
        shutter = float(rng.uniform(0.2, 0.8)) if rng.random() < 0.35 else 0.0
        for _ in range(1 + int(rng.random() < 0.3)):
            pasted: Cutout | None = None
            if self._stills is None or rng.random() < 0.4:
                pasted = target.look_alike(rng)
            else:
                still = self._stills.draw(rng)
                other = choose_object(still, rng, most=0.6)
                pasted = None if other is None else cut_out(still.image, other)
            if pasted is not None:
                layers.append(
                    companion(rng, pasted, target, Motion(view), self.size, self._mix, shutter, 0)
                )
        return layers

    def _draw(
        self,
        rng: np.random.Generator,
        images: list[np.ndarray],
        masks: list[np.ndarray],
        view: np.ndarray,
        others: list[Layer],
    ) -> Clip:
        camera = draw_camera(rng, self.length, strength=0.5)
        height, width = self.size
        clip = Clip(
            np.empty((self.length, height, width, 3), np.uint8),
            np.empty((self.length, height, width), np.uint8),
        )
        # Beyond the picture one dark colour, as around films; mirrored it would double the target.
        margin = tuple(float(value) for value in rng.integers(0, 40) + rng.integers(0, 15, 3))
        xs, ys = np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64)
        for frame, (image, mask) in enumerate(zip(images, masks, strict=True)):
            points = source_points(view[frame], None, mask.shape, xs, ys)
            maps = cv2.split(points)
            drawn = cv2.remap(image, *maps, cv2.INTER_LINEAR, borderValue=margin)
            warped = cv2.remap(mask, *maps, cv2.INTER_LINEAR, borderValue=0)
            labels = (warped > 127).astype(np.uint8)
            for layer in others:
                draw_layer(layer, frame, drawn, labels)
            clip.images[frame] = photograph(drawn, camera, frame, rng, self._bank)
            clip.labels[frame] = labels
        return clip
