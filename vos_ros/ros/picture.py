# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node at one moment, and a report made of it: what `health` works with. No ROS here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from vos_ros.identity import Pair
from vos_ros.ros.device_memory import Memory
from vos_ros.ros.size_choice import SizeView
from vos_ros.ros.statistics import Lately, Statistics
from vos_ros.ros.stream_watch import CameraView
from vos_ros.ros.troubles import Trouble


class Level(IntEnum):
    """How bad it is; the numbers are those of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2


@dataclass(frozen=True)
class Picture:
    """The node at one moment.

    Attributes:
        state: unconfigured, inactive or active.
        built: what was configured, in words; "" while nothing is.
        weights: SHA-256 of the file that the network was read from, hexadecimal; "" likewise.
        trouble: the last thing that went wrong.
        refused: requests that were, since the process started.
        callbacks_failed: failures inside the node that it went on after, since the process started.
        now: the moment, seconds of `time.perf_counter`.
        camera: what is known of it; None while the node takes no images.
        statistics: counts and times since the node was configured.
        lately: what has come on top of the counts within the last ten seconds.
        ids: the objects followed, ascending.
        present: whether each object of the last result was in its image.
        doubts: objects that may have been taken for one another, in pairs.
        strangers: objects that may be something that nobody follows.
        exchanges: how often two had been, and were put right, since the node was configured.
        runtime_trouble: why PyTorch computes steps that were to be compiled; "" while it does not.
        memory: of the device the network runs on; None while nothing is configured.
        camera_timeout, latency_warning: the parameters of these names, seconds.
        size: the internal size and the deadline; None while nothing is configured.
    """

    state: str
    built: str
    weights: str
    trouble: Trouble | None
    refused: int
    callbacks_failed: int
    now: float
    camera: CameraView | None
    statistics: Statistics
    lately: Lately
    ids: tuple[int, ...]
    present: Mapping[int, bool]
    doubts: tuple[Pair, ...]
    strangers: tuple[int, ...]
    exchanges: int
    runtime_trouble: str
    memory: Memory | None
    camera_timeout: float
    latency_warning: float
    size: SizeView | None = None


@dataclass
class Report:
    """One status in the making: a level, sentences that give reasons for it, and values by key."""

    level: Level = Level.OK
    message: str = ""
    values: dict[str, str] = field(default_factory=dict)

    def find(self, level: Level, sentence: str) -> None:
        """Add a finding; the report is as bad as its worst."""
        self.message = f"{self.message} {sentence}".strip()
        self.level = max(self.level, level)

    def add(self, values: Mapping[str, object]) -> None:
        """Add values by their keys."""
        self.values.update({key: show(value) for key, value in values.items()})

    def otherwise(self, sentence: str) -> Report:
        """Say this if nothing was found."""
        self.message = self.message or sentence
        return self


def show(value: object) -> str:
    """Write a value: numbers with four digits, and what is not known as such."""
    if not isinstance(value, float):
        return str(value)
    if math.isnan(value):
        return "unknown"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
