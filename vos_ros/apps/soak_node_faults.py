# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is done in a soak to the node itself, and what it is asked for only now and then.

Its files, its clock and its process meet with it.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from builtin_interfaces.msg import Time
from lifecycle_msgs.msg import State, Transition
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger

from vos_msgs.srv import LoadTargets, SaveTargets
from vos_ros.apps.soak_camera_faults import let_last, let_send
from vos_ros.apps.soak_requests import TARGETS, any_request, parameter
from vos_ros.apps.soak_stage import SoakStage
from vos_ros.ros import qos
from vos_ros.ros.requests import nanoseconds

_DOWN = (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP)
_UP = (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE)
_NOT_NOW = ("has its mask already", "No image has come")
"""Refusals to look at the newest image that are nobody's fault."""


def _set(stage: SoakStage, name: str, value: bool | int) -> None:
    (result,) = stage.ask(parameter(name, value)).results
    stage.expect(result.successful, f"{name} could not be set to {value}: {result.reason}")


def confidence(stage: SoakStage, chance: random.Random) -> None:
    """Somebody asks how sure each label is, until some images of it have come."""
    count, heard = chance.randint(1, 5), []

    def take(message: Image) -> None:
        heard.append(message)
        stage.expect_nothing(_wrong_with(stage, message))

    ear = stage.node.create_subscription(Image, "vos/confidence", take, qos.results())
    try:
        stage.wait.until(lambda: len(heard) >= count, stage.patience, "the confidence to come")
    finally:
        stage.node.destroy_subscription(ear)


def _wrong_with(stage: SoakStage, message: Image) -> str | None:
    """What is wrong with an image of the confidence; None when nothing is."""
    size = (message.height, message.width)
    if (message.encoding, message.step) != ("32FC1", 4 * message.width):
        return f"the confidence is {message.encoding!r} with a step of {message.step}"
    values = np.frombuffer(message.data, np.float32)
    if values.size != size[0] * size[1] or not ((values >= 0) & (values <= 1)).all():
        return "the confidence has other values than one from 0 to 1 for each pixel"
    stamp = nanoseconds(message.header.stamp)
    return stage.report.ledger.mismatch("the confidence", stamp, size)


def segment(stage: SoakStage, chance: random.Random) -> None:
    """No image is looked at but those asked for, and then every Nth."""
    met = 0
    try:
        _set(stage, "every", 0)
        for _ in range(chance.randint(2, 6)):
            let_send(stage, chance.randint(1, 3))
            answer = stage.ask(Trigger.Request(), "segment")
            met += answer.success
            lawful = answer.success or any(words in answer.message for words in _NOT_NOW)
            stage.expect(lawful, f"the newest image was not looked at: {answer.message}")
        stage.expect(met > 0, "none of the images asked for was looked at")
        _set(stage, "every", chance.randint(2, 5))
        let_send(stage, 10)
    finally:
        _set(stage, "every", 1)


def disk(stage: SoakStage, chance: random.Random) -> None:
    """What is to be kept is to be written where no file can be."""
    aside = stage.targets.with_name("targets.aside")
    stage.targets.mkdir(parents=True, exist_ok=True)
    stage.targets.rename(aside)
    try:
        stage.targets.write_text("a file where the folder should be", encoding="utf-8")
        for request in (SaveTargets.Request(name=TARGETS), LoadTargets.Request(name=TARGETS)):
            answer = stage.ask(request)
            stage.expect(not answer.success, f"without a folder: {answer.message}")
    finally:
        stage.targets.unlink(missing_ok=True)
        aside.rename(stage.targets)
    saved = stage.ask(SaveTargets.Request(name=TARGETS))
    stage.expect(saved.success, f"not saved: {saved.message}")
    stage.expect(
        stage.ask(Trigger.Request(), "write_trace").success, "the trace could not be written"
    )


def sim_time(stage: SoakStage, chance: random.Random) -> None:
    """The node goes by a simulation's clock, which goes on, stands, jumps and starts over."""
    publisher = stage.node.create_publisher(Clock, "/clock", 10)
    moment = chance.randint(0, 10**12)
    try:
        _set(stage, "use_sim_time", True)
        for _ in range(chance.randint(5, 20)):
            moment = chance.choice((moment, moment + 10**8, moment + 10**12, 0, time.time_ns()))
            seconds, rest = divmod(min(moment, 2**31 * 10**9 - 1), 10**9)
            publisher.publish(Clock(clock=Time(sec=seconds, nanosec=rest)))
            let_last(stage, chance.uniform(0, 0.1))
    finally:
        stage.node.destroy_publisher(publisher)
        _set(stage, "use_sim_time", False)


def _cut_short(path: Path, chance: random.Random) -> None:
    with path.open("r+b") as file:
        file.truncate(chance.randrange(path.stat().st_size))


def _overwritten(path: Path, chance: random.Random) -> None:
    with path.open("r+b") as file:
        file.write(chance.randbytes(4096))


_SPOILING: dict[str, Callable[[Path, random.Random], None]] = {
    "cut short": _cut_short,
    "overwritten": _overwritten,
    "deleted": lambda path, chance: path.unlink(),
}


def weights(stage: SoakStage, chance: random.Random) -> None:
    """The weight file is spoilt while the node runs, and it is configured with that."""
    path = stage.weights
    if path is None:
        return
    whole, how = path.read_bytes(), chance.choice(sorted(_SPOILING))
    try:
        _SPOILING[how](path, chance)
        stage.resume(chance)  # it has what it needs
        stage.change(*_DOWN)
        stage.expect(not stage.transit(_UP[0]), f"configured with weights that are {how}")
        state = stage.state()
        stage.expect(
            state == State.PRIMARY_STATE_UNCONFIGURED, f"after bad weights, its state is {state}"
        )
    finally:
        path.write_bytes(whole)
    stage.change(*_UP)
    stage.forget_past()
    stage.ask(Trigger.Request())


def end(stage: SoakStage, chance: random.Random) -> None:
    """The node is told to end, whatever it is doing, and started again."""
    for _ in range(chance.randint(0, 5)):
        service, request = any_request(chance, stage.camera.size)
        stage.send(request, service)  # answered or not
    let_last(stage, chance.uniform(0, 0.3))
    stage.start_anew(chance.choice((signal.SIGINT, signal.SIGTERM)))
