# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training clips from annotated videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vos_ros.data.actors import Actor, companion
from vos_ros.data.appearance import draw_camera, noise_bank, photograph, spared
from vos_ros.data.clip import Clip, closing_up, least_area
from vos_ros.data.cutouts import Cutout, choose_object, cut_out
from vos_ros.data.faults import FaultLog
from vos_ros.data.layers import Layer, draw_layer
from vos_ros.data.motion import Motion
from vos_ros.data.sequence import SequenceError, VideoSequence
from vos_ros.data.shares import happens
from vos_ros.data.still_mix import StillMix
from vos_ros.data.still_set import StillSet
from vos_ros.data.video_frames import VideoFrames
from vos_ros.data.video_mix import VideoMix
from vos_ros.data.video_view import draw_view, draw_whole, fitted, seen

ATTEMPTS = 25


class VideoClips:
    """Endless clips from some sequences. Clip i depends on (seed, i) and the files alone.

    Up to `objects` of the annotated ones are followed. Where a video has fewer, objects pasted over
    it are followed beside them, so that a video of one object serves to learn several. Bad frames
    are noted, and their clip is drawn again.
    """

    def __init__(
        self,
        sequences: Sequence[VideoSequence],
        size: tuple[int, int] = (256, 448),
        length: int = 4,
        *,
        seed: int = 0,
        max_gap: int = 6,
        reference: float = 0.3,
        objects: int = 1,
        complete: bool = False,
        stills: StillSet | None = None,
        mix: VideoMix | None = None,
        faults: FaultLog | None = None,
    ) -> None:
        """Raises SequenceError when no sequence has a mask, ValueError for bad figures.

        size: height, width.
        max_gap: most steps from an annotated frame of the video to the one next in the clip.
        reference: share of the clips whose first frame is from anywhere in the video.
        objects: most labelled objects in a clip.
        complete: every frame of the videos ought to have a mask; one without is noted as bad.
        stills: where pasted objects come from; look-alikes of the target are pasted without it.
        mix: what is done to the frames; VideoMix() when None.
        faults: where bad files are noted.
        """
        figures = (length, min(size) // 32, max_gap, objects, len(sequences))
        if min(figures) < 1 or not 0 <= reference <= 1:
            raise ValueError(
                f"length {length}, size {size}, max_gap {max_gap}, objects {objects}, reference "
                f"{reference}, {len(sequences)} sequences: all must be positive, a side of the "
                "size 32 or more, and reference a share"
            )
        self.faults = FaultLog() if faults is None else faults
        self._videos = VideoFrames(sequences, self.faults, complete)
        self.size = (size[0], size[1])
        self.length, self.seed, self.max_gap = length, seed, max_gap
        self.reference, self.objects = reference, objects
        self._stills, self.mix = stills, mix or VideoMix()
        self._pasted = StillMix(crossing=0.6)
        self._bank = noise_bank(size[0] + 64, size[1] + 64)

    def __getitem__(self, index: int) -> Clip:
        """Raises SequenceError when no clip can be made."""
        if index < 0:
            raise IndexError(f"clips are numbered from 0, not {index}")
        rng = np.random.default_rng([self.seed, index])
        with self.faults.collected() as faults:
            for _ in range(ATTEMPTS):
                clip = self._compose(rng)
                if clip is not None:
                    return replace(clip, faults=faults)
        what = "".join(f"; {path}: {what}" for path, what in list(faults.items())[-1:])
        raise SequenceError(
            f"clip {index}: {ATTEMPTS} attempts gave no first frame that shows its object{what}"
        )

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
        if rng.random() < self.mix.reversed:
            places = places[::-1].copy()
        if rng.random() < self.reference:
            places[0] = rng.integers(count)
        return [annotated[place] for place in places]

    def _compose(self, rng: np.random.Generator) -> Clip | None:
        """A clip, or None where a frame is bad or the first shows too little."""
        which = int(rng.integers(len(self._videos)))
        numbers = self.frame_numbers(rng, self._videos.annotated(which))
        read = {number: self._videos.read(which, number) for number in dict.fromkeys(numbers)}
        found = {number: pair for number, pair in read.items() if pair is not None}
        if len(found) < len(read):
            return None
        whole = not happens(rng, self.mix.cropped)
        if whole:
            found = {number: fitted(*pair, self.size) for number, pair in found.items()}
        images = [found[number][0] for number in numbers]
        ids = [found[number][1] for number in numbers]
        chosen = self._chosen(rng, ids[0])
        if not chosen:
            return None
        covers = [[np.uint8(255) * (part == k) for k in chosen] for part in ids]
        if whole:
            view = draw_whole(rng, self.size, self.length, self.mix)
        else:
            view = draw_view(rng, np.max(covers[0], 0), self.size, self.length, self.mix)
        others = self._others(rng, images[0], covers[0], view)
        return self._numbered(self._draw(rng, images, covers, view, others), len(chosen))

    def _chosen(self, rng: np.random.Generator, ids: np.ndarray) -> list[int]:
        """The ids of those in the first frame that are followed, in random order."""
        present = 1 + np.flatnonzero(np.bincount(ids.ravel(), minlength=256)[1:255])
        if not present.size:
            return []
        if self.objects == 1:
            return [int(rng.choice(present))]
        return rng.permutation(present)[: self.objects].tolist()

    def _others(
        self,
        rng: np.random.Generator,
        image: np.ndarray,
        covers: Sequence[np.ndarray],
        view: np.ndarray,
    ) -> list[Layer]:
        """What is pasted over the video: look-alikes of the first object, objects from stills.

        Some are followed, if there is room, and the hindmost; the rest is background.
        """
        hiding = rng.random() < self.mix.pasted
        room = self.objects - len(covers)
        if room and not happens(rng, self.mix.joined):
            room = 0
        followed = int(rng.integers(0, room + 1)) if room else 0
        if not hiding and not followed:
            return []
        target = Actor(Layer(image, covers[0], Motion(view), 1), cut_out(image, covers[0] > 0))
        shutter = float(rng.uniform(0.2, 0.8)) if rng.random() < 0.35 else 0.0
        background = 1 + int(rng.random() < 0.3) if hiding else 0
        labels = [*range(len(covers) + 1, len(covers) + 1 + followed), *[0] * background]
        layers = []
        for label in labels:
            pasted = self._other(rng, target)
            if pasted is not None:
                motion, mix = Motion(view), self._pasted
                layers.append(
                    companion(rng, pasted, target, motion, self.size, mix, shutter, label)
                )
        return layers

    def _other(self, rng: np.random.Generator, target: Actor) -> Cutout | None:
        if self._stills is None or rng.random() < 0.4:
            return target.look_alike(rng)
        still = self._stills.draw(rng)
        mask = choose_object(still, rng, most=0.6)
        return None if mask is None else cut_out(still.image, mask)

    def _draw(
        self,
        rng: np.random.Generator,
        images: Sequence[np.ndarray],
        covers: Sequence[Sequence[np.ndarray]],
        view: np.ndarray,
        others: Sequence[Layer],
    ) -> Clip:
        camera = draw_camera(rng, self.length, strength=0.5)
        camera = spared(camera, rng, self.mix.light, self.mix.lens)
        clip = Clip(
            np.empty((self.length, *self.size, 3), np.uint8),
            np.empty((self.length, *self.size), np.uint8),
        )
        # Beyond the picture one dark colour, as around films; mirrored it would double the target.
        shade = rng.integers(0, 40) + rng.integers(0, 15, 3)
        margin = (float(shade[0]), float(shade[1]), float(shade[2]))
        for frame, image in enumerate(images):
            drawn, labels = seen(image, covers[frame], view[frame], self.size, margin)
            for layer in others:
                draw_layer(layer, frame, drawn, labels)
            clip.images[frame] = photograph(drawn, camera, frame, rng, self._bank)
            clip.labels[frame] = labels
        return clip

    def _numbered(self, clip: Clip, annotated: int) -> Clip | None:
        """The clip with ids 1..n of those that the first frame shows well enough.

        None when none of the annotated ones, for whose sake the clip was made, is among them.
        """
        numbers = closing_up(clip.labels[0], least_area(self.size))
        if not numbers[1 : annotated + 1].any():
            return None
        return replace(clip, labels=numbers[clip.labels])
