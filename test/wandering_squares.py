# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stage of six small steps on bright squares that wander over noise."""

from __future__ import annotations

import numpy as np
import torch
from tiny import CONFIG, tiny_gfddal

from vos_ros.training.loop import Trainer
from vos_ros.training.stage import Stage

SIZE = (32, 64)


def stage(**entries) -> Stage:
    values = {
        "model": "gfddal",
        "network": CONFIG,
        "data": {},
        "steps": 6,
        "size": SIZE,
        "batch": 2,
        "lengths": ((0.0, 2), (0.5, 3)),
        "unfreeze": 0.5,
        "frozen_stride": 4,
        "attach": 0.34,
        "warm_up": 0.2,
    }
    return Stage(**values | entries)


def clip_of(number, length):
    """A bright square that wanders over noise."""
    rng = np.random.default_rng(number)
    images = rng.integers(60, 120, (length, 3, *SIZE), dtype=np.uint8)
    labels = np.zeros((length, *SIZE), np.uint8)
    x, y = rng.integers(0, 40), rng.integers(0, 16)
    colour = rng.integers(180, 255, (3, 1, 1))
    for t in range(length):
        images[t, :, y : y + 14, x + 2 * t : x + 2 * t + 14] = colour
        labels[t, y : y + 14, x + 2 * t : x + 2 * t + 14] = 1
    return images, labels


def batches(step, length):
    """Equal steps give equal batches, as a stage's data do."""
    while True:
        clips = [clip_of(2 * step + i, length) for i in range(2)]
        yield tuple(torch.from_numpy(np.stack(part)) for part in zip(*clips, strict=True))
        step += 1


def several(stage):
    """Batches of clips with one or two objects that move by the stage's gap."""

    def source(step, length):
        while True:
            clips = []
            for number in (2 * step, 2 * step + 1):
                images, labels = clip_of(number, length)
                if number % 3:
                    x = 2 + stage.gap_at(step) * number % 5
                    images[..., 2:12, x : x + 12], labels[..., 2:12, x : x + 12] = 250, 2
                clips.append((images, labels))
            yield tuple(torch.from_numpy(np.stack(part)) for part in zip(*clips, strict=True))
            step += 1

    return source


def trainer_of(ours, seed=1, source=batches, network=None):
    return Trainer(network or tiny_gfddal(seed), ours, source)


def everything(trainer):
    """All that a training is made of, flat."""
    found = {f"network/{n}": v for n, v in trainer.network.state_dict().items()}
    found |= {f"average/{n}": v for n, v in trainer.averaged().items()}
    for index, moments in trainer.optimiser.state_dict()["state"].items():
        found |= {f"optimiser/{index}/{name}": value for name, value in moments.items()}
    return {name: value.detach().clone() for name, value in found.items()}


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


def without_time(values):
    return {name: value for name, value in values.items() if name != "seconds"}
