# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One stage under way in one folder: steps are taken, logged, shown and saved.

Beside what `vos_ros.training.run` names, the folder gets

    tensorboard/   curves of every step, a picture at every checkpoint
    skipped.txt    files that could not be used, where there are any
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError

from vos_ros.training.agreement import (
    ToldElsewhere,
    agreed_batches,
    agreement,
    check_steps,
    gathered,
)
from vos_ros.training.distributed import World
from vos_ros.training.divergence import check_divergence, diverged
from vos_ros.training.log import cut_log, log_step
from vos_ros.training.loop import Trainer
from vos_ros.training.monitor import Monitor
from vos_ros.training.origin import begin_or_go_on
from vos_ros.training.pictures import clips_picture
from vos_ros.training.pytorch import check_pytorch
from vos_ros.training.run import (
    CHECKPOINT,
    LOG,
    UNUSABLE,
    made_folder,
    moved,
    run_card,
    save_run,
    saved_step,
)
from vos_ros.training.skipped import SKIPPED, read_skipped, write_skipped
from vos_ros.training.sources import StageBatches
from vos_ros.training.stage import Stage, StageError

TENSORBOARD = "tensorboard"


@dataclass(frozen=True)
class RunOptions:
    """Where a stage is run and how: nothing beside what it starts from changes what comes out.

    Attributes:
        data: folder that the paths of the stage start from.
        out: folder for what the run leaves behind.
        init: weight file to start from.
        imagenet: file of ImageNet weights for the backbone, instead of the registry package's.
        workers: processes that make clips, for each process that trains.
        minutes: between two checkpoints.
        strict: end at the first file that cannot be used, instead of going on without it.
        tensorboard: write curves and pictures.
    """

    data: Path
    out: Path
    init: Path | None = None
    imagenet: Path | None = None
    workers: int = 1
    minutes: float = 3.0
    strict: bool = False
    tensorboard: bool = False


class StageRun:
    """A stage from its beginning, or from the checkpoint that is in its folder.

    Where several processes train together, each makes one of these with the same arguments. The
    first alone writes.

    Args:
        stage: what to do.
        name: of its file, for the card of the weights.
        options: where and how.
        world: the processes that train together.

    Raises:
        ValueError: one of `vos_ros.training.run.UNUSABLE`; or `ToldElsewhere`, see there.

    Attributes:
        trainer: takes the steps.
        stopped: whether `steps` ended because it was told to stop.
    """

    def __init__(self, stage: Stage, name: str, options: RunOptions, world: World) -> None:
        self.stage, self.out, self.world = stage, options.out, world
        self.stopped = False
        self._between = 60 * options.minutes
        with agreement(world):
            check_pytorch()
            self._batches = StageBatches(
                stage, options.data, options.workers, options.strict, world.rank, world.size
            )
            torch.manual_seed(stage.seed)
            network, self._origin = begin_or_go_on(
                stage, self.out / CHECKPOINT, options.init, options.imagenet
            )
            network = moved(network, world.device)
            if world.writes:
                made_folder(self.out)
        self.trainer = Trainer(network, stage, agreed_batches(self._batches, world), world)
        self._card = run_card(stage, self._origin, network.config, name)
        with agreement(world):
            self._resume()
        with agreement(world):
            check_steps(self.trainer.step, self.out / CHECKPOINT, world)
        self._monitor: Monitor | None = None
        with agreement(world):
            if world.writes and options.tensorboard:
                self._monitor = Monitor(self.out / TENSORBOARD, self.trainer.step)

    @property
    def faults(self) -> dict[str, str]:
        """Files that could not be used, with what is wrong, as far as this process knows."""
        return self._earlier_faults | self._batches.faults

    def steps(
        self, until: int | None = None, stopping: Callable[[], bool] = lambda: False
    ) -> Iterator[dict[str, float]]:
        """Train up to a step (default: to the end of the stage), and save.

        Args:
            until: the last step.
            stopping: asked after every step; when it says yes in one process, all of them end
                after the same step.

        Yields:
            What each step came to, as it is logged.

        Raises:
            ValueError: as the constructor, when the data turn out unusable. What was done is saved.
            DivergedError: when too many steps in a row changed nothing. They are not saved.
        """
        first, world = self.trainer.step, self.world
        saved, started = time.monotonic(), time.perf_counter()
        try:
            for values in self.trainer.run(until):
                values = self._completed(values, time.perf_counter() - started)
                self._write(values)
                yield values
                with agreement(world):
                    check_divergence(self.trainer.left_out_in_a_row, self.trainer.step)
                # Steps that changed nothing are not worth a checkpoint, and may be the first of too
                # many.
                due = time.monotonic() - saved > self._between
                if due and not self.trainer.left_out_in_a_row:
                    self._save()
                    saved = time.monotonic()
                self.stopped = world.any(stopping())
                if self.stopped:
                    break
                started = time.perf_counter()
        except (*UNUSABLE, ToldElsewhere):
            if first < self.trainer.step and not diverged(self.trainer.left_out_in_a_row):
                self._finish()
            raise
        self._finish()

    def close(self) -> None:
        """Write no more. The end of every run; steps cannot be taken after it."""
        if self._monitor is not None:
            self._monitor.close()

    def _resume(self) -> None:
        """Go on from the checkpoint in the folder, if there is one."""
        checkpoint = self.out / CHECKPOINT
        if checkpoint.exists():
            self.trainer.resume(checkpoint)
        step = self.trainer.step
        self._earlier_faults = read_skipped(self.out / SKIPPED) if step else {}
        # What is whole is left as it is, with the commit it was made with.
        self._saved_step = step if step and saved_step(self.out) == step else None
        if self.world.writes:
            cut_log(self.out / LOG, step)

    def _completed(self, values: dict[str, float], seconds: float) -> dict[str, float]:
        """The values of a step with the rates at which it was taken."""
        step = self.trainer.step - 1
        factor = self.stage.rate_at(step)
        tuned = self.stage.tunes_backbone(step)
        return values | {
            "learning_rate": factor * self.stage.learning_rate,
            "backbone_learning_rate": factor * self.stage.backbone_learning_rate * tuned,
            "clips_per_second": self.stage.batch / seconds,
        }

    def _write(self, values: dict[str, float]) -> None:
        if self.world.writes:
            with self._writing():
                log_step(self.out / LOG, self.trainer.step, values)
        if self._monitor is not None:
            self._monitor.scalars(self.trainer.step, values)

    def _finish(self) -> None:
        """Save; then let no process end before the first has saved, or it would be ended, too."""
        self._save()
        for part in gathered(json.dumps(self._batches.faults), self.world):
            self._earlier_faults |= json.loads(part)
        if self.world.writes:
            with self._writing():
                write_skipped(self.out / SKIPPED, self.faults)
        if self._monitor is not None:
            self._monitor.flush()

    def _save(self) -> None:
        if not self.world.writes or self._saved_step == self.trainer.step:
            return
        self._show()
        with self._writing():
            write_skipped(self.out / SKIPPED, self.faults)
            save_run(self.trainer, self._card, self.out, self._origin.saved())
        self._saved_step = self.trainer.step

    def _show(self) -> None:
        """Add a picture of the last batch, and put all curves on the disk.

        That is before the checkpoint is written: a run that goes on from it misses no step of them.
        """
        if self._monitor is None:
            return
        if self.trainer.last_batch is not None:
            images, labels = self.trainer.last_batch
            found = self.trainer.preview(images, labels)
            shown = (np.asarray(t.cpu()) for t in (images, labels, found))
            self._monitor.picture(self.trainer.step, clips_picture(*shown))
        self._monitor.flush()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Make a full disk, or a folder that is gone, something to be told."""
        try:
            yield
        except (OSError, SafetensorError) as error:
            raise StageError(f"the folder {self.out} cannot be written to: {error}") from error
