# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What became of the objects over time, as `plot` draws it, and the file that `record` keeps of it.

That file, `run.jsonl`, has a line for each image that was answered, as JSON:

    {"stamp": 1700000000250000000, "arrived": 1700000000301000000, "mask": "masks/00000.png",
     "objects": [{"id": 1, "name": "cup", "present": true, "score": 0.97, "area": 0.034}]}

`stamp` is the image's, `arrived` when mask and presence were both there, in ns; `area` is the share
of the image, 0..1.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vos_ros.recordings.errors import RecordingError

ROWS = "run.jsonl"


@dataclass(frozen=True)
class ObjectRow:
    """One object in one image: `score` and `area`, its share of the image, are 0..1."""

    id: int
    name: str
    present: bool
    score: float
    area: float
    doubtful: bool = False  # whether it may be something else


@dataclass(frozen=True)
class Row:
    """One image that was answered.

    Attributes:
        stamp: of the image, ns.
        latency: from the image to its mask, ms; NaN where that is not known.
        objects: by ascending id.
    """

    stamp: int
    latency: float
    objects: tuple[ObjectRow, ...]


@dataclass(frozen=True)
class Run:
    """A recorded run.

    Attributes:
        title: what it is of, for people.
        rows: by stamp.
        diagnosed: (stamp in ns, median latency in ms) as the node's own diagnostics told it.
        measured: what `latency` was measured between, for people; "" where it was not.
    """

    title: str
    rows: tuple[Row, ...]
    diagnosed: tuple[tuple[int, float], ...] = ()
    measured: str = ""
    names: dict[int, str] = field(default_factory=dict)

    @property
    def ids(self) -> tuple[int, ...]:
        """The objects of the run, ascending."""
        return tuple(sorted({item.id for row in self.rows for item in row.objects}))


def line_of(stamp: int, arrived: int, mask: str, objects: Iterable[ObjectRow]) -> str:
    """The line of `run.jsonl` of one image, with its end."""
    row = {"stamp": stamp, "arrived": arrived, "mask": mask}
    return json.dumps({**row, "objects": [asdict(item) for item in objects]}) + "\n"


def read_folder(folder: Path) -> Run:
    """Read what `record` wrote.

    Raises:
        RecordingError: there is no such file, or a line other than an unfinished last one is none.
    """
    path = folder / ROWS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise RecordingError(f"'{path}' cannot be read: {why}") from error
    rows = tuple(_rows(path, lines))
    if not rows:
        raise RecordingError(f"'{path}' holds no image that was answered")
    return ordered(Run(folder.name, rows, measured="stamp to mask, as received by record"))


def _rows(path: Path, lines: list[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        try:
            yield _row(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            if number == len(lines):
                return  # record was ended by force while it wrote this one
            raise RecordingError(f"line {number} of '{path}' is none of record's") from error


def _row(entry: Any) -> Row:
    objects = tuple(
        ObjectRow(
            int(item["id"]),
            str(item["name"]),
            bool(item["present"]),
            float(item["score"]),
            float(item["area"]),
            bool(item.get("doubtful", False)),
        )
        for item in entry["objects"]
    )
    latency = (int(entry["arrived"]) - int(entry["stamp"])) / 1e6
    return Row(int(entry["stamp"]), latency, objects)


def ordered(run: Run) -> Run:
    """The same by stamp, with each object's last name that was not empty."""
    rows = tuple(sorted(run.rows, key=lambda row: row.stamp))
    names = {item.id: item.name for row in rows for item in row.objects if item.name}
    known = any(math.isfinite(row.latency) for row in rows)
    return Run(run.title, rows, run.diagnosed, run.measured if known else "", names)
