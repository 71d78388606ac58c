# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A whole benchmark: from what is asked for to rows, and what they were measured with."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import torch

from vos_ros.benchmark.calls.ceiling import probes
from vos_ros.benchmark.calls.parts import Builder
from vos_ros.benchmark.calls.rotation import Effort, take_turns
from vos_ros.benchmark.calls.work import Work
from vos_ros.benchmark.cases import combinations
from vos_ros.benchmark.errors import BenchmarkError
from vos_ros.benchmark.models import Model, open_models
from vos_ros.benchmark.row import Row
from vos_ros.benchmark.rows import PROBES, timed_rows, with_ceilings
from vos_ros.benchmark.settings import CALLS, PARTS, STREAMS, Case, given
from vos_ros.benchmark.streams import (
    StreamEffort,
    StreamRun,
    stream_row,
    stream_times,
    take_runs,
)
from vos_ros.evaluation import environment
from vos_ros.runtimes import RuntimeMissingError, choose_runtime

#: of the usable cores; other work above this share spoils the figures
_BUSY = 0.25
ValueT = TypeVar("ValueT")


@dataclass(frozen=True)
class Request:
    """What is to be measured.

    Attributes:
        choices: the values to combine, by setting (see `settings.SETTINGS`).
        variants: sides of a comparison, or None.
        device: cpu, cuda or cuda:N.
        ceiling: whether to measure what the machine can do, too.
        effort: how much is timed of what is called.
        streams: how much of what a camera streams to.
    """

    choices: Mapping[str, Sequence[Any]]
    variants: Mapping[str, Mapping[str, object]] | None
    device: str
    ceiling: bool
    effort: Effort
    streams: StreamEffort


def _unable(case: Case, model: Model | None) -> StreamRun:
    raise BenchmarkError(f"there are no means of measuring {case.what}")


@dataclass(frozen=True)
class Means:
    """What is measured by means that this layer knows nothing of.

    Attributes:
        works: makes the work of further parts of `CALLS`, by their names.
        check: raises BenchmarkError for a case of `STREAMS` that cannot be run.
        stream: runs a case of `STREAMS`, the model given where it has one; BenchmarkError when it
            fails.
    """

    works: Mapping[str, Callable[[Case], Work]] = field(default_factory=dict)
    check: Callable[[Case], None] = lambda case: None
    stream: Callable[[Case, Model | None], StreamRun] = _unable


@dataclass(frozen=True)
class Outcome:
    """What was found.

    Attributes:
        about: with what it was measured; values that JSON can hold.
        rows: in the order of the request, then the probes.
        problem: why rows are missing, if any are.
    """

    about: dict[str, Any]
    rows: list[Row]
    problem: str | None = None

    @property
    def calls(self) -> list[Row]:
        """The rows of what is called, those of each part together."""
        return _by_part(row for row in self.rows if row.what in CALLS)

    @property
    def streams(self) -> list[Row]:
        """The rows of what a camera streams to, those of each part together."""
        return _by_part(row for row in self.rows if row.what in STREAMS)

    @property
    def probes(self) -> list[Row]:
        """The rows of what the machine can do."""
        return [row for row in self.rows if row.what in PROBES]


def _by_part(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: list(PARTS).index(row.what))


def open_device(name: str) -> torch.device:
    """The device of that name; raises BenchmarkError when this machine has none."""
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise BenchmarkError(f"no device is called {name!r}: cpu, cuda or cuda:N") from error
    if device.type not in ("cpu", "cuda"):
        raise BenchmarkError(f"only cpu and CUDA devices can be timed, not {name!r}")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.type == "cuda" and (device.index or 0) >= count:
        there = f"{count} CUDA devices" if count else "no CUDA device that PyTorch can use"
        raise BenchmarkError(f"device is {name!r}, but there is {there}; use cpu")
    return device


class Session:
    """Everything built and started, ready to be timed.

    Args:
        request: what is to be measured.
        means: of measuring what needs more than a network.

    Raises:
        BenchmarkError: when something of it cannot be had; nothing was timed then.
    """

    def __init__(self, request: Request, means: Means | None = None) -> None:
        means = means or Means()
        self._request, self._means = request, means
        self._load = os.getloadavg()[0]  # before any work of our own
        self._device = open_device(request.device)
        cases, references = combinations(request.choices, request.variants)
        cases = [self._with_runtime(case) for case in cases]
        named = (case.weights for case in cases if case.weights is not None)
        self._models = open_models(dict.fromkeys(named))
        self._builder = Builder(self._models, self._device, means.works)
        self._threads = _known(case.threads for case in cases) or [environment.usable_cores()]
        calls, self._references = _of_kind(CALLS, cases, references)
        self._streams, self._stream_references = _of_kind(STREAMS, cases, references)
        for case in self._streams:
            means.check(case)
        self._works = [self._builder.work(case) for case in calls]
        if request.ceiling:
            precisions = _known(case.precision for case in cases)
            self._works += probes(self._device, precisions, self._threads)

    def _with_runtime(self, case: Case) -> Case:
        """The case with a runtime that can be had."""
        if case.runtime is None:
            return case
        try:
            runtime = choose_runtime(case.runtime, self._device, given(case.precision))
            return replace(case, runtime=runtime)
        except RuntimeMissingError as error:
            raise BenchmarkError(str(error)) from error

    @property
    def turns(self) -> int:
        """How many turns there will be, the warm-up among them, if time allows."""
        calls = len(self._works) * (1 + self._request.effort.rounds)
        return calls + len(self._streams) * self._request.streams.runs

    @property
    def busy(self) -> bool:
        """Whether other work kept this machine busy before."""
        return self._load > _BUSY * environment.usable_cores()

    def run(self, on_turn: Callable[[], object] = lambda: None) -> Outcome:
        """Time everything; `on_turn` is called after every turn."""
        works, self._works = self._works, []  # which a node may need the memory of
        timed = take_turns(works, self._request.effort, on_turn)
        parts = len(self._references)
        references = [*self._references, *[None] * (len(works) - parts)]
        rows = timed_rows([work.row for work in works], timed, references)
        del works
        streams, problem = self._time_streams(on_turn)
        rounds = len(timed[0].turns) if timed else 0
        rows = with_ceilings([*rows[:parts], *streams, *rows[parts:]])
        return Outcome(self._about(rounds), rows, problem)

    def _time_streams(self, on_turn: Callable[[], object]) -> tuple[list[Row], str | None]:
        operations = [
            None if case.weights is None else self._builder.operations(case)
            for case in self._streams
        ]
        works = [
            partial(self._means.stream, case, self._models.get(case.weights or ""))
            for case in self._streams
        ]
        runs, problem = take_runs(works, self._request.streams, on_turn)
        if not all(runs):
            return [], problem
        known = [
            stream_row(self._builder.row(case), own)
            for case, own in zip(self._streams, runs, strict=True)
        ]
        timed = [
            stream_times(own, count, None if count else _moved(case))
            for case, own, count in zip(self._streams, runs, operations, strict=True)
        ]
        return timed_rows(known, timed, self._stream_references), problem

    def _about(self, rounds: int) -> dict[str, Any]:
        request = self._request
        return {
            "device": str(self._device),
            "hardware": environment.hardware(str(self._device)),
            "threads": self._threads,
            "load_before": round(self._load, 2),
            "versions": environment.versions(),
            "effort": {**asdict(request.effort), "rounds": rounds},
            "streams": asdict(request.streams),
            "models": {model.name: model.facts for model in self._models.values()},
        }


def _known(values: Iterable[ValueT | None]) -> list[ValueT]:
    """Each of them once, in the order in which they come."""
    return [value for value in dict.fromkeys(values) if value is not None]


def _of_kind(
    parts: Container[str], cases: Sequence[Case], references: Sequence[int]
) -> tuple[list[Case], list[int]]:
    """The cases of some parts, and what each of them refers to among themselves."""
    own = [index for index, case in enumerate(cases) if case.what in parts]
    places = {index: place for place, index in enumerate(own)}
    return [cases[index] for index in own], [places[references[index]] for index in own]


def _moved(case: Case) -> int:
    """Bytes of an image and its mask that are read and written once, at least, on the way."""
    return 2 * (3 + 1) * case.size.width * case.size.height
