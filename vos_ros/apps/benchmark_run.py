# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One run of what a camera streams to: three processes, from their start to their end."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from std_msgs.msg import Header

from vos_msgs.srv import InitMask
from vos_ros.apps.benchmark_stage import BenchmarkStage
from vos_ros.apps.processes import Child
from vos_ros.apps.waiting import WaitingError
from vos_ros.benchmark.errors import BenchmarkError
from vos_ros.benchmark.film import make_film
from vos_ros.benchmark.models import Model
from vos_ros.benchmark.settings import Case, given
from vos_ros.benchmark.streams import StreamEffort, StreamRun
from vos_ros.ros.images import labels_to_message, rgb_to_message
from vos_ros.ros.model import ModelError, choose_device, choose_precision
from vos_ros.ros.parameters import BY_NAME
from vos_ros.soak.memory import MemoryCurve, resident_megabytes
from vos_ros.weights import ModelCard, find_weights, save_network

_CAMERA = (sys.executable, "-m", "vos_ros.apps.benchmark_camera")
_ECHO = (sys.executable, "-m", "vos_ros.apps.benchmark_echo")
_NODE = (sys.executable, "-m", "vos_ros", "node")
_CAMERAS = (sys.executable, "-m", "vos_ros", "cameras")


class StreamMeter:
    """Runs cases, each time with processes of its own, which are gone when it is over.

    Args:
        domain: ROS domain id of all of them.
        device: that nodes run on.
        effort: how much is streamed.
        folder: for what processes say and for weights that no file has.
        node: starts the node of one camera; takes ROS arguments.
    """

    def __init__(
        self,
        domain: int,
        device: str,
        effort: StreamEffort,
        folder: Path,
        node: Sequence[str] = _NODE,
    ) -> None:
        self._domain, self._device, self._effort = domain, device, effort
        self._folder, self._command = folder, node
        self._untrained: dict[str, Path] = {}
        self._environment = {**os.environ, "ROS_DOMAIN_ID": str(domain)}

    def check(self, case: Case) -> None:
        """Raises BenchmarkError for a case that no node would be configured with."""
        if case.precision is None:
            return
        try:
            choose_precision(case.precision, choose_device(self._device))
        except ModelError as error:
            raise BenchmarkError(f"{error} Or leave the node out of --what.") from error

    def run(self, case: Case, model: Model | None) -> StreamRun:
        """Stream to the process of a case: the node, or one that answers at once.

        Args:
            case: of `STREAMS`.
            model: that the node is to follow with; None of a case without.

        Raises:
            BenchmarkError: a process has died, or what was waited for did not happen.
        """
        try:
            with ExitStack() as stack:
                return self._run(case, model, stack)
        except (WaitingError, OSError) as error:
            raise BenchmarkError(f"{case.what} at {case.size}: {error}") from error

    def _run(self, case: Case, model: Model | None, stack: ExitStack) -> StreamRun:
        log = self._folder / "sent.txt"
        camera = self._start("camera", self._camera(case, log), stack)
        stage = BenchmarkStage(self._domain, list(node_topics(case)))
        stack.callback(stage.close)
        stage.meet_camera(camera)
        startup = None
        if model is None:
            child = self._start("echo", _ECHO, stack)
            stage.wait.children.append(child)
        else:
            command = self._node(case, model)
            request = first_request(case)
            began = time.monotonic()
            child = self._start("node", command, stack)
            stage.first_answers(child, request)
            startup = time.monotonic() - began
        stage.play(self._effort.warmup, self._effort.settle)
        memory = _Memory(child.pid)
        stage.every_second(memory.look)
        stage.finish(camera)
        sent = [int(line) for line in log.read_text(encoding="ascii").split()]
        stage.wait_for_mask(sent[-1])
        ends, slope = memory.ends()
        figures = stage.figures() if model is not None else {}
        lost = figures.pop("lost", None)
        run = StreamRun(
            sent,
            dict(stage.arrived),
            startup=startup,
            memory=ends,
            slope=slope,
            parts=figures,
            lost=None if lost is None else int(lost),
            cameras=case.cameras or 1,
        )
        if not run.answered:
            raise WaitingError(f"no mask of {len(sent)} images came\n{stage.wait.words()}")
        return run

    def _start(self, name: str, command: Sequence[str], stack: ExitStack) -> Child:
        child = Child(name, command, self._environment, self._folder / f"{name}.log")
        stack.callback(child.end)
        return child

    def _camera(self, case: Case, log: Path) -> list[str]:
        given = {
            "size": case.size, "objects": case.objects or 1, "rate": self._effort.rate,
            "frames": self._effort.frames, "log": log,
        }  # fmt: skip
        options = (f"--{name}={value}" for name, value in given.items())
        return [*_CAMERA, *options, "--topics", *node_topics(case).values()]

    def _node(self, case: Case, model: Model) -> list[str]:
        parameters = node_parameters(case, self._device, self._weights(case, model))
        # ROS reads values as YAML, of which JSON's quoted strings are a part.
        given = (f"{name}:={json.dumps(value)}" for name, value in parameters.items())
        ros = ["--ros-args", *(word for text in given for word in ("-p", text))]
        if case.cameras == 1:
            return [*self._command, *ros]
        return [*_CAMERAS, *map("=".join, node_topics(case).items()), *ros]

    def _weights(self, case: Case, model: Model) -> Path:
        """The file that a node reads: the model's own, or one made of a network without."""
        if model.facts["sha256"] is not None:
            return find_weights(given(case.weights))
        if case.weights not in self._untrained:
            path = self._folder / f"untrained_{len(self._untrained)}.safetensors"
            card = ModelCard(model.facts["model"], model.facts["config"])
            save_network(path, model.network, card)
            self._untrained[given(case.weights)] = path
        return self._untrained[given(case.weights)]


class _Memory:
    """Resident memory of a process, from now on."""

    def __init__(self, pid: int) -> None:
        self._pid, self._began = pid, time.monotonic()
        self._curve = MemoryCurve(warm_up=0.0)
        self._first = self._last = resident_megabytes(pid)

    def look(self) -> None:
        """Take a sample."""
        self._last = resident_megabytes(self._pid)
        if self._last is not None:
            self._curve.add(time.monotonic() - self._began, self._last)

    def ends(self) -> tuple[tuple[float, float] | None, float | None]:
        """First and last sample, 10^6 bytes, and the slope, 10^6 bytes an hour; None if unknown."""
        self.look()
        slope = self._curve.slope()
        if self._first is None or self._last is None:
            return None, slope
        return (self._first, self._last), slope


def node_topics(case: Case) -> dict[str, str]:
    """By the name of each node, the topic of its camera."""
    if case.cameras is None or case.cameras == 1:
        return {"vos": "image"}
    return {f"camera{k}": f"/camera{k}/image" for k in range(1, case.cameras + 1)}


def first_request(case: Case) -> InitMask.Request:
    """Has the node follow the objects of the film's first frame, which it brings along."""
    film = make_film(case.size, given(case.objects))
    return InitMask.Request(
        mask=labels_to_message(film.mask, Header()),
        image=rgb_to_message(film.frames[0], Header(), "bgr8"),
    )


def node_parameters(case: Case, device: str, weights: Path) -> Mapping[str, object]:
    """The parameters of a node that does what a case says."""
    return {
        "weights": str(weights.resolve()),
        "device": device,
        "precision": case.precision,
        "internal_size": case.internal_size,
        "threads": case.threads,
        "runtime": case.runtime,
        "max_objects": max(given(case.objects), int(BY_NAME["max_objects"].default)),
    }
