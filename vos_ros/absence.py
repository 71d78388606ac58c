# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What becomes of an object that an image does not show, or of which nothing could be computed.

It learns nothing from such an image: whatever the network took for it there was not the object.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from vos_ros.models.state import ObjectState
from vos_ros.presence import ObjectPresence


def state_after(
    before: ObjectState,
    after: ObjectState,
    found: Sequence[ObjectPresence],
    questioned: Collection[int] = (),
) -> ObjectState:
    """The state to go on with after an image.

    Of an absent object, what it looks like stays as it was, and so, for the time that it lingers,
    does where it was. Later it is where the network thinks that it might be, however unsure: a
    network that is shown nothing of that does not find some objects again that it would have. Of
    an object that could not be computed, all stays as it was. What is taken for an object that may
    be another thing teaches nothing of it, either.

    Args:
        before: the state that the step was given.
        after: the state that it returned.
        found: the objects in the order of the slots.
        questioned: ids of those that may be other things.
    """
    absent = [slot for slot, entry in enumerate(found) if not entry.present]
    held = [slot for slot in absent if found[slot].lingers or not found[slot].sound]
    doubtful = {slot for slot, entry in enumerate(found) if entry.id in questioned}
    untaught = sorted({*absent, *doubtful}.difference(held))
    return after.kept(before, untaught, before.learned).kept(before, held, before.renewed)


def without_hidden(labels: np.ndarray, found: Sequence[ObjectPresence]) -> np.ndarray:
    """H x W uint8 labels without those of objects that are said to cover nothing."""
    hidden = [entry.id for entry in found if not entry.area_fraction]
    if not hidden:
        return labels
    table = np.arange(256, dtype=np.uint8)
    table[hidden] = 0
    return table[labels]
