# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A whole benchmark: from what is asked for to rows, and what they were measured with."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import torch

from vos_ros.benchmark.cases import combinations
from vos_ros.benchmark.ceiling import probes
from vos_ros.benchmark.errors import BenchmarkError
from vos_ros.benchmark.models import open_models
from vos_ros.benchmark.parts import Builder
from vos_ros.benchmark.rotation import Effort, take_turns
from vos_ros.benchmark.rows import complete_rows
from vos_ros.benchmark.work import Row
from vos_ros.evaluation import environment

#: of the usable cores; other work above this share spoils the figures
_BUSY = 0.25


@dataclass(frozen=True)
class Request:
    """What is to be measured.

    Attributes:
        choices: the values to combine, by setting (see `cases.SETTINGS`).
        variants: sides of a comparison, or None.
        device: cpu, cuda or cuda:N.
        threads: that an operation may use on the CPU.
        ceiling: whether to measure what the machine can do, too.
        effort: how much is timed.
    """

    choices: Mapping[str, Sequence]
    variants: Mapping[str, Mapping[str, object]] | None
    device: str
    threads: int
    ceiling: bool
    effort: Effort


@dataclass(frozen=True)
class Outcome:
    """What was found.

    Attributes:
        about: with what it was measured; values that JSON can hold.
        rows: networks and segmenters in the order of the request, then the probes.
    """

    about: dict
    rows: list[Row]

    @property
    def parts(self) -> list[Row]:
        """The rows of networks and segmenters, those of each part together."""
        return sorted((r for r in self.rows if r.model is not None), key=lambda row: row.what)

    @property
    def probes(self) -> list[Row]:
        """The rows of what the machine can do."""
        return [row for row in self.rows if row.model is None]


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

    Raises:
        BenchmarkError: when something of it cannot be had; nothing was timed then.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._load = os.getloadavg()[0]  # before any work of our own
        self._device = open_device(request.device)
        torch.set_num_threads(request.threads)
        cases, self._references = combinations(request.choices, request.variants)
        self._models = open_models(dict.fromkeys(case.weights for case in cases))
        builder = Builder(self._models, self._device)
        self._works = [builder.work(case) for case in cases]
        if request.ceiling:
            used = list(dict.fromkeys(case.precision for case in cases))
            self._works += probes(self._device, used)

    @property
    def turns(self) -> int:
        """How many turns there will be, the warm-up among them, if time allows."""
        return len(self._works) * (1 + self._request.effort.rounds)

    @property
    def busy(self) -> bool:
        """Whether other work kept this machine busy before."""
        return self._load > _BUSY * environment.usable_cores()

    def run(self, on_turn: Callable[[], object] = lambda: None) -> Outcome:
        """Time everything; `on_turn` is called after every turn."""
        timed = take_turns(self._works, self._request.effort, on_turn)
        extra = len(self._works) - len(self._references)
        rows = complete_rows(self._works, timed, [*self._references, *[None] * extra])
        return Outcome(self._about(rounds=len(timed[0].times)), rows)

    def _about(self, rounds: int) -> dict:
        return {
            "device": str(self._device),
            "hardware": environment.hardware(str(self._device)),
            "threads": self._request.threads,
            "load_before": round(self._load, 2),
            "versions": environment.versions(),
            "effort": {**asdict(self._request.effort), "rounds": rounds},
            "models": {model.name: model.facts for model in self._models.values()},
        }
