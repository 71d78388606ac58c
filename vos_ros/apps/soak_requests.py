# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Requests that must be refused, and some that may be met, as a soak sends them to the node."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger

from vos_msgs.srv import InitMask, LoadTargets, RemoveObject, SaveTargets
from vos_ros.apps.soak_camera import SoakCamera, mono8
from vos_ros.soak.ledger import Ledger
from vos_ros.soak.scene import OBJECTS

TARGETS = "soak"
"""The one file that is written."""
_SMALLEST = 40  # pixels of an object's mask that can be followed
BAD_NAMES = (
    "",
    "..",
    "../soak",
    "/etc/passwd",
    "soak.safetensors",
    "-soak",
    "so/ak",
    "so ak",
    "s" * 65,
    "so\nak",
    "nöt",
    "~",
    "$HOME",
    "soak\u202e",
)


def _mask(size: tuple[int, int], labels: np.ndarray | None = None, **changes: Any) -> Image:
    """A mask of two objects, or these labels, with some fields changed."""
    if labels is None:
        labels = np.zeros(size[::-1], np.uint8)
        labels[: size[1] // 2, : size[0] // 2] = 1
        labels[size[1] // 2 :, size[0] // 2 :] = 2
    message = mono8(labels, 0)
    for name, value in changes.items():
        setattr(message, name, value)
    return message


BAD_INITS: dict[str, Callable[[random.Random, tuple[int, int]], InitMask.Request]] = {
    "nothing at all": lambda c, s: InitMask.Request(),
    "no object": lambda c, s: InitMask.Request(mask=_mask(s, np.zeros(s[::-1], np.uint8))),
    "another shape": lambda c, s: InitMask.Request(mask=_mask((64, 200))),
    "unknown encoding": lambda c, s: InitMask.Request(mask=_mask(s, encoding="hologram")),
    "colours": lambda c, s: InitMask.Request(mask=_mask(s, encoding="rgb8")),
    "cut off": lambda c, s: InitMask.Request(mask=_mask(s, data=bytes(c.randrange(1000)))),
    "wrong step": lambda c, s: InitMask.Request(mask=_mask(s, step=c.randrange(s[0]))),
    "absurd size": lambda c, s: InitMask.Request(mask=_mask(s, width=2**32 - 1, height=2**31)),
    "repeated ids": lambda c, s: InitMask.Request(mask=_mask(s), ids=[1, 1]),
    "id 0": lambda c, s: InitMask.Request(mask=_mask(s), ids=[0]),
    "ids that it lacks": lambda c, s: InitMask.Request(mask=_mask(s), ids=[1, c.randint(3, 65535)]),
    "names too many": lambda c, s: InitMask.Request(mask=_mask(s), names=["a", "b", "c"]),
    "ids without end": lambda c, s: InitMask.Request(mask=_mask(s), ids=[1] * 70000),
    "objects too many": lambda c, s: InitMask.Request(
        mask=_mask(s, np.tile(np.arange(s[0], dtype=np.uint8) // 4 + 1, (s[1], 1)))
    ),
    "a stamp that is gone": lambda c, s: _stamped(c.randint(1, 10**9), _mask(s)),
    "a broken image": lambda c, s: InitMask.Request(
        mask=_mask(s), image=Image(width=9, height=9, step=27, encoding="rgb8", data=b"\1")
    ),
}
"""What is wrong with it -> a request, given chance and the size of the camera's images."""


def _stamped(seconds: int, mask: Image) -> InitMask.Request:
    mask.header.stamp.sec = seconds
    return InitMask.Request(mask=mask)


def bad_request(chance: random.Random, size: tuple[int, int]) -> Any:
    """A request that must be refused, whatever the node follows."""
    make = chance.choice(
        (
            lambda: BAD_INITS[chance.choice(sorted(BAD_INITS))](chance, size),
            lambda: RemoveObject.Request(id=unknown_id(chance)),
            lambda: SaveTargets.Request(name=chance.choice(BAD_NAMES)),
            lambda: LoadTargets.Request(name=chance.choice((*BAD_NAMES, "absent"))),
        )
    )
    return make()


def any_request(chance: random.Random, size: tuple[int, int]) -> tuple[str, Any]:
    """A request that may be met or not, and the service it is for; "" is what goes by its kind."""
    keep = chance.random() < 0.5
    service, make = chance.choice(
        (
            ("", lambda: bad_request(chance, size)),
            ("", lambda: bad_request(chance, size)),
            ("", lambda: InitMask.Request(mask=_mask(size), keep_existing=keep)),
            ("", lambda: RemoveObject.Request(id=chance.randint(1, 2 * OBJECTS))),
            ("", lambda: SaveTargets.Request(name=TARGETS)),
            ("", lambda: LoadTargets.Request(name=TARGETS, keep_existing=keep)),
            ("reset", Trigger.Request),
            ("segment", Trigger.Request),
            ("write_trace", Trigger.Request),
        )
    )
    return service, make()


def unknown_id(chance: random.Random) -> int:
    """An id that no soak asks for."""
    return chance.choice((0, 255, 65535, chance.randint(2 * OBJECTS + 1, 65535)))


def parameter(name: str, value: bool | int | float | str) -> SetParameters.Request:
    """A request to set one parameter."""
    kinds = {bool: "bool", int: "integer", float: "double", str: "string"}
    kind = kinds[type(value)]
    content = ParameterValue(type=getattr(ParameterType, f"PARAMETER_{kind.upper()}"))
    setattr(content, f"{kind}_value", value)
    return SetParameters.Request(parameters=[Parameter(name=name, value=content)])


def right_mask(
    camera: SoakCamera, ledger: Ledger, since: int, chance: random.Random, *, keep: bool
) -> InitMask.Request | None:
    """A request that can be met, with a mask of a past, the newest or an enclosed image.

    Args:
        camera: what sends the images.
        ledger: tells which of them have a mask, and so have surely been with the node.
        since: number of the first image that the node may still have.
        chance: chooses the image, the objects, their ids and whether they have names.
        keep: whether the objects already followed stay.

    Returns:
        None where too little is to be seen in the image chosen.
    """
    how = chance.choice(("past", "newest", "enclosed"))
    stamp, number = 0, camera.number - 1
    if how == "past":
        past = ledger.answered(after=max(camera.number - 30, since))
        fit = [(s, e.number) for s, e in past if s and e.timed and camera.size in e.sizes]
        if fit:
            stamp, number = chance.choice(fit[:10])
    if number < 0:
        return None
    truth = camera.scene.labels(number, *camera.size)
    areas = np.bincount(truth.ravel(), minlength=OBJECTS + 1)
    seen = [index for index in range(1, OBJECTS + 1) if areas[index] >= _SMALLEST]
    if not seen:
        return None
    ids = {
        index: index + chance.choice((0, OBJECTS))
        for index in chance.sample(seen, chance.randint(1, len(seen)))
    }
    table = np.array([ids.get(index, 0) for index in range(OBJECTS + 1)], np.uint8)
    request = InitMask.Request(mask=mono8(table[truth], stamp), keep_existing=keep)
    if chance.random() < 0.5:
        request.names = [f"thing {object_id}" for object_id in sorted(ids.values())]
    if how == "enclosed":
        request.image = camera.message(number, 0)
    return request
