# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several sources of clips mixed by weight, numbered so that training can resume exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from vos_ros.data.clip import Clip, ClipSource, collate
from vos_ros.data.faults import ClipError, leave_telling_to_the_parent
from vos_ros.data.loader_signals import deaf_start, leave_group
from vos_ros.data.sequence import SequenceError
from vos_ros.data.stills import StillError


class ClipMixture(Dataset[Clip]):
    """Clips start, start + 1, … of an endless mixture.

    Clip i depends on (seed, i) and the sources alone, never on what was read before it: a run that
    stopped after n clips goes on with `start=n` as if it had not stopped.
    """

    def __init__(
        self,
        parts: Sequence[tuple[ClipSource, float]],
        *,
        seed: int = 0,
        start: int = 0,
        count: int = 1_000_000,
    ) -> None:
        """parts: (source, weight > 0). Raises ValueError for no part or a weight that is not so."""
        weights = np.array([weight for _, weight in parts], float)
        with np.errstate(over="ignore"):
            total = weights.sum()
        if not parts or not (weights > 0).all() or not np.isfinite(total):
            raise ValueError(
                "a mixture needs sources, each with a weight above 0, and a sum of them that a "
                "number can hold"
            )
        if start < 0 or count < 1:
            raise ValueError(f"start {start}, count {count}: start >= 0 and count >= 1 are wanted")
        self.sources = [source for source, _ in parts]
        self.shares = weights / total
        self.seed, self.start, self.count = seed, start, count

    def __len__(self) -> int:
        return self.count

    def source_of(self, number: int) -> int:
        """Which of the sources gives clip `number` of the endless mixture."""
        # The extra word keeps this choice independent of the clips' own draws from (seed, i).
        rng = np.random.default_rng([self.seed, number, 0x5EED])
        return int(rng.choice(len(self.sources), p=self.shares))

    def __getitem__(self, index: int) -> Clip:
        if not 0 <= index < self.count:
            raise IndexError(f"item {index} of {self.count}")
        number = self.start + index
        return self.sources[self.source_of(number)][number]


@dataclass(frozen=True)
class Batch:
    """Clips stacked, on the CPU.

    images: B x T x 3 x H x W uint8. labels: B x T x H x W uint8. faults: of all clips. failure: why
    a clip could not be made, and then there are no images; else empty.
    """

    images: torch.Tensor | None
    labels: torch.Tensor | None
    faults: dict[str, str]
    failure: str = ""


class ClipLoader(DataLoader[Any]):
    """A loader whose workers do not hear the signals that end the training; see there."""

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]  # PyTorch says how, too
        with deaf_start():
            return super().__iter__()


def clip_loader(
    mixture: ClipMixture, batch: int, workers: int = 0, *, rank: int = 0, world: int = 1
) -> ClipLoader:
    """The batches of a mixture in order, as `Batch`; of each, the share of one rank.

    Workers start afresh and receive the mixture pickled. A forked worker would inherit locks of
    OpenCV's thread pool without its threads, and wait for them for ever.

    batch: clips of all ranks together, a multiple of `world`; the last are left out where they do
    not fill one. rank: takes those from `rank / world` to `(rank + 1) / world` of each batch.
    """
    share = batch // world
    starts = range(rank * share, len(mixture) - batch + rank * share + 1, batch)
    return ClipLoader(
        _Guarded(mixture),
        batch_sampler=[list(range(start, start + share)) for start in starts],
        num_workers=workers,
        collate_fn=_batch_of,
        worker_init_fn=_prepare,
        multiprocessing_context="spawn" if workers > 0 else None,
        persistent_workers=workers > 0,
    )


class _Guarded(Dataset[Clip | str]):
    """Clips, or what kept one from being made: an error of a worker would arrive as a traceback."""

    def __init__(self, mixture: ClipMixture) -> None:
        self.mixture = mixture

    def __len__(self) -> int:
        return len(self.mixture)

    def __getitem__(self, index: int) -> Clip | str:
        try:
            return self.mixture[index]
        except (StillError, SequenceError, ClipError) as error:
            return str(error)


def _batch_of(clips: Sequence[Clip | str]) -> Batch:
    failures = [clip for clip in clips if isinstance(clip, str)]
    made = [clip for clip in clips if isinstance(clip, Clip)]
    faults = {path: what for clip in made for path, what in clip.faults.items()}
    if failures:
        return Batch(None, None, faults, failures[0])
    return Batch(*collate(made), faults)


def _prepare(_worker: int) -> None:
    """For a loader's workers: OpenCV's own threads would fight with the training for the cores."""
    cv2.setNumThreads(1)
    leave_group()
    leave_telling_to_the_parent()
