# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One variant trained, as `train` does it, and scored; stopped and resumed at any step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import torch

from vos_ros.ablation.record import SCORES_FILE, Job, begin, digest, read_log, write_json
from vos_ros.ablation.scoring import HeldOutVideos, Scorer, open_held_out
from vos_ros.evaluation import environment
from vos_ros.evaluation.sources import SegmenterSettings
from vos_ros.training.distributed import World
from vos_ros.training.run import WEIGHTS, saved_step
from vos_ros.training.skipped import SKIPPED, read_skipped
from vos_ros.training.stage_run import RunOptions, StageRun
from vos_ros.weights import load_network


@dataclass(frozen=True)
class Progress:
    """How far a job is: `done` of `total` steps of all stages, or of frames while it is scored."""

    what: str
    done: int
    total: int
    loss: float | None = None


class Stopped(Exception):
    """A job was told to stop; what it had done is saved."""


@dataclass(frozen=True)
class VariantTask:
    """How jobs are done on this machine, which changes no figure beside the times.

    Attributes:
        data: folder that the paths in stage and table start from.
        device: cpu, cuda, cuda:1, ...
        threads: processor threads of PyTorch and of OpenCV.
        clip_workers: processes that make clips; 0 makes them in the process that trains.
        minutes: between two checkpoints.
        beside: jobs done at the same time, which the times depend on.
        imagenet: file of ImageNet weights for the backbone; its SHA-256 is the job's.
    """

    data: Path
    device: str = "cpu"
    threads: int = 1
    clip_workers: int = 0
    minutes: float = 3.0
    beside: int = 1
    imagenet: Path | None = None

    def __call__(
        self, job: Job, tell: Callable[[Progress], None], stopped: Callable[[], bool]
    ) -> None:
        """Train what is left to be trained and score it.

        Args:
            job: what to do; its folder was checked.
            tell: called at the start, and after every step and every scored frame.
            stopped: asked as often; when it is true, the job is saved and left.

        Raises:
            Stopped: when it was told to stop.
            ValueError: one of `vos_ros.training.run.UNUSABLE`, TableError or EvaluationError.
        """
        torch.set_num_threads(self.threads)
        cv2.setNumThreads(self.threads)
        videos = open_held_out(job.held_out, self.data)
        begin(job)
        self._train(job, tell, stopped)
        self._score(job, videos, tell, stopped)

    def _train(
        self, job: Job, tell: Callable[[Progress], None], stopped: Callable[[], bool]
    ) -> None:
        first = _stages_done(job)
        done = sum(stage.steps for stage in job.stages[:first])
        if first == len(job.stages):  # only the scores are to be made
            tell(Progress("step", done, job.steps))
        for index in range(first, len(job.stages)):
            run = self._stage_run(job, index)
            tell(Progress("step", done + run.trainer.step, job.steps))
            for values in run.steps(stopping=stopped):
                tell(Progress("step", done + run.trainer.step, job.steps, values["loss"]))
            if run.stopped:
                raise Stopped
            done += job.stages[index].steps

    def _stage_run(self, job: Job, index: int) -> StageRun:
        """One stage of a job; all but the first start from the weights of the one before."""
        options = RunOptions(
            self.data,
            job.folders[index],
            init=job.folders[index - 1] / WEIGHTS if index else None,
            imagenet=None if index else self.imagenet,
            workers=self.clip_workers,
            minutes=self.minutes,
        )
        name = f"ablation of {job.model}: {job.variant}"
        if len(job.stages) > 1:
            name += f", stage {index + 1}"
        return StageRun(job.stages[index], name, options, World.single(self.device))

    def _score(
        self,
        job: Job,
        videos: Sequence[HeldOutVideos],
        tell: Callable[[Progress], None],
        stopped: Callable[[], bool],
    ) -> None:
        weights, done = job.out / WEIGHTS, 0
        # The whole image: what is compared is the network, not what it is shown.
        settings = SegmenterSettings(
            weights, self.device, job.precision, job.size, self.threads, region=None
        )
        scorer = Scorer(settings, videos)

        def on_frame() -> None:
            nonlocal done
            done += 1
            tell(Progress("frame", done, scorer.frames))
            if stopped():
                raise Stopped

        scores = scorer.score(on_frame)
        write_json(job.out / SCORES_FILE, {**self._about(job), **scores})

    def _about(self, job: Job) -> dict[str, Any]:
        """What the scores were made with."""
        network, card = load_network(job.out / WEIGHTS)
        training, scored = job.training(), job.scoring()
        return {
            "model": job.model,
            "variant": job.variant,
            "seed": job.seed,
            "trained_as": digest(training),
            "training": training,
            "scored_as": digest(scored),
            "scoring": scored,
            "parameters": _parameters(network),
            "backbone_parameters": _parameters(network.backbone),
            "steps": job.steps,
            "training_seconds": _training_seconds(job),
            "skipped_files": len({f for o in job.folders for f in read_skipped(o / SKIPPED)}),
            "weights": card.sha256,
            "commit": card.commit,
            "device": self.device,
            "threads": self.threads,
            "beside": self.beside,
            "hardware": environment.hardware(self.device),
            "versions": environment.versions(),
        }


def _stages_done(job: Job) -> int:
    """How many stages are trained; whatever came before a finished one is not looked for."""
    numbered = enumerate(zip(job.stages, job.folders, strict=True), start=1)
    done = [n for n, (stage, out) in numbered if saved_step(out) == stage.steps]
    return max(done, default=0)


def _training_seconds(job: Job) -> float | None:
    """What all steps took; None where a log does not say it, as old ones do not."""
    seconds = 0.0
    for stage, folder in zip(job.stages, job.folders, strict=True):
        rates = [entry.get("clips_per_second") for entry in read_log(folder).values()]
        if len(rates) < stage.steps or not all(rates):
            return None
        seconds += sum(stage.batch / rate for rate in rates if rate)
    return seconds


def _parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
