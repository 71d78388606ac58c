# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Brings together what came on several topics, by stamps. No ROS here."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

_HELD = 30
"""Messages of a topic that are kept: a second of a camera. Each may be an image of megabytes."""


class Pairing:
    """Hands on messages that belong together, each set once, in the order of their stamps.

    Args:
        topics: names. What comes on the first leads: to each of its messages one of every other
            topic is looked for.
        deliver: given a set, in the order of `topics`.
        slop_ns: by how many nanoseconds the stamps of what belongs together may differ. With 0 they
            are the same. Else the nearest is taken, once it is clear which one that is: when a
            later one has come.
    """

    def __init__(
        self, topics: Sequence[str], deliver: Callable[..., None], slop_ns: int = 0
    ) -> None:
        self._topics = tuple(topics)
        self._deliver = deliver
        self._slop = slop_ns
        self._held: dict[str, OrderedDict[int, Any]] = {name: OrderedDict() for name in topics}
        self.delivered = 0

    def take(self, topic: str, stamp_ns: int, message: Any) -> None:
        """A message has come on a topic."""
        held = self._held[topic]
        held.pop(stamp_ns, None)  # so that it is the last
        held[stamp_ns] = message
        if len(held) > _HELD:
            held.popitem(last=False)
        for leader in list(self._held[self._topics[0]]):
            self._try(leader)

    def came(self, topic: str) -> int | None:
        """The stamp of the last message kept of a topic, in nanoseconds; None for none."""
        return next(reversed(self._held[topic]), None)

    def _try(self, leader: int) -> None:
        leaders = self._held[self._topics[0]]
        if leader not in leaders:
            return
        nearest = {name: self._partner(name, leader) for name in self._topics[1:]}
        partners = {name: stamp for name, stamp in nearest.items() if stamp is not None}
        if len(partners) < len(nearest):
            return
        found = [leaders[leader]]
        for name, stamp in partners.items():
            held = self._held[name]
            found.append(held[stamp])
            while next(iter(held)) != stamp:  # no later leader would choose what came before
                held.popitem(last=False)
        # What came before this one and has found nothing would be late now.
        while leader in leaders:
            leaders.popitem(last=False)
        self.delivered += 1
        self._deliver(*found)

    def _partner(self, name: str, leader: int) -> int | None:
        """The stamp of what belongs to the leading message on another topic."""
        held = self._held[name]
        if leader in held:
            return leader
        near = [stamp for stamp in held if abs(stamp - leader) <= self._slop]
        if not near or next(reversed(held)) < leader:
            return None
        return min(near, key=lambda stamp: abs(stamp - leader))
