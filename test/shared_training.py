# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small trainings that processes do together or one does alone; `test_distributed.py` compares.

As a program, started by torchrun: runs every case and writes what it came to into a folder.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import dgmpm_cases
import numpy as np
import tiny
import torch
from safetensors.torch import save_file
from torch import Tensor

from vos_ros.models import build_network
from vos_ros.models.backbones import BACKBONES
from vos_ros.training.distributed import World, open_world
from vos_ros.training.loop import Trainer
from vos_ros.training.stage import Stage

SIZE = (32, 64)
CONFIGS = {"gfddal": tiny.CONFIG, "dgmpm": dgmpm_cases.CONFIG}
#: network, most objects, and what else the stage says; precision without rounding that depends on
#: how many clips there are
CASES: dict[str, tuple[str, int, dict]] = {
    "gfddal_one": ("gfddal", 1, {"erosion": 2}),
    "gfddal_two": ("gfddal", 2, {"lovasz": 0.5}),
    "dgmpm_one": ("dgmpm", 1, {"erosion": 3, "given": 1.0}),
    "dgmpm_two": ("dgmpm", 2, {"erosion": 3, "gaps": ((0.0, 1), (0.5, 2))}),
    "dgmpm_half": ("dgmpm", 2, {"precision": "fp16"}),
}


def stage_of(case: str) -> Stage:
    """Four clips a step; the backbone is tuned and the feedback attached halfway."""
    model, objects, entries = CASES[case]
    values = {
        "model": model, "network": CONFIGS[model], "data": {}, "steps": 4, "size": SIZE, "batch": 4,
        "lengths": ((0.0, 3),), "objects": objects, "unfreeze": 0.5, "frozen_stride": 4,
        "attach": 0.5, "precision": "fp32",
    }  # fmt: skip
    return Stage(**values | entries)


def clip_of(number: int, length: int, objects: int) -> tuple[np.ndarray, np.ndarray]:
    """Bright squares that wander over noise, side by side; every third clip has one at most."""
    rng = np.random.default_rng(number)
    images = rng.integers(60, 120, (length, 3, *SIZE), dtype=np.uint8)
    labels = np.zeros((length, *SIZE), np.uint8)
    for one in range(1, (objects if number % 3 else 1) + 1):
        x, y, side = 32 * (one - 1) + rng.integers(0, 12), rng.integers(0, 12), 12 + 2 * one
        colour = rng.integers(150, 255, (3, 1, 1))
        for t in range(length):
            images[t, :, y : y + side, x + t : x + t + side] = colour
            labels[t, y : y + side, x + t : x + t + side] = one
    return images, labels


def trainer_of(case: str, world: World, seed: int = 1) -> Trainer:
    """What runs a case: rank r with the r-th part of every batch."""
    stage = stage_of(case)
    share = stage.batch // world.size

    def source(step: int, length: int) -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            first = step * stage.batch + world.rank * share
            clips = [clip_of(first + i, length, stage.objects) for i in range(share)]
            yield tuple(torch.from_numpy(np.stack(part)) for part in zip(*clips, strict=True))
            step += 1

    torch.manual_seed(seed)
    trainer = Trainer(build_network(stage.model, stage.network), stage, source, world)
    if stage.precision == "fp16":  # a scale that float16 can bear from the first step on
        trainer._optimisation.scaler = torch.amp.GradScaler("cpu", init_scale=64.0)
    return trainer


def resumed(case: str, world: World, checkpoint: Path) -> Trainer:
    """A case stopped after two steps, saved by one process and gone on with by fresh trainers."""
    stopped = trainer_of(case, world)
    list(stopped.run(until=2))
    if world.writes:
        stopped.save(checkpoint)
    world.any(False)  # the others wait until it is there
    trainer = trainer_of(case, world, seed=99)
    trainer.resume(checkpoint)
    list(trainer.run())
    return trainer


def outcome(trainer: Trainer) -> dict[str, Tensor]:
    """Weights and averaged weights, flat."""
    found = {f"network/{n}": v for n, v in trainer.network.state_dict().items()}
    return found | {f"average/{n}": v for n, v in trainer.averaged().items()}


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    BACKBONES["tiny"] = tiny.TinyBackbone
    world = open_world()
    told = {
        "rank": world.rank,
        "size": world.size,
        "any": [world.any(False), world.any(world.rank == 1), world.any(True)],
        "mean": world.mean({"a": world.rank, "b": 0.5}),
    }
    for case in CASES:
        # Other weights on every rank: those of rank 0 are what all begin with.
        trainer = trainer_of(case, world, seed=1 + world.rank)
        told[case] = list(trainer.run())
        save_file(outcome(trainer), folder / f"{case}_{world.rank}.safetensors")
    again = resumed("dgmpm_half", world, folder / "checkpoint.safetensors")
    save_file(outcome(again), folder / f"dgmpm_half_resumed_{world.rank}.safetensors")
    (folder / f"told_{world.rank}.json").write_text(json.dumps(told))
    world.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
