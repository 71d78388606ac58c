# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Is each object still the one whose id it has? Of those that met, or were away, the looks tell.

Two objects can only be taken for one another where they touch, or where one comes back while the
other is out of sight; something that nobody follows can only be taken for an object when that is
out of sight, or leaps. From then on what is taken for it is held against what it looked like before
(`looks.py`). Where that agrees with its own object better than with the other, all is well; where
it agrees with the other, they were swapped; where it makes no difference, nobody can tell, and they
stay in doubt.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from vos_ros.acquaintance import Acquaintance
from vos_ros.evidence import EVERY, Evidence, Scene, all_apart, scene_of
from vos_ros.looks import Looks, agreement
from vos_ros.presence import ObjectPresence

#: ids of two objects, the lower first
Pair = tuple[int, int]
#: tells what an object that is seen looks like in the image; None where that cannot be said
Look = Callable[[ObjectPresence], "Looks | None"]

#: two are alike that differ by less than this, or by fewer times what each differs from itself
ALIKE, TIMES = 0.015, 1.0


@dataclass(frozen=True)
class IdentityWatch:
    """Which objects may have been taken for one another, or for something else.

    Never changed in place.

    Attributes:
        pairs: what is known of any two.
        known: what is known of each one's looks.
        images: how many were seen.
    """

    pairs: Mapping[Pair, Evidence] = field(default_factory=dict)
    known: Mapping[int, Acquaintance] = field(default_factory=dict)
    images: int = 0

    @property
    def doubts(self) -> tuple[Pair, ...]:
        """Pairs of which nobody can tell whether they were swapped."""
        return tuple(pair for pair, entry in self.pairs.items() if entry.told)

    @property
    def strangers(self) -> tuple[int, ...]:
        """Objects that came back, or leapt, and do not look like themselves since."""
        return tuple(key for key, one in self.known.items() if one.told)

    @property
    def lost(self) -> tuple[int, ...]:
        """Those of the strangers that were somewhere else before: they may still come back."""
        return tuple(key for key in self.strangers if self.known[key].returned)

    @property
    def questioned(self) -> frozenset[int]:
        """Objects of which the next image teaches nothing, whatever is taken for them there."""
        return frozenset(key for key, one in self.known.items() if one.questioned)

    def without(self, ids: Iterable[int]) -> IdentityWatch:
        """As if nothing were known of some objects."""
        gone = set(ids)
        return replace(
            self,
            pairs={p: e for p, e in self.pairs.items() if not gone.intersection(p)},
            known={key: one for key, one in self.known.items() if key not in gone},
        )

    def joined(self, newer: IdentityWatch) -> IdentityWatch:
        """With what is known of other objects."""
        return replace(
            self, pairs={**self.pairs, **newer.pairs}, known={**self.known, **newer.known}
        )

    def seen(self, objects: Sequence[ObjectPresence], look: Look) -> IdentityWatch:
        """What is known after an image.

        Args:
            objects: found in it, ascending by id.
            look: asked of those that are seen, and at most once of each.
        """
        seen = _Seen(objects, look)
        due = self.images % EVERY == 0
        known = {entry.id: self._met(entry) for entry in objects}
        far = all_apart([known[entry.id].box for entry in objects]).tolist()
        pairs = {}
        for (i, one), (j, other) in itertools.combinations(enumerate(objects), 2):
            key = (one.id, other.id)
            scene = scene_of(one, other, far[i][j])
            before = self.pairs.get(key) or Evidence(scene, scene is not Scene.APART)
            evidence = before.seen_as(scene)
            if evidence.doubt and (due or evidence.curious):
                evidence = evidence.after(*_compared(known, seen, key))
            pairs[key] = evidence
        unclear = {each for key, entry in pairs.items() if entry.unclear for each in key}
        for number, (object_id, acquaintance) in enumerate(known.items()):
            # Not all in one image, which would take longer than the others.
            turn = (self.images + number) % EVERY == 0
            if acquaintance.curious or (turn and not acquaintance.away):
                looks = seen.looks(object_id)
                if looks is not None:
                    learn = object_id not in unclear
                    known[object_id] = acquaintance.looked_at(looks, learn)
        return IdentityWatch(pairs, known, self.images + 1)

    def _met(self, entry: ObjectPresence) -> Acquaintance:
        """What is known of the looks of one object, with where it is now."""
        before = self.known.get(entry.id)
        return Acquaintance.met(entry) if before is None else before.seen(entry)

    def swapped(self) -> Pair | None:
        """Two objects that surely have each other's ids; None where there are none."""
        found = [(entry.margin, pair) for pair, entry in self.pairs.items() if entry.swapped]
        return min(found)[1] if found else None

    def exchanged(self, pair: Pair) -> IdentityWatch:
        """After a swap was undone: it is to be seen whether that was right."""
        one, other = (self.known[key] for key in pair)
        known = {
            pair[0]: replace(one, box=other.box, away=other.away, doubt=False),
            pair[1]: replace(other, box=one.box, away=one.away, doubt=False),
        }
        pairs = {**self.pairs, pair: self.pairs[pair].exchanged()}
        return replace(self, pairs=pairs, known={**self.known, **known})


class _Seen:
    """The objects of one image, each looked at no more than once."""

    def __init__(self, objects: Sequence[ObjectPresence], look: Look) -> None:
        self._objects = {entry.id: entry for entry in objects}
        self._look = look
        self._found: dict[int, Looks | None] = {}

    def looks(self, object_id: int) -> Looks | None:
        """None where the object is not seen, too."""
        if object_id not in self._found:
            entry = self._objects[object_id]
            self._found[object_id] = self._look(entry) if entry.present else None
        return self._found[object_id]


def _compared(known: Mapping[int, Acquaintance], seen: _Seen, pair: Pair) -> tuple[float, bool]:
    """What `Evidence.after` takes: how far each looks like itself, and whether they are alike."""
    looks = [known[each].looks for each in pair]
    first = [known[each].first for each in pair]
    if looks[0] is None or looks[1] is None or first[0] is None or first[1] is None:
        return 0.0, False
    difference = 2 * (1 - agreement(looks[0], looks[1]))
    least = min(difference, 2 * (1 - agreement(first[0], first[1])))
    alike = least < max(ALIKE, TIMES * sum(known[each].spread for each in pair))
    margins = []
    for each, own, theirs in ((pair[0], looks[0], looks[1]), (pair[1], looks[1], looks[0])):
        now = seen.looks(each)
        if now is not None:
            margins.append(2 * (agreement(own, now) - agreement(theirs, now)))
    # What one says by itself counts for both.
    return (sum(margins) / len(margins) / difference if margins and difference else 0.0), alike
