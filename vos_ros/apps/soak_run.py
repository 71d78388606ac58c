# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A soak from the node's start to its end: fault after fault, and what is left is looked at."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from lifecycle_msgs.msg import State, Transition
from tqdm import tqdm

from vos_ros.apps.processes import Child
from vos_ros.apps.soak_faults import CAUSES
from vos_ros.apps.soak_stage import SoakStage
from vos_ros.apps.waiting import WaitingError
from vos_ros.soak.memory import MemoryCurve, resident_megabytes
from vos_ros.soak.plan import Planned, plan
from vos_ros.soak.report import Report

_START_PATIENCE = 180.0  # s for a process to come up; a cold disk and a busy machine take long
_ON = {
    State.PRIMARY_STATE_UNCONFIGURED: Transition.TRANSITION_CONFIGURE,
    State.PRIMARY_STATE_INACTIVE: Transition.TRANSITION_ACTIVATE,
}
_FAULTS_OF_OURS = ("Traceback", "terminate called", "Fatal Python error")


class SoakRun:
    """The node in its own process, and the stage on which faults happen to it.

    To be used with ``with``: however it is left, the node is ended and the report completed.

    Args:
        logs: folder for what the node says.
        report: filled on the way.
        domain: ROS domain id of all of it.
        patience: seconds within which answers and masks must come.
        command: starts the node; takes ROS arguments.
        weights: a weight file of the node's own, which faults may spoil; None leaves it the choice.
    """

    def __init__(
        self,
        logs: Path,
        report: Report,
        domain: int,
        patience: float,
        command: Sequence[str] = (sys.executable, "-m", "vos_ros", "node"),
        weights: Path | None = None,
    ) -> None:
        self._logs, self._report = logs, report
        self._patience = patience
        self._domain, self._command, self._weights = domain, command, weights
        self._child: Child | None = None
        self._up = False  # whether the node that was started last has come to work
        self._chance = random.Random(report.seed)

    def __enter__(self) -> SoakRun:
        for old in self._logs.glob("node_*.log"):
            old.unlink()
        self._stage = SoakStage(
            self._report, self._domain, rate=self._report.rate, patience=self._patience
        )
        self._stage.weights, self._stage.targets = self._weights, self._logs / "targets"
        self._stage.start_anew = self._start_anew
        self._stage.every_second(self._look_at_memory)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._report.ended = time.monotonic()
        self._report.frames = self._stage.camera.number
        try:
            self._end_node()
        finally:
            self._stage.close()
        self._read_logs()

    def start(self) -> None:
        """Start the node and have it follow something; a broken promise if that fails."""
        print("Starting the node ...", flush=True)
        try:
            self._start_node()
        except WaitingError as error:
            self._stage.broke(f"the node could not be started: {_first_line(error)}")
        self._report.began = time.monotonic()

    def go_through(self, kinds: Sequence[str]) -> None:
        """Cause faults of these kinds until the time is over."""
        report = self._report
        if report.failed:
            return
        with tqdm(total=report.seconds, unit="s", desc="soaking", bar_format=_BAR) as bar:
            for planned in plan(report.seed, report.every, kinds):
                if self._child is not None:
                    self._let_be(min(planned.at, report.seconds))
                if report.ran >= report.seconds or self._child is None:
                    return
                bar.set_postfix(masks=report.ledger.masks, fault=planned.kind, refresh=False)
                bar.update(min(round(report.ran), report.seconds) - bar.n)
                self._cause(planned)

    def _let_be(self, until: float) -> None:
        """Let all go well until so many seconds after the beginning."""
        try:
            self._stage.wait.spin_for(until - self._report.ran, lambda: False)
        except WaitingError as error:
            self._mishap("while nothing was wrong", error)

    def _cause(self, planned: Planned) -> None:
        chance = random.Random(planned.seed)
        self._report.faults[planned.kind] += 1
        try:
            CAUSES[planned.kind](self._stage, chance)
            self._stage.resume(chance)
        except WaitingError as error:
            self._mishap(f"after {planned.kind}", error)

    # When something is not as promised -----------------------------------------------------------

    def _mishap(self, when: str, error: WaitingError) -> None:
        """Note it, and bring everything back to where it was: by a new start only if need be."""
        self._stage.broke(f"{when}: {_first_line(error)}")
        try:
            self._bring_back()
            return
        except WaitingError as worse:
            self._stage.broke(f"it does not come back by itself: {_first_line(worse)}")
        self._report.restarts += 1
        self._end_node(in_order=False)
        try:
            self._stage.forget_dead()
            self._start_node()
        except WaitingError as worst:
            self._stage.broke(f"it cannot be started again: {_first_line(worst)}")
            self._end_node(in_order=False)

    def _bring_back(self) -> None:
        state = self._stage.state()
        while state in _ON:
            self._stage.change(_ON[state])
            before, state = state, self._stage.state()
            if state == before:
                raise WaitingError("it stays in its state")
        self._stage.followed.clear()
        self._stage.resume(self._chance)

    # The node's process --------------------------------------------------------------------------

    def _start_node(self) -> None:
        number = len(self._report.curves) + 1
        arguments = [*self._command, "--ros-args"]
        folders = {name: self._logs.absolute() / name for name in ("targets", "traces")}
        own = {
            "targets_directory": str(folders["targets"]),
            "trace_directory": str(folders["traces"]),
            **({"weights": str(self._weights.absolute())} if self._weights else {}),
        }
        for name, value in {**self._report.node, **own}.items():
            # ROS reads values as YAML, of which JSON's quoted strings are a part.
            arguments += ["-p", f"{name}:={json.dumps(value)}"]
        self._report.curves.append(MemoryCurve(self._report.warm_up))
        self._up = False
        self._child = Child("node", arguments, os.environ, self._logs / f"node_{number}.log")
        self._stage.meet(self._child, max(_START_PATIENCE, self._patience))
        self._up = True
        self._stage.resume(self._chance)

    def _start_anew(self, number: int) -> None:
        self._end_node(number=number)
        self._stage.forget_dead()
        self._start_node()

    def _end_node(self, in_order: bool = True, number: int = signal.SIGINT) -> None:
        """End it; in order, by a signal, it must be quick about it and exit with 0.

        A process that is still coming up owes nobody that.
        """
        child, self._child = self._child, None
        if child is None:
            return
        if in_order and self._up and child.status() is None:
            began = time.monotonic()
            status = child.told(number, self._patience)
            self._report.exit_status = status
            self._report.exit_times.append(time.monotonic() - began)
            self._stage.expect(
                status == 0,
                f"told to end, the node's status was {status} after {self._patience:g} s",
            )
        child.end()

    def _look_at_memory(self) -> None:
        if self._child is not None and self._up:
            held = resident_megabytes(self._child.pid)
            if held is not None:
                self._report.curves[-1].add(self._report.ran, held)

    def _read_logs(self) -> None:
        """A traceback is a broken promise, whatever came of it.

        Not so of a node that was ended while it came up: Python's own way out has one.
        """
        count = len(self._report.curves) - (not self._up)
        for log in (self._logs / f"node_{number}.log" for number in range(1, count + 1)):
            with log.open(encoding="utf-8", errors="replace") as lines:
                found = [line for line in lines if any(w in line for w in _FAULTS_OF_OURS)]
            if found:
                self._stage.broke(f"{log.name} has {len(found)} of {found[0].strip()!r}")


_BAR = "{desc} {percentage:3.0f}% |{bar}| {n:.0f}/{total:.0f} s{postfix}"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
