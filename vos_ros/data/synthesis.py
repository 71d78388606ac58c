# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training clips from stills: objects and cameras set in motion, with occluders and look-alikes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from vos_ros.data.actors import Actor, cast, companion, echo
from vos_ros.data.appearance import draw_camera, noise_bank, photograph, spared
from vos_ros.data.clip import Clip, closing_up, least_area
from vos_ros.data.cutouts import Cutout, border_contact, choose_object, cut_out, without
from vos_ros.data.faults import FaultLog
from vos_ros.data.layers import Layer, draw_frame
from vos_ros.data.motion import (
    Motion,
    bending,
    changes,
    cover,
    draw_pace,
    keep_inside,
    stretched,
)
from vos_ros.data.shapes import camouflaged, haze, invented, with_rods
from vos_ros.data.shares import happens
from vos_ros.data.still_mix import StillMix
from vos_ros.data.still_set import Photographs, StillSet, StillSource
from vos_ros.data.stills import Still, StillError, longest_still

ATTEMPTS = 25


class StillClips:
    """Endless clips from stills. Clip i depends on (seed, i) and the files alone."""

    def __init__(
        self,
        stills: StillSet | Sequence[Path | str | StillSource],
        backgrounds: Photographs | Path | str | None,
        size: tuple[int, int] = (256, 448),
        length: int = 4,
        *,
        seed: int = 0,
        targets: int = 1,
        mix: StillMix | None = None,
        faults: FaultLog | None = None,
    ) -> None:
        """Raises StillError when a folder holds nothing usable.

        stills: or what they come from. backgrounds: photographs or a folder of them, or None to
        take the scenery from the stills too. size: height, width. targets: up to so many labelled
        objects a clip. faults: where bad files are noted, unless `stills` is a StillSet, which has
        a log of its own.
        """
        if length < 1 or min(size) < 32 or targets < 1:
            raise ValueError(f"length {length}, size {size}, targets {targets}: too small")
        longest = longest_still(size)
        if not isinstance(stills, StillSet):
            stills = StillSet(stills, longest=longest, faults=faults)
        if isinstance(backgrounds, (str, Path)):
            backgrounds = Photographs(backgrounds, longest=longest, faults=stills.faults)
        self.stills, self.photographs = stills, backgrounds
        self.size = (size[0], size[1])
        self.length, self.seed, self.targets = length, seed, targets
        self.mix = mix or StillMix()
        self._bank = noise_bank(size[0] + 64, size[1] + 64)

    def __getitem__(self, index: int) -> Clip:
        """Raises StillError when no still shows an object large enough."""
        if index < 0:
            raise IndexError(f"clips are numbered from 0, not {index}")
        rng = np.random.default_rng([self.seed, index])
        with self.stills.faults.collected() as faults:
            for _ in range(ATTEMPTS):
                layers = self._compose(rng)
                clip = None if layers is None else self._draw(layers, rng)
                if clip is not None:
                    return replace(clip, faults=faults)
        raise StillError(f"clip {index}: {ATTEMPTS} attempts showed no object large enough")

    def _draw(self, layers: list[Layer], rng: np.random.Generator) -> Clip | None:
        """Draw all frames, or None when the first does not show the target well enough."""
        image, labels = draw_frame(layers, 0, self.size)
        target = next(layer for layer in layers if layer.label == 1)
        alone = np.count_nonzero(draw_frame([target], 0, self.size)[1])
        if np.count_nonzero(labels == 1) < rng.uniform(0.1, 0.9) * alone:
            return None  # mostly hidden; such a start is allowed but rare
        numbers = closing_up(labels, least_area(self.size))
        if not numbers[1]:
            return None  # too small is that for whose sake the clip was made
        camera = spared(draw_camera(rng, self.length), rng, self.mix.light, self.mix.lens)
        images = np.empty((self.length, *self.size, 3), np.uint8)
        ids = np.empty((self.length, *self.size), np.uint8)
        for frame in range(self.length):
            if frame > 0:
                image, labels = draw_frame(layers, frame, self.size)
            ids[frame] = numbers[labels]
            images[frame] = photograph(image, camera, frame, rng, self._bank)
        return Clip(images, ids)

    def _compose(self, rng: np.random.Generator) -> list[Layer] | None:
        """The layers of a clip from the hindmost to the foremost, or None for a bad draw."""
        shutter = float(rng.uniform(0.3, 1.0)) if rng.random() < self.mix.blur else 0.0
        if rng.random() < self.mix.invented:
            scene, target = self._replaced(rng, invented(rng, self._scenery(rng)), shutter)
            return self._with_others(rng, scene, target, shutter)
        still = self.stills.draw(rng)
        mask = choose_object(still, rng)
        if mask is None:
            return None
        kind = rng.random()
        if kind < self.mix.replaced:
            if border_contact(mask) > 0.15 and rng.random() < 0.8:
                return None
            cutout = self._dressed(rng, cut_out(still.image, mask))
            scene, target = self._replaced(rng, cutout, shutter)
            return self._with_others(rng, scene, target, shutter)
        # The place of a large object cannot be filled convincingly.
        moved = kind < self.mix.replaced + self.mix.moved and mask.mean() < 0.25
        scene, target = self._own_scene(rng, still, mask, shutter, moved)
        neighbours = self._neighbours(rng, still, mask, scene)
        return self._with_others(rng, scene, target, shutter, neighbours)

    def _dressed(self, rng: np.random.Generator, cutout: Cutout) -> Cutout:
        if rng.random() < 0.5:
            cutout = cutout.mirrored()
        if rng.random() < self.mix.rods:
            cutout = with_rods(cutout, rng)
        return cutout

    def _scenery(self, rng: np.random.Generator) -> np.ndarray:
        if self.photographs is not None and rng.random() < 0.75:
            return self.photographs.draw(rng)
        return self.stills.draw(rng).image

    def _scene_motion(
        self, rng: np.random.Generator, source: tuple[int, int], zoom: float
    ) -> Motion:
        """A camera moving over a photograph, its view kept inside."""
        pace = draw_pace(rng, self.mix.fast)
        if happens(rng, self.mix.cropped):
            start = cover(rng, source, self.size, zoom)
        else:
            start = stretched(rng, source, self.size)
        height, width = self.size
        middle = np.eye(3)
        middle[:2, 2] = (width - 1) / 2, (height - 1) / 2
        steps = changes(rng, self.length, pace, height, width)
        matrices = np.stack(
            [
                keep_inside(middle @ step @ np.linalg.inv(middle) @ start, source, self.size)
                for step in steps
            ]
        )
        bent = rng.random() < self.mix.scenery
        lattices = bending(rng, self.length, source, rng.uniform(0.0, 0.03)) if bent else None
        return Motion(matrices, lattices)

    def _replaced(
        self, rng: np.random.Generator, cutout: Cutout, shutter: float
    ) -> tuple[Layer, Actor]:
        picture = self._scenery(rng)
        if rng.random() < self.mix.camouflage:
            cutout = camouflaged(cutout, picture, float(rng.uniform(0.4, 0.95)))
        zoom = float(np.exp(rng.uniform(0.05, 0.6)))
        motion = self._scene_motion(rng, picture.shape[:2], zoom)
        scene = Layer(picture, None, motion, 0, shutter)
        return scene, cast(rng, cutout, motion, self.size, self.mix, shutter, label=1)

    def _own_scene(
        self,
        rng: np.random.Generator,
        still: Still,
        mask: np.ndarray,
        shutter: float,
        moved: bool,
    ) -> tuple[Layer, Actor]:
        source = mask.shape
        motion = self._scene_motion(rng, source, float(np.exp(rng.uniform(0.05, 0.5))))
        if not moved:
            alpha = mask.astype(np.uint8) * np.uint8(255)
            target = Layer(still.image, alpha, motion, 1, shutter)
            return Layer(still.image, None, motion, 0, shutter), Actor(target, None)
        cutout = cut_out(still.image, mask)
        scene = Layer(without(still.image, mask), None, motion, 0, shutter)
        actor = cast(rng, cutout, motion, self.size, self.mix, shutter, label=1, place=mask)
        return scene, actor

    def _neighbours(
        self, rng: np.random.Generator, still: Still, mask: np.ndarray, scene: Layer
    ) -> list[Layer]:
        """Other annotated objects of the target's own photograph, which move as the scene does."""
        room = self.targets - 1
        if not room:
            return []
        others = np.setdiff1d(still.ids, [0, *np.unique(still.ids[mask])])
        if not len(others):
            return []
        return [
            replace(
                scene,
                image=still.image,
                alpha=(still.ids == number).astype(np.uint8) * np.uint8(255),
                label=label,
            )
            for label, number in enumerate(rng.permutation(others)[:room], 2)
        ]

    def _with_others(
        self,
        rng: np.random.Generator,
        scene: Layer,
        target: Actor,
        shutter: float,
        neighbours: Sequence[Layer] = (),
    ) -> list[Layer]:
        """All layers. Labels go to the target, its neighbours, then to what is pasted."""
        behind: list[Layer] = [*neighbours]
        front: list[Layer] = []
        if target.cutout is not None and rng.random() < self.mix.echo:
            behind.append(echo(rng, target.layer))
        first = 2 + len(neighbours)
        count = int(rng.choice(4, p=[0.35, 0.3, 0.2, 0.15]))
        if self.targets >= first:  # else there would seldom be as many as may be followed
            count = max(count, int(rng.integers(0, self.targets + 2 - first)))
        if not happens(rng, self.mix.others):
            count = 0
        for number in range(count):
            cutout = self._other(rng, target)
            if cutout is None:
                continue
            label = first + number if first + number <= self.targets else 0
            other = companion(
                rng, cutout, target, scene.motion, self.size, self.mix, shutter, label
            )
            (front if rng.random() < 0.6 else behind).append(other)
        return [scene, *behind, target.layer, *front]

    def _other(self, rng: np.random.Generator, target: Actor) -> Cutout | None:
        kind = rng.random()
        if kind < self.mix.look_alike:
            return target.look_alike(rng)
        if kind < self.mix.look_alike + self.mix.shapes:
            return haze(rng) if rng.random() < 0.25 else invented(rng, self._scenery(rng))
        still = self.stills.draw(rng)
        mask = choose_object(still, rng, most=0.6)
        return None if mask is None else cut_out(still.image, mask)
