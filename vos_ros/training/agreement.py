# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What several processes that train together must do alike: start, go on, refuse and stop.

A process that ended or went another way alone would leave the others waiting for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, distributed

from vos_ros.training.distributed import World
from vos_ros.training.loop import BatchSource
from vos_ros.training.run import UNUSABLE
from vos_ros.training.stage import StageError


class ToldElsewhere(ValueError):
    """Something unusable was met by another process too, or by it alone; that one says what."""


@contextmanager
def agreement(world: World) -> Iterator[None]:
    """Let a block succeed in every process, or be refused in every process.

    Raises:
        ToldElsewhere: when it is for another process to tell what was wrong: the first one, where
            it knows.
        ValueError: one of `UNUSABLE`, in a process that must tell it.
    """
    fault: ValueError | None = None
    try:
        yield
    except UNUSABLE as error:
        fault = error
    if not world.any(fault is not None):
        return
    first_tells = world.any(fault is not None and world.rank == 0)
    if fault is None or (first_tells and world.rank > 0):
        raise ToldElsewhere("another process met something unusable, and tells it") from fault
    raise fault


def agreed_batches(batches: BatchSource, world: World) -> BatchSource:
    """The same batches, but a batch that cannot be had in one process ends all of them."""

    def source(step: int, length: int) -> Iterator[tuple[Tensor, Tensor]]:
        with agreement(world):
            iterator = iter(batches(step, length))
        while True:
            batch = None
            with agreement(world):
                batch = next(iterator, None)
            if batch is None:
                return
            yield batch

    return source


def check_steps(step: int, checkpoint: Path, world: World) -> None:
    """Raise a StageError unless all processes go on from the same step."""
    steps = gathered(str(step), world)
    if len(set(steps)) > 1:
        raise StageError(
            f"the processes are after steps {', '.join(steps)}, as {checkpoint} says to each: the "
            "folder must be one that all machines share"
        )


def gathered(text: str, world: World) -> list[str]:
    """What every process has to say, by its number; each waits for all the others."""
    if world.size == 1:
        return [text]
    said = torch.frombuffer(bytearray(text.encode() + b"\0"), dtype=torch.uint8).to(world.device)
    lengths = [torch.zeros(1, dtype=torch.int64, device=world.device) for _ in range(world.size)]
    distributed.all_gather(lengths, lengths[0].new_tensor([len(said)]))
    longest = max(int(length) for length in lengths)
    # Parts of a gathering must be of one size.
    parts = [said.new_zeros(longest) for _ in lengths]
    distributed.all_gather(parts, torch.cat([said, said.new_zeros(longest - len(said))]))
    return [bytes(part.tolist()).rstrip(b"\0").decode() for part in parts]
