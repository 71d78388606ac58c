# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which fault comes when: all of it follows from a seed."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

FAULTS: dict[str, str] = {
    "time_back": "the stamps go back by up to a minute and go on from there",
    "equal_stamps": "some images bear the same stamp",
    "zero_stamps": "some images bear no stamp",
    "resolution": "the images have another size from now on",
    "encoding": "the images have another encoding from now on",
    "broken_images": "some images are cut off, or lie about their step, size or encoding",
    "silence": "no image for some seconds",
    "fast_camera": "120 images a second for a while",
    "listeners": "subscribers come and go, one of them with a quality of service that fits nobody",
    "deafness": "nobody subscribes to anything for a while",
    "confidence": "somebody asks how sure each label is, for a while",
    "sim_time": "the node goes by a simulation's clock, which jumps, and by its own again",
    "call_burst": "a burst of requests of all kinds, right and wrong, in any order",
    "init": "a new mask while images stream, of a past, the newest or an enclosed image",
    "bad_init": "masks that cannot be followed",
    "remove": "an object is removed",
    "unknown_remove": "objects are to be removed that are not followed",
    "segment": "no image is looked at but those asked for, and then every Nth",
    "reset": "all objects are forgotten, while images stream",
    "targets": "what was learned is saved and loaded, and names are given that lead elsewhere",
    "disk": "what was learned and what time was spent on is to be written where no file can be",
    "parameters": "parameters are set, to right and wrong values",
    "pause": "the node is deactivated and activated, some times in a row",
    "rebuild": "the node is deactivated, cleaned up, configured and activated",
    "weights": "the weight file is cut short, overwritten or deleted, and the node configured anew",
    "wrong_transition": "transitions are asked for that do not lead on from the node's state",
    "end": "the node is told to end by SIGINT or SIGTERM, and started again",
}
"""Every kind of fault, and what happens then. `apps/soak_faults.py` causes them."""

_ENDING = "end"


@dataclass(frozen=True)
class Planned:
    """One fault to come.

    Attributes:
        at: seconds after the start, at the earliest: it waits for those before it to be over.
        kind: one of `FAULTS`.
        seed: of everything about it that is left to chance.
    """

    at: float
    kind: str
    seed: int


def plan(seed: int, every: float, kinds: Sequence[str] = tuple(FAULTS)) -> Iterator[Planned]:
    """Faults without end, the same ones for the same arguments.

    Kinds come as from a pack of cards: each once, in a random order, before any comes again. What
    ends the node is in the first, second, fourth, eighth ... pack only, so that the longer a soak,
    the longer the node lives in it, and what grows in a life is seen.

    Args:
        seed: of the order, the times and what is left to chance in each fault.
        every: seconds from one fault to the next in the mean; each gap is 0.5 to 1.5 times that.
        kinds: those to choose from.
    """
    chance = random.Random(seed)
    at = 0.0
    for number in itertools.count(1) if kinds else ():
        often = number & (number - 1) == 0
        pack = [kind for kind in kinds if often or kind != _ENDING] or list(kinds)
        for kind in chance.sample(pack, len(pack)):
            at += every * chance.uniform(0.5, 1.5)
            yield Planned(at, kind, chance.randrange(2**32))
