# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a run is of: its stage and the files it started from.

Every checkpoint holds it, so that a run is gone on with as what it began as, or refused.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vos_ros.models.state import SegmentationNetwork
from vos_ros.stated import stated
from vos_ros.training.checkpoint import CheckpointError, read_progress
from vos_ros.training.run import stage_network, starting_network
from vos_ros.training.stage import Stage, StageError
from vos_ros.weights import ModelCard, file_hash

_KEY = "run"


@dataclass(frozen=True)
class Origin:
    """What decides what comes of a run, beside the files of its data sets.

    Machine, devices and numbers of processes are no part of it.

    Attributes:
        stage: the entries of its stage that differ from their defaults.
        init: SHA-256 of the weight file it started from; empty without one.
        imagenet: of the file of ImageNet weights, likewise.
        data: what that weight file was trained on, by its card.
        schedule: how that was.
    """

    stage: dict[str, Any]
    init: str = ""
    imagenet: str = ""
    data: list[str] = dataclasses.field(default_factory=list)
    schedule: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    def saved(self) -> dict[str, Any]:
        """As an entry of a checkpoint's progress."""
        return {_KEY: dataclasses.asdict(self)}

    def check(
        self, checkpoint: Path, stage: Stage, init: Path | None, imagenet: Path | None
    ) -> None:
        """Raise a StageError unless a run with these is the one that is in the checkpoint.

        A file that it started from may be gone by now, or not be named again.
        """
        other = [
            _difference(name, self.stage, stage)
            for name in (f.name for f in dataclasses.fields(Stage))
            if self.stage.get(name) != stated(stage).get(name)
        ]
        files = (("--init", self.init, init), ("--imagenet", self.imagenet, imagenet))
        other += [name for name, began, path in files if not _same_file(began, path)]
        if other:
            raise StageError(
                f"{checkpoint} is of another run, which differs in {', '.join(other)}: "
                "give another --out, or go on with what it was begun with"
            )


def begin_or_go_on(
    stage: Stage, checkpoint: Path, init: Path | None, imagenet: Path | None
) -> tuple[SegmentationNetwork[Any, Any], Origin]:
    """The network to train, and what the run is of: as a checkpoint says, if there is one.

    The weights are those to start from; where there is a checkpoint, they are yet to be read.

    Args:
        stage: what to do.
        checkpoint: of the run; it need not exist.
        init: weight file to start from.
        imagenet: file of ImageNet weights for the backbone.

    Raises:
        StageError: when the checkpoint is of another run.
        CheckpointError: when it cannot be read.
        ValueError: as `starting_network`, where there is no checkpoint.
    """
    kept = _read(checkpoint)
    if kept is not None:
        kept.check(checkpoint, stage, init, imagenet)
        return stage_network(stage), kept
    network, history = starting_network(stage, init, imagenet)
    hashed = file_hash(imagenet) if imagenet is not None and init is None else ""
    return network, _origin(stage, history, hashed)


def _origin(stage: Stage, history: ModelCard, imagenet: str) -> Origin:
    return Origin(stated(stage), history.sha256, imagenet, history.data, history.schedule)


def _read(checkpoint: Path) -> Origin | None:
    """What a checkpoint is of; None where there is none, or an older one, which does not say."""
    if not checkpoint.exists():
        return None
    saved = read_progress(checkpoint).get(_KEY)
    if saved is None:
        return None
    try:
        return Origin(**saved)
    except TypeError as error:
        raise CheckpointError(f"{checkpoint} does not say what it is of: {error}") from error


def _difference(name: str, began: dict[str, Any], stage: Stage) -> str:
    """An entry's name, with what it was and is where that is short to say."""
    default = {f.name: f.default for f in dataclasses.fields(Stage)}[name]
    was, now = began.get(name, default), getattr(stage, name)
    if isinstance(now, dict):
        return name
    return f"{name} (it has {_plain(was)}, the stage says {_plain(now)})"


def _plain(value: object) -> object:
    """Tuples as the lists that a file has."""
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def _same_file(began: str, path: Path | None) -> bool:
    if path is None:
        return True
    if not path.is_file():
        return bool(began)  # it was moved; all that was read from it is in the checkpoint
    return file_hash(path) == began
