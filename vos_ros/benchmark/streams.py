# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What comes of a camera's images that are sent to a process, and masks that come back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from vos_ros.benchmark.errors import BenchmarkError
from vos_ros.benchmark.row import PARTS_OF_A_FRAME, Row
from vos_ros.benchmark.timed import Timed, there_and_back


@dataclass(frozen=True)
class StreamEffort:
    """How much is streamed.

    Attributes:
        runs: how often each case has its turn, every time with new processes.
        frames: timed images of a run.
        warmup: masks that must have come before.
        settle: seconds that the camera must have played before.
        rate: images a second.
        seconds: after so long no case has a further turn, but for the first; None for no limit.
    """

    runs: int = 3
    frames: int = 150
    warmup: int = 5
    settle: float = 8.0
    rate: float = 30.0
    seconds: float | None = None


@dataclass(frozen=True)
class StreamRun:
    """One run: a camera, a process that answers, and a subscriber. Stamps are in nanoseconds.

    Attributes:
        sent: stamps of the timed images, ascending; of several cameras, in turn.
        arrived: for each mask that came, the stamp that it bears and when it was there, by the
            clock that stamps are read from; masks of other images may be among them.
        startup: seconds from the start of the process to its first answer; None where nothing was
            asked.
        memory: resident, at the first timed image and at the end, 10^6 bytes; None where unknown.
        slope: of that memory in between, 10^6 bytes an hour; None where unknown.
        parts: what the process says of itself, by column of `PARTS_OF_A_FRAME`.
        lost: images that the transport says did not reach the process; None where unknown.
        cameras: that sent the images.
    """

    sent: Sequence[int]
    arrived: Mapping[int, int]
    startup: float | None = None
    memory: tuple[float, float] | None = None
    slope: float | None = None
    parts: Mapping[str, float] = field(default_factory=dict)
    lost: int | None = None
    cameras: int = 1

    @property
    def answered(self) -> list[int]:
        """The timed images of which a mask came, by their stamps, ascending."""
        return [stamp for stamp in self.sent if stamp in self.arrived]

    @property
    def latencies(self) -> np.ndarray:
        """From stamp to mask, of every timed image of which one came, milliseconds."""
        return np.array([(self.arrived[stamp] - stamp) / 1e6 for stamp in self.answered])

    @property
    def masks_per_second(self) -> float | None:
        """How often masks of timed images came, of all cameras; None of fewer than two."""
        return _rate([self.arrived[stamp] for stamp in self.answered])

    @property
    def images_per_second(self) -> float | None:
        """How often each camera really sent one; None of fewer than two."""
        return _rate(self.sent[:: self.cameras])


def take_runs(
    works: Sequence[Callable[[], StreamRun]], effort: StreamEffort,
    on_turn: Callable[[], object] = lambda: None,
) -> tuple[list[list[StreamRun]], str | None]:  # fmt: skip
    """Run all works in turn; every other round goes backwards.

    Returns:
        The runs of each work, as many of one as of another; and, when something went wrong that
        kept it from going on, what that was.
    """
    runs: list[list[StreamRun]] = [[] for _ in works]
    began = time.monotonic()
    for number in range(effort.runs):
        late = effort.seconds is not None and time.monotonic() - began > effort.seconds
        if late and number > 0:
            break
        try:
            for index in there_and_back(len(works), number):
                runs[index].append(works[index]())
                on_turn()
        except BenchmarkError as error:
            return [own[:number] for own in runs], str(error)
    return runs, None


def stream_row(row: Row, runs: Sequence[StreamRun]) -> Row:
    """A row with what was counted: totals over the runs, and medians of what each run has."""
    sent = sum(len(run.sent) for run in runs)
    received = sum(len(run.answered) for run in runs)
    lost = [run.lost for run in runs if run.lost is not None]
    startup = _median([run.startup for run in runs])
    parts: dict[str, Any] = {
        part: _median([run.parts.get(part) for run in runs]) for part in PARTS_OF_A_FRAME
    }
    return replace(
        row,
        fps=_median([run.masks_per_second for run in runs]),
        camera_hz=_median([run.images_per_second for run in runs]),
        sent=sent,
        received=received,
        dropped=sent - received,
        lost=sum(lost) if lost else None,
        startup_ms=None if startup is None else 1000 * startup,
        memory_start_mb=_median([run.memory and run.memory[0] for run in runs]),
        memory_end_mb=_median([run.memory and run.memory[1] for run in runs]),
        memory_slope_mb_per_hour=_median([run.slope for run in runs]),
        **parts,
    )


def stream_times(
    runs: Sequence[StreamRun], operations: int | None = None, moved_bytes: int | None = None
) -> Timed:
    """The times from stamp to mask, run by run; for the other arguments see `Timed`."""
    return Timed([run.latencies for run in runs], operations=operations, moved_bytes=moved_bytes)


def _rate(times: Sequence[int]) -> float | None:
    """Of times in nanoseconds, how many come in a second."""
    if len(times) < 2 or max(times) == min(times):
        return None
    return (len(times) - 1) * 1e9 / (max(times) - min(times))


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None
