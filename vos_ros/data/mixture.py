# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several sources of clips mixed by weight, numbered so that training can resume exactly."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from torch.utils.data import DataLoader, Dataset

from vos_ros.data.clip import Clip, ClipSource, collate
from vos_ros.data.loader_signals import deaf_start, leave_group


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
        if not parts or not all(np.isfinite(weight) and weight > 0 for _, weight in parts):
            raise ValueError("a mixture needs sources, each with a weight above 0")
        if start < 0 or count < 1:
            raise ValueError(f"start {start}, count {count}: start >= 0 and count >= 1 are wanted")
        weights = np.array([weight for _, weight in parts], float)
        self.sources = [source for source, _ in parts]
        self.shares = weights / weights.sum()
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


class ClipLoader(DataLoader):
    """A loader whose workers do not hear the signals that end the training; see there."""

    def __iter__(self):
        with deaf_start():
            return super().__iter__()


def prepared(_worker: int) -> None:
    """For a loader's workers: OpenCV's own threads would fight with the training for the cores."""
    cv2.setNumThreads(1)
    leave_group()


def clip_loader(mixture: ClipMixture, batch: int, workers: int = 0) -> ClipLoader:
    """Batches in order: images B x T x 3 x H x W uint8, labels B x T x H x W uint8 on the CPU.

    Workers start afresh and receive the mixture pickled. A forked worker would inherit locks of
    OpenCV's thread pool without its threads, and wait for them for ever.
    """
    return ClipLoader(
        mixture,
        batch_size=batch,
        shuffle=False,
        drop_last=True,
        num_workers=workers,
        collate_fn=collate,
        worker_init_fn=prepared,
        multiprocessing_context="spawn" if workers > 0 else None,
        persistent_workers=workers > 0,
    )
