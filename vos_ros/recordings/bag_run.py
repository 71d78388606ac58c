# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A run out of a bag: of `replay`, or of `ros2 bag record` beside the node."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from vos_ros.recordings.bag import IMAGE_TYPES, Bag
from vos_ros.recordings.errors import RecordingError
from vos_ros.recordings.messages import stamp_ns
from vos_ros.recordings.run import ObjectRow, Row, Run, ordered
from vos_ros.recordings.types import DIAGNOSTICS, PRESENCE

_REPLAY = "vos_ros.replay"  # what replay puts down: "offline", or "rate 0.5"
_LATENCY = "latency median (ms)"  # of the status NODE: masks, see docs/diagnostics.md


def read_bag(path: Path, node: str = "") -> Run:
    """Read presence, and latency where the bag tells it.

    Latency is the time from the receipt of an image to that of its presence where the bag has the
    image, by its recorder's clock; else from the stamp. A bag that `replay` made offline has none;
    one that it made at another pace is counted in true time.

    Args:
        path: of the bag.
        node: name of the node, with its namespace; "" for the only one in the bag.

    Raises:
        RecordingError: it is no bag, damaged, or holds no presence.
    """
    with Bag(path) as bag:
        topic = _presence_topic(bag, node)
        received = _received(bag)
        pace = _pace(bag)
        rows = []
        for record in bag.records([topic]):
            message = bag.message(record)
            stamp = stamp_ns(message.header)
            begun = received.get(stamp, stamp)
            latency = (record.time - begun) / 1e6 / pace
            rows.append(Row(stamp, latency, tuple(map(_object, message.objects))))
        measured = "image received to presence received" if received else "stamp to presence"
        diagnosed = tuple(_diagnosed(bag, topic.split("/")[-2]))
        return ordered(Run(f"{path.name}  {topic}", tuple(rows), diagnosed, measured))


def _pace(bag: Bag) -> float:
    """Seconds of the recorder's clock in a true one; NaN where a replay knew no time at all."""
    made = str(bag.custom.get(_REPLAY, ""))
    if made == "offline":
        return math.nan
    pace = _number(made.removeprefix("rate ")) if made else 1.0
    return pace if pace > 0 else math.nan


def _presence_topic(bag: Bag, node: str) -> str:
    there = [topic.name for topic in bag.topics if topic.type == PRESENCE and topic.count]
    wanted = f"/{node.strip('/')}/presence"
    if node:
        there = [name for name in there if name == wanted]
    if len(there) == 1:
        return there[0]
    if there:
        raise RecordingError(
            f"'{bag.path}' is of several nodes; name one with --node: {', '.join(there)}"
        )
    looked = wanted if node else f"a topic of {PRESENCE}"
    raise RecordingError(
        f"'{bag.path}' holds no presence, as {looked}: record the node's, or make it with `replay`"
    )


def _received(bag: Bag) -> dict[int, int]:
    """When each image was received, by its stamp, where the bag has one camera's images."""
    own = ("/mask", "/overlay", "/confidence")
    names = [
        topic.name
        for topic in bag.topics
        if topic.type in IMAGE_TYPES and topic.count and not topic.name.endswith(own)
    ]
    if len(names) != 1:
        return {}
    records = bag.records(names)
    return {stamp_ns(bag.message(record).header): record.time for record in records}


def _object(item: Any) -> ObjectRow:
    return ObjectRow(
        int(item.id),
        item.name,
        bool(item.present),
        float(item.score),
        float(item.area_fraction),
        bool(item.doubtful),
    )


def _diagnosed(bag: Bag, node: str) -> list[tuple[int, float]]:
    """The node's own word on its latency: stamp in ns, and the median in ms."""
    found = []
    for record in bag.records(["/diagnostics"]):
        if record.connection.msgtype != DIAGNOSTICS:
            continue
        message = bag.message(record)
        for status in message.status:
            if status.name == f"{node}: masks":
                values = {pair.key: pair.value for pair in status.values}
                told = _number(values.get(_LATENCY, ""))
                if math.isfinite(told):
                    found.append((stamp_ns(message.header), told))
    return found


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
