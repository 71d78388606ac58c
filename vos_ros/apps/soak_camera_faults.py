# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a camera does wrong in a soak: its clock, its images and its rate."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

from sensor_msgs.msg import Image

from vos_ros.apps.soak_stage import SoakStage
from vos_ros.soak.pixels import ENCODERS

SIZES = ((320, 240), (160, 120), (640, 480), (424, 240), (240, 320), (64, 64))


def let_send(stage: SoakStage, count: int) -> None:
    """Wait for so many more images to be sent."""
    last = stage.camera.number + count
    stage.wait.until(lambda: stage.camera.number >= last, stage.patience, "images to be sent")


def let_last(stage: SoakStage, seconds: float) -> None:
    """Let a state of things last so long."""
    stage.wait.spin_for(seconds, lambda: False)


def time_back(stage: SoakStage, chance: random.Random) -> None:
    """The stamps go back, and go on from there."""
    stage.camera.rewound += chance.randint(10**6, 60 * 10**9)
    stage.forget_past()
    let_send(stage, 3)


def equal_stamps(stage: SoakStage, chance: random.Random) -> None:
    """Some images have one stamp."""
    given: list[int] = []

    def first(stamp: int) -> int:
        given.append(stamp)
        return given[0]

    stage.camera.stamping = first
    let_send(stage, chance.randint(2, 20))


def zero_stamps(stage: SoakStage, chance: random.Random) -> None:
    """Some images have no stamp."""
    stage.camera.stamping = lambda stamp: 0
    stage.forget_past()
    let_send(stage, chance.randint(1, 20))


def resolution(stage: SoakStage, chance: random.Random) -> None:
    """The images change their size, some times in a row."""
    for _ in range(chance.randint(1, 5)):
        stage.camera.size = chance.choice([size for size in SIZES if size != stage.camera.size])
        let_send(stage, chance.randint(1, 4))


def encoding(stage: SoakStage, chance: random.Random) -> None:
    """The images change their encoding, some times in a row."""
    for _ in range(chance.randint(1, 5)):
        others = [name for name in sorted(ENCODERS) if name != stage.camera.encoding]
        stage.camera.encoding = chance.choice(others)
        let_send(stage, chance.randint(1, 4))


def _change(message: Image, **fields: object) -> None:
    for name, value in fields.items():
        setattr(message, name, value)


SPOILERS: dict[str, Callable[[random.Random, Image], None]] = {
    "cut off": lambda c, m: setattr(m, "data", bytes(m.data[: c.randrange(len(m.data))])),
    "empty": lambda c, m: setattr(m, "data", b""),
    "step too small": lambda c, m: setattr(m, "step", c.randrange(m.width)),
    # Where there are two planes and nothing is cut off, any step that is large enough is taken.
    "step too large": lambda c, m: _change(
        m, step=m.step * 4 + c.randrange(2**20), data=bytes(m.data[:-1])
    ),
    "unknown encoding": lambda c, m: setattr(m, "encoding", c.choice(("", "smoke", "rgb8\n"))),
    "no width": lambda c, m: setattr(m, "width", 0),
    "no height": lambda c, m: setattr(m, "height", 0),
    "absurd size": lambda c, m: _change(m, width=2**32 - 1, height=2**32 - 1),
    "more rows than data": lambda c, m: setattr(m, "height", m.height * 2),
}
"""What is wrong with an image -> how it is made so."""


def broken_images(stage: SoakStage, chance: random.Random) -> None:
    """Some images are broken, in one way or several."""
    for _ in range(chance.randint(1, 4)):
        spoil = SPOILERS[chance.choice(sorted(SPOILERS))]
        stage.camera.spoil = partial(spoil, chance)
        let_send(stage, chance.randint(1, 5))
    stage.forget_past()


def silence(stage: SoakStage, chance: random.Random) -> None:
    """No image comes for a while."""
    stage.camera.silent = True
    let_last(stage, chance.uniform(1, 6))


def fast_camera(stage: SoakStage, chance: random.Random) -> None:
    """More images come than any node can follow."""
    stage.camera.set_rate(120)
    let_last(stage, chance.uniform(1, 3))
