# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a soak has seen: counts, memory, times, and every promise that was not kept."""

from __future__ import annotations

import time
from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vos_ros.evaluation.environment import hardware, versions
from vos_ros.soak.ledger import Ledger
from vos_ros.soak.memory import MemoryCurve

_SHOWN = 100  # broken promises that are written out


@dataclass
class Report:
    """What has happened so far.

    Attributes:
        seconds, seed, every: as asked for.
        rate: images a second.
        node: its parameters that differ from their defaults.
        warm_up: seconds that the memory's slope leaves out.
        began, ended: when the faults did, in seconds of the steady clock; None before that.
        frames: images sent, broken ones too.
        ledger: masks and their times.
        faults: how many of each kind were caused.
        restarts: how often the node had died, or did not answer any more, and was started again.
        broken: promises that were not kept, in words.
        requests, refused: calls of services, and those refused.
        answer_times: seconds until each answer.
        curves: memory of the node, one for each time it was started.
        exit_status: of the node when it was last told to end.
        exit_times: seconds that it took to end, each time that it was told to.
        interrupted: whether it was ended before its time.
    """

    seconds: float
    seed: int
    every: float
    rate: float
    node: dict[str, Any]
    warm_up: float
    ledger: Ledger = field(default_factory=Ledger)
    began: float | None = None
    ended: float | None = None
    frames: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    restarts: int = 0
    broken: list[str] = field(default_factory=list)
    requests: int = 0
    refused: int = 0
    answer_times: array[float] = field(default_factory=lambda: array("f"))
    curves: list[MemoryCurve] = field(default_factory=list)
    exit_status: int | None = None
    exit_times: list[float] = field(default_factory=list)
    interrupted: bool = False

    @property
    def ran(self) -> float:
        """Seconds since it began, until it ended."""
        if self.began is None:
            return 0.0
        return (time.monotonic() if self.ended is None else self.ended) - self.began

    @property
    def failed(self) -> bool:
        """Whether the node had to be started again, or a promise was broken."""
        return self.restarts > 0 or bool(self.broken)

    def as_json(self) -> dict[str, Any]:
        """All of it; times in milliseconds, memory in 10^6 bytes."""
        longest = max(self.curves, key=len, default=MemoryCurve(self.warm_up))
        slope, latency = longest.slope(), _milliseconds(self.ledger.latencies)
        return {
            "seconds": self.seconds,
            "seed": self.seed,
            "seconds_run": round(self.ran, 1),
            "interrupted": self.interrupted,
            "frames": self.frames,
            "masks": self.ledger.masks,
            "faults": dict(sorted(self.faults.items())),
            "restarts": self.restarts,
            "promises_broken": len(self.broken),
            "broken": self.broken[:_SHOWN],
            "memory_slope_mb_per_hour": None if slope is None else round(slope, 1),
            "memory_mb": longest.as_json(),
            "worst_latency_ms": latency["worst"],
            "latency_ms": latency,
            "requests": self.requests,
            "requests_refused": self.refused,
            "answer_ms": _milliseconds(self.answer_times),
            "exit_status": self.exit_status,
            "exit_seconds": round(max(self.exit_times), 2) if self.exit_times else None,
            "seconds_between_faults": self.every,
            "camera_rate_hz": self.rate,
            "node_parameters": self.node,
            "hardware": hardware("cpu"),
            "versions": versions(),
        }

    def describe(self) -> str:
        """The report for people."""
        told = self.as_json()
        latency, memory, answers = told["latency_ms"], told["memory_mb"], told["answer_ms"]
        lines = [
            f"ran      {self.ran:.0f} of {self.seconds:g} s, seed {self.seed}",
            f"camera   {self.frames} images sent, {told['masks']} masks came back",
            f"latency  {latency['median']} ms median, {latency['p95']} ms at 95 %, "
            f"{latency['worst']} ms at worst",
            f"requests {self.requests}, of which {self.refused} were refused; "
            f"{answers['median']} ms median, {answers['worst']} ms at worst",
            f"memory   {memory.get('first')} MB first, {memory.get('last')} last, "
            f"{memory.get('highest')} at most; {told['memory_slope_mb_per_hour']} MB an hour",
            f"faults   {sum(self.faults.values())}: "
            + ", ".join(f"{count} {kind}" for kind, count in told["faults"].items()),
            f"restarts {self.restarts}",
        ]
        lines += [f"BROKEN: {text}" for text in self.broken[:_SHOWN]]
        return "\n".join(lines)


def _milliseconds(times: array[float]) -> dict[str, float | None]:
    """Median, 95th percentile and worst of times in seconds; None where there are none."""
    if not times:
        return {"median": None, "p95": None, "worst": None}
    values = np.percentile(np.frombuffer(times, np.float32), [50, 95, 100]) * 1000
    return dict(zip(("median", "p95", "worst"), (round(float(v), 1) for v in values), strict=True))
