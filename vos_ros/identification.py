# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was found in an image, held against what is known of which object is which."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

import numpy as np

from vos_ros import masks
from vos_ros.frames import to_masks
from vos_ros.identity import IdentityWatch, Pair
from vos_ros.learned import unseen
from vos_ros.looks import Looks, looks_of
from vos_ros.moment import Moment, ascending
from vos_ros.parts import without_strangers
from vos_ros.presence import ObjectPresence


def identified(moment: Moment, image: np.ndarray, before: IdentityWatch) -> Moment:
    """A moment with what is known of which object is which, and put right where that was wrong.

    Args:
        moment: what a network says of the image.
        image: H x W x 3 uint8 RGB.
        before: what was known until then.
    """
    moment = _without_strangers(moment, image, before)

    def look(entry: ObjectPresence) -> Looks | None:
        return looks_of(image, moment.labels, entry.id, entry.box)

    identity = before.seen(moment.objects, look)
    pair = identity.swapped()
    known = dataclasses.replace(moment, identity=identity, exchanged=())
    known = known if pair is None else _exchanged(known, pair)
    return _searching(known, known.identity.lost).with_doubts()


def _without_strangers(moment: Moment, image: np.ndarray, before: IdentityWatch) -> Moment:
    """Without what was taken for objects that came back, beside these."""
    for entry in moment.objects:
        known = before.known.get(entry.id)
        if known is None or not entry.present or not known.seen(entry).questioned:
            continue
        labels = without_strangers(image, moment.labels, entry, known)
        if labels is not None:
            moment = _trimmed(moment, entry, labels)
    return moment


def _trimmed(moment: Moment, entry: ObjectPresence, labels: np.ndarray) -> Moment:
    """With labels in which an object has fewer pixels."""
    ((_, area, x, y, width, height),) = masks.statistics(labels, [entry.id]).tolist()
    box = (int(x), int(y), int(width), int(height))
    smaller = dataclasses.replace(entry, area_fraction=area / labels.size, box=box)
    objects = tuple(smaller if each.id == entry.id else each for each in moment.objects)
    state, slots = moment.targets.state, moment.targets.slots
    device = next(iter(state.tensors().values())).device
    shown = state.shown(to_masks(labels, slots, moment.geometry).to(device))
    state = state.kept(shown, [slots.index(entry.id)], state.renewed - state.learned)
    targets = moment.targets.with_state(state)
    return dataclasses.replace(moment, labels=labels, objects=objects, targets=targets)


def _searching(moment: Moment, ids: Collection[int]) -> Moment:
    """As if some objects had been found nowhere, so that they are searched for everywhere."""
    if not ids:
        return moment
    state = moment.targets.state
    slots = [slot for slot, key in enumerate(moment.targets.slots) if key in ids]
    nowhere = unseen(state, moment.geometry.padded)
    state = state.kept(nowhere, slots, state.renewed - state.learned)
    return dataclasses.replace(moment, targets=moment.targets.with_state(state))


def _exchanged(moment: Moment, pair: Pair) -> Moment:
    """Where each of two objects has been taken for the other."""
    names = dict(zip(pair, reversed(pair), strict=True))
    table = np.arange(256, dtype=np.uint8)
    table[list(pair)] = table[list(reversed(pair))]
    objects = (
        dataclasses.replace(entry, id=names.get(entry.id, entry.id)) for entry in moment.objects
    )
    presence = moment.presence.copy()
    presence.exchange(*pair)
    slots = (moment.targets.slots.index(object_id) for object_id in pair)
    return dataclasses.replace(
        moment,
        targets=moment.targets.with_state(moment.targets.state.exchanged(*slots)),
        presence=presence,
        labels=table[moment.labels],
        objects=ascending(objects),
        identity=moment.identity.exchanged(pair),
        exchanged=(pair,),
    )
