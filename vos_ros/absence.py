# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What becomes of an object that an image does not show, or of which nothing could be computed.

It learns nothing from such an image: whatever the network took for it there was not the object.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vos_ros.models.state import ObjectState
from vos_ros.presence import ObjectPresence


def state_after(
    before: ObjectState, after: ObjectState, found: Sequence[ObjectPresence]
) -> ObjectState:
    """The state to go on with after an image.

    Of an absent object, what it looks like stays as it was, and so, for the time that it lingers,
    does where it was. Later it is where the network thinks that it might be, however unsure: a
    network that is shown nothing of that does not find some objects again that it would have. Of
    an object that could not be computed, all stays as it was.

    Args:
        before: the state that the step was given.
        after: the state that it returned.
        found: the objects in the order of the slots.
    """
    absent = [slot for slot, entry in enumerate(found) if not entry.present]
    held = [slot for slot in absent if found[slot].lingers or not found[slot].sound]
    lost = [slot for slot in absent if slot not in held]
    return after.kept(before, lost, before.learned).kept(before, held, before.renewed)


def without_hidden(labels: np.ndarray, found: Sequence[ObjectPresence]) -> np.ndarray:
    """H x W uint8 labels without those of objects that are said to cover nothing."""
    hidden = [entry.id for entry in found if not entry.area_fraction]
    if not hidden:
        return labels
    table = np.arange(256, dtype=np.uint8)
    table[hidden] = 0
    return table[labels]
