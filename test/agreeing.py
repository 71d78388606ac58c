# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A program that `test_agreement.py` runs as two processes: what each comes to is written down."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from vos_ros.training.agreement import agreed_batches, agreement, gathered
from vos_ros.training.distributed import World, open_world
from vos_ros.training.stage import StageError


def attempt(world: World, failing: tuple[int, ...]) -> str:
    """What becomes of a block that fails in some of the processes."""
    try:
        with agreement(world):
            if world.rank in failing:
                raise StageError(f"bad in {world.rank}")
    except ValueError as error:
        return f"{type(error).__name__}: {error}"
    return "went on"


def batches_until_a_fault(world: World) -> list[str]:
    """Batches of a source whose third cannot be had in the second process."""

    def source(step: int, length: int):
        for index in range(5):
            if index == 2 and world.rank == 1:
                raise StageError("the file is damaged")
            yield f"{step + index}", f"{length}"

    got = []
    try:
        for batch in agreed_batches(source, world)(7, 3):
            got.append(" ".join(batch))
    except ValueError as error:
        got.append(type(error).__name__)
    return got


def main(folder: Path) -> None:
    world = open_world()
    told = {
        "gathered": [gathered(("", "ü" * 70)[world.rank], world), gathered("same", world)],
        "none": attempt(world, ()),
        "first": attempt(world, (0,)),
        "second": attempt(world, (1,)),
        "both": attempt(world, (0, 1)),
        "batches": batches_until_a_fault(world),
        "whole": [a for a, _ in agreed_batches(lambda *_: iter("ab cd".split()), world)(0, 1)],
    }
    (folder / f"{world.rank}.json").write_text(json.dumps(told))
    world.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
