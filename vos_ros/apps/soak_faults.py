# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Causes the faults of a soak, one function for each kind of `vos_ros.soak.plan.FAULTS`.

A fault ends when nothing of it is left to be done; whether masks come again is looked at after it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

from lifecycle_msgs.msg import State, Transition
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from vos_msgs.msg import ObjectPresenceArray
from vos_msgs.srv import LoadTargets, RemoveObject, SaveTargets
from vos_ros.apps.soak_camera_faults import (
    broken_images,
    encoding,
    equal_stamps,
    fast_camera,
    let_last,
    let_send,
    resolution,
    silence,
    time_back,
    zero_stamps,
)
from vos_ros.apps.soak_node_faults import confidence, disk, end, segment, sim_time, weights
from vos_ros.apps.soak_requests import (
    BAD_INITS,
    BAD_NAMES,
    TARGETS,
    any_request,
    parameter,
    unknown_id,
)
from vos_ros.apps.soak_stage import SoakStage, service_of
from vos_ros.ros import qos

_PAUSE = (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_ACTIVATE)
_REBUILD = (
    Transition.TRANSITION_DEACTIVATE,
    Transition.TRANSITION_CLEANUP,
    Transition.TRANSITION_CONFIGURE,
    Transition.TRANSITION_ACTIVATE,
)


def _listeners(stage: SoakStage, chance: random.Random) -> None:
    odd = QoSProfile(
        depth=1,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
    )
    wishes = [
        (Image, "vos/overlay", qos.results()),
        (Image, "vos/mask", odd),
        (ObjectPresenceArray, "vos/presence", qos.results()),
        *((Bool, f"vos/presence/object_{i}", qos.latched()) for i in sorted(stage.followed)),
    ]
    for kind, topic, quality in chance.sample(wishes, len(wishes)):
        heard: list[Any] = []
        ear = stage.node.create_subscription(kind, topic, heard.append, quality)
        # The odd one never hears anything; the others may go before they do.
        stage.wait.spin_for(chance.uniform(0, 0.5), partial(bool, heard))
        stage.node.destroy_subscription(ear)


def _deafness(stage: SoakStage, chance: random.Random) -> None:
    stage.listen(False)
    let_last(stage, chance.uniform(0.5, 3))


def _call_burst(stage: SoakStage, chance: random.Random) -> None:
    count = chance.choice((50, 200, 1000))
    calls = [any_request(chance, stage.camera.size) for _ in range(count)]
    futures = [stage.send(request, service) for service, request in calls]
    for (service, request), future in zip(calls, futures, strict=True):
        service = service or service_of(request)
        stage.wait.until(future.done, stage.patience, f"one of {count} answers, to {service}")
        stage.heard(service, future.result())
    # Answers come in any order: the last one tells nothing of what is followed in the end.
    stage.ask(RemoveObject.Request(id=0))


def _init(stage: SoakStage, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 4)):
        stage.follow(chance, keep=chance.random() < 0.5)


def _refused(stage: SoakStage, request: Any, what: str) -> None:
    before = set(stage.followed)
    answer = stage.ask(request)
    stage.expect(not answer.success, f"{service_of(request)} with {what} was not refused")
    stage.expect(stage.followed == before, f"a refusal of {what} changed what is followed")


def _bad_init(stage: SoakStage, chance: random.Random) -> None:
    for what in chance.sample(sorted(BAD_INITS), chance.randint(1, len(BAD_INITS))):
        _refused(stage, BAD_INITS[what](chance, stage.camera.size), what)


def _remove(stage: SoakStage, chance: random.Random) -> None:
    gone = chance.choice(sorted(stage.followed))
    answer = stage.ask(RemoveObject.Request(id=gone))
    stage.expect(answer.success and gone not in stage.followed, f"{gone} was not removed")


def _unknown_remove(stage: SoakStage, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 10)):
        _refused(stage, RemoveObject.Request(id=unknown_id(chance)), "an unknown id")


def _reset(stage: SoakStage, chance: random.Random) -> None:
    stage.expect(stage.ask(Trigger.Request()).success, "a reset was refused")
    let_send(stage, chance.randint(0, 5))


def _targets(stage: SoakStage, chance: random.Random) -> None:
    before = set(stage.followed)
    saved = stage.ask(SaveTargets.Request(name=TARGETS))
    stage.expect(saved.success and set(saved.ids) == before, f"not saved: {saved.message}")
    for name in chance.sample(BAD_NAMES, 3):
        _refused(stage, SaveTargets.Request(name=name), f"the name {name!r}")
        _refused(stage, LoadTargets.Request(name=name), f"the name {name!r}")
    _refused(stage, LoadTargets.Request(name="absent"), "the name of no file")
    if chance.random() < 0.5:
        stage.ask(Trigger.Request())
    keep = chance.random() < 0.5
    loaded = stage.ask(LoadTargets.Request(name=TARGETS, keep_existing=keep))
    stage.expect(loaded.success and stage.followed == before, f"not loaded: {loaded.message}")


def _parameters(stage: SoakStage, chance: random.Random) -> None:
    right: dict[str, bool | int | float | str] = {
        "overlay_alpha": chance.uniform(0, 1),
        "catch_up_limit": chance.randint(0, 30),
        "on_time_jump": "keep",
        "camera_timeout": chance.uniform(0.5, 5),
    }
    wrong: dict[str, bool | int | float | str] = {
        "overlay_alpha": chance.choice((-1.0, float("nan"), 2.0)),
        "catch_up_limit": -1,
        "on_time_jump": "panic",
        "internal_size": 128,
        "targets_directory": "/",
        "camera_timeout": "long",
        "no_such_parameter": 1,
    }
    for values, well in ((right, True), (wrong, False)):
        for name, value in chance.sample(sorted(values.items()), 3):
            (result,) = stage.ask(parameter(name, value)).results
            stage.expect(
                result.successful == well,
                f"{name} {'could not' if well else 'could'} be set to {value!r}: {result.reason}",
            )
    # Of a type that there is not: that it is answered is all that can be asked for.
    odd = parameter("overlay_alpha", 0.5)
    odd.parameters[0].value.type = chance.randint(10, 255)
    stage.ask(odd)


def _pause(stage: SoakStage, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 5)):
        stage.change(*_PAUSE)
    stage.forget_past()


def _rebuild(stage: SoakStage, chance: random.Random) -> None:
    stage.change(*_REBUILD)
    stage.forget_past()
    stage.ask(Trigger.Request())


def _wrong_transition(stage: SoakStage, chance: random.Random) -> None:
    numbers = (
        Transition.TRANSITION_CREATE,
        Transition.TRANSITION_CONFIGURE,
        Transition.TRANSITION_CLEANUP,
        Transition.TRANSITION_ACTIVATE,
        Transition.TRANSITION_INACTIVE_SHUTDOWN,
        chance.randint(100, 255),
    )
    for wrong in chance.sample(numbers, chance.randint(1, len(numbers))):
        stage.expect(not stage.transit(wrong), f"the transition {wrong} was made")
    stage.expect(stage.state() == State.PRIMARY_STATE_ACTIVE, "the node is not active any more")


CAUSES: dict[str, Callable[[SoakStage, random.Random], None]] = {
    "time_back": time_back,
    "equal_stamps": equal_stamps,
    "zero_stamps": zero_stamps,
    "resolution": resolution,
    "encoding": encoding,
    "broken_images": broken_images,
    "silence": silence,
    "fast_camera": fast_camera,
    "listeners": _listeners,
    "deafness": _deafness,
    "confidence": confidence,
    "sim_time": sim_time,
    "call_burst": _call_burst,
    "init": _init,
    "bad_init": _bad_init,
    "remove": _remove,
    "unknown_remove": _unknown_remove,
    "segment": segment,
    "reset": _reset,
    "targets": _targets,
    "disk": disk,
    "parameters": _parameters,
    "pause": _pause,
    "rebuild": _rebuild,
    "weights": weights,
    "wrong_transition": _wrong_transition,
    "end": end,
}
"""Kind -> what causes it, given the stage and chance."""
