# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A weight file scored on held-out videos, as `evaluate` scores it on DAVIS-2016.

Of every video the object given in the first frame is followed; first and last frame do not count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from vos_ros.ablation.table import HeldOut, TableError
from vos_ros.data.datasets import open_dataset
from vos_ros.data.sequence import VideoSequence
from vos_ros.evaluation.davis2016 import Davis2016
from vos_ros.evaluation.report import build_report
from vos_ros.evaluation.runner import SequenceTask, run_sequences
from vos_ros.evaluation.sources import SegmenterSettings, SegmenterSource


def open_held_out(folders: Iterable[HeldOut], root: Path) -> list[VideoSequence]:
    """The videos that are scored, in the order of the table; reads no image.

    Raises:
        TableError: when a name is there twice.
        SequenceError: when a layout is unknown, or a folder, list or mask is missing.
        EvaluationError: when a video is too short to be scored.
    """
    protocol = Davis2016()
    sequences = [sequence for folder in folders for sequence in _opened(folder, root)]
    for sequence in sequences:
        protocol.check(sequence)
    names = [sequence.name for sequence in sequences]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TableError(f"held_out names {', '.join(twice)} twice")
    return sequences


def score(
    settings: SegmenterSettings,
    sequences: Iterable[VideoSequence],
    on_frame: Callable[[], None],
) -> dict:
    """J, F and J&F, percent, overall and per sequence, and milliseconds per frame."""
    task = SequenceTask(Davis2016(), SegmenterSource(settings))
    report = build_report(run_sequences(task, sequences, on_frame=on_frame), {})
    keys = ("j", "f", "jf", "ms_per_frame", "frames_scored")
    return {
        **{key: report[key] for key in keys},
        "sequences": {
            name: {key: entry[key] for key in keys} for name, entry in report["sequences"].items()
        },
    }


def _opened(folder: HeldOut, root: Path) -> list[VideoSequence]:
    dataset = open_dataset(folder.layout, root / folder.root, folder.split or None)
    # All that is not background is the object, whatever values the masks of it have.
    return [replace(video, binary=True) for video in dataset.sequences(folder.sequences)]
