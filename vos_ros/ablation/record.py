# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is kept of a variant's training and scoring, and whether it is of the table at hand.

    RUNS/MODEL/VARIANT/seedK/run.json      what the training depends on; written before it begins
    RUNS/MODEL/VARIANT/seedK/scores.json   the scores, and what they depend on

Where the table has several stages, the weights, checkpoints and logs of the last are in that folder
and those of the ones before in stage1, stage2, ... in it.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vos_ros.ablation.table import AblationTable, HeldOut, TableError, Variant
from vos_ros.files import replacing
from vos_ros.stated import stated
from vos_ros.training.run import LOG
from vos_ros.training.stage import Stage

RUN, SCORES_FILE = "run.json", "scores.json"


@dataclass(frozen=True)
class Job:
    """One variant with one seed. Sent to a process, so it holds nothing that cannot be pickled.

    Attributes:
        variant: name of the variant.
        seed: of everything random in its training.
        stages: what it is trained with; their `network` and `seed` are the variant's.
        held_out: the videos that it is scored on.
        size: short side of the image inside the network while scoring, pixels.
        precision: of the arithmetic while scoring.
        out: folder of this variant and seed.
        imagenet: SHA-256 of the file of ImageNet weights that was given; empty when none was.
    """

    variant: str
    seed: int
    stages: tuple[Stage, ...]
    held_out: tuple[HeldOut, ...]
    size: int
    precision: str
    out: Path
    imagenet: str = ""

    @property
    def model(self) -> str:
        """Name of the network."""
        return self.stages[0].model

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.model} {self.variant} seed {self.seed}"

    @property
    def steps(self) -> int:
        """Of all stages."""
        return sum(stage.steps for stage in self.stages)

    @property
    def folders(self) -> tuple[Path, ...]:
        """Of each stage."""
        before = (self.out / f"stage{number}" for number in range(1, len(self.stages)))
        return (*before, self.out)

    def training(self) -> dict[str, Any]:
        """What the training depends on: the entries of the stage that differ from their defaults.

        Defaults are left out so that an entry which stages get later changes nothing. Stages before
        the last are told apart, under `earlier_stages`.
        """
        *before, last = (stated(stage) for stage in self.stages)
        others = {"earlier_stages": before, "imagenet_sha256": self.imagenet}
        return last | {name: value for name, value in others.items() if value}

    def scoring(self) -> dict[str, Any]:
        """What the scores depend on beside the weights."""
        # Split and sequences are always told; other defaults are left out, as in `training`.
        always = {"split": "", "sequences": []}
        folders = [always | stated(folder) for folder in self.held_out]
        return {"held_out": folders, "size": self.size, "precision": self.precision}


def jobs_of(tables: Sequence[AblationTable], runs: Path, names: Sequence[str] = ()) -> list[Job]:
    """What there is to do: of each table, every variant with the first seed, then with the next.

    A variant that two tables have in common is done once.

    Args:
        tables: the ablations.
        runs: folder of all runs.
        names: only these variants.

    Raises:
        TableError: when a name is of no variant, or two tables have different variants of one name.
    """
    known = list(dict.fromkeys(v.name for table in tables for v in table.variants))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise TableError(f"no variant is called {', '.join(unknown)}: there are {', '.join(known)}")
    jobs: dict[Path, Job] = {}
    for table in tables:
        for seed in table.seeds:
            for variant in table.variants:
                if not names or variant.name in names:
                    job = _job(table, runs, variant, seed)
                    _check_alike(job, jobs.setdefault(job.out, job))
    return list(jobs.values())


def _check_alike(job: Job, other: Job) -> None:
    if (job.training(), job.scoring()) != (other.training(), other.scoring()):
        raise TableError(
            f"two of the tables have a variant {job.variant} that they train or score differently: "
            "give one of them another --out"
        )


def _job(table: AblationTable, runs: Path, variant: Variant, seed: int) -> Job:
    return Job(
        variant=variant.name,
        seed=seed,
        stages=table.stages_of(variant, seed),
        held_out=table.held_out,
        size=table.size,
        precision=table.precision,
        out=runs / table.model / variant.name / f"seed{seed}",
        imagenet=table.imagenet,
    )


def check_job(job: Job) -> None:
    """Raise TableError when the folder of a job holds a training of something else."""
    kept = _read(job.out / RUN)
    if kept is None and not any(job.out.rglob("*.safetensors")):
        return
    wanted, found = job.training(), (kept or {}).get("training", {})
    if not isinstance(found, dict):
        found = {}
    if digest(wanted) != digest(found):
        names = sorted(k for k in wanted | found if wanted.get(k) != found.get(k))
        raise TableError(
            f"{job.out} holds a training that differs from the table in {', '.join(names)}: "
            "give another --out, or --fresh to train its variants anew"
        )


def begin(job: Job) -> None:
    """Note in the folder what is trained there.

    Raises:
        OSError: when the folder cannot be made or written to.
    """
    job.out.mkdir(parents=True, exist_ok=True)
    training = job.training()
    write_json(job.out / RUN, {"trained_as": digest(training), "training": training})


def clear(job: Job) -> None:
    """Forget all that was kept of a job."""
    if job.out.exists():
        shutil.rmtree(job.out)


def finished(job: Job) -> dict[str, Any] | None:
    """The record of a job that was trained and scored as the table says; None when it was not."""
    record = _read(job.out / SCORES_FILE)
    if record is None or not isinstance(record.get("sequences"), dict):
        return None
    as_now = {"trained_as": digest(job.training()), "scored_as": digest(job.scoring())}
    return record if as_now.items() <= record.items() else None


def records_of(table: AblationTable, runs: Path) -> list[dict[str, Any]]:
    """The records of all jobs of a table that are finished.

    Each gets `last_losses`, those of the last fifth of the steps of the last stage; None for a step
    that came to nothing. All variants that have the same seed see the same clips there, which tells
    them apart with less noise than a few videos do.
    """
    found = [(job, finished(job)) for job in jobs_of([table], runs)]
    return [{**kept, "last_losses": _last_losses(job.out)} for job, kept in found if kept]


def digest(content: dict[str, Any]) -> str:
    """SHA-256 of plain values, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a file whole or not at all."""
    with replacing(path) as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def read_log(folder: Path) -> dict[int, dict[str, Any]]:
    """What was logged in the folder of a stage, by step; nothing where the log was thrown away.

    Lines that cannot be read are left out.
    """
    try:
        lines = (folder / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    entries = {}
    for line in lines:
        try:
            entry = json.loads(line)
            entries[int(entry["step"])] = entry
        except (ValueError, KeyError, TypeError):
            continue
    return entries


def _last_losses(folder: Path) -> list[float | None]:
    entries = read_log(folder)
    last = max(entries, default=0)
    steps = range(last - max(1, last // 5) + 1, last + 1) if entries else ()
    losses = [entries.get(step, {}).get("loss") for step in steps]
    return [x if isinstance(x, (int, float)) and math.isfinite(x) else None for x in losses]
