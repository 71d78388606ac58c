# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A weight file scored on held-out videos, as `evaluate` scores it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vos_ros.ablation.table import HeldOut, TableError
from vos_ros.data.datasets import open_dataset
from vos_ros.data.sequence import VideoSequence
from vos_ros.data.twin import twin_of
from vos_ros.evaluation.davis2016 import Davis2016
from vos_ros.evaluation.protocol import Protocol
from vos_ros.evaluation.protocols import PROTOCOLS
from vos_ros.evaluation.report import build_report
from vos_ros.evaluation.runner import SequenceTask, run_sequences
from vos_ros.evaluation.sources import SegmenterSettings, SegmenterSource


@dataclass(frozen=True)
class HeldOutVideos:
    """Videos of one folder, and the rules that they are scored by."""

    protocol: Protocol
    sequences: tuple[VideoSequence, ...]


def open_held_out(folders: Iterable[HeldOut], root: Path) -> list[HeldOutVideos]:
    """The videos that are scored, in the order of the table; reads no frame.

    Raises:
        TableError: when a protocol is unknown, or two videos have one name.
        SequenceError: when a layout is unknown, or a folder, list or mask is missing.
        EvaluationError: when a video cannot be scored by its protocol.
    """
    opened = [_opened(folder, root) for folder in folders]
    names = [sequence.name for videos in opened for sequence in videos.sequences]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TableError(f"held_out has two videos named {', '.join(twice)}")
    return opened


class Scorer:
    """Runs a weight file over held-out videos.

    Args:
        settings: what builds the segmenter.
        videos: of every folder.
    """

    def __init__(self, settings: SegmenterSettings, videos: Sequence[HeldOutVideos]) -> None:
        source = SegmenterSource(settings)
        self._tasks = [(SequenceTask(part.protocol, source), part.sequences) for part in videos]
        #: of how many frames `score` will tell
        self.frames = sum(task.count(one) for task, sequences in self._tasks for one in sequences)

    def score(self, on_frame: Callable[[], None]) -> dict[str, Any]:
        """J, F and J&F, percent, overall and per video, and milliseconds per frame.

        Overall scores are means over all objects of all videos, as those of the data sets are.
        """
        results = [
            result
            for task, sequences in self._tasks
            for result in run_sequences(task, sequences, on_frame=on_frame)
        ]
        report = build_report(results, {})
        keys = ("j", "f", "jf", "ms_per_frame", "frames_scored")
        return {
            **{key: report[key] for key in keys},
            "sequences": {
                name: {key: entry[key] for key in keys}
                for name, entry in report["sequences"].items()
            },
        }


def _opened(folder: HeldOut, root: Path) -> HeldOutVideos:
    if folder.protocol not in PROTOCOLS:
        raise TableError(
            f"held_out: no protocol is called {folder.protocol}; known are {', '.join(PROTOCOLS)}"
        )
    protocol = PROTOCOLS[folder.protocol]()
    dataset = open_dataset(folder.layout, root / folder.root, folder.split or None)
    sequences = dataset.sequences(folder.sequences)
    if isinstance(protocol, Davis2016):
        # All that is not background is the object, whatever values the masks of it have.
        sequences = tuple(replace(sequence, binary=True) for sequence in sequences)
    if folder.twin:
        sequences = tuple(twin_of(sequence, "-twin") for sequence in sequences)
    for sequence in sequences:
        protocol.check(sequence)
        if not protocol.scored(sequence):
            raise TableError(f"held_out: {sequence.name} of {folder.root} has no public truth")
    return HeldOutVideos(protocol, tuple(sequences))
