# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the demo makes of its recording: counts, speed, latency, presence, accuracy, a verdict.

Plain arithmetic, without ROS. Times are whole nanoseconds of one clock.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import cv2
import numpy as np

AIMED_SHARE = 1 / 3  # of the frames to come back as masks; a slow machine gets a slower camera
LEAST_SHARE = 0.1  # of the frames sent must come back as masks, or the demo has failed
_BAR_LENGTH = 60  # characters of a presence bar


PresenceRows = list[dict[str, "float | int | bool"]]
"""Presence of one object in frame after frame, as plain values."""


@dataclass(frozen=True)
class SentFrame:
    """One line of the publisher's log."""

    index: int  # in the clip, from 0
    stamp: int  # of the message's header, ns
    held: bool  # sent again and again before the clip began to play


@dataclass(frozen=True)
class ReturnedMask:
    """One message of the node's mask topic."""

    stamp: int  # of its header, ns
    arrived: int  # when the demo had it in hand, ns
    png: bytes  # the labels, losslessly packed: a long clip's masks must fit in memory

    def labels(self) -> np.ndarray:
        """Return the H x W uint8 labels."""
        return np.asarray(cv2.imdecode(np.frombuffer(self.png, np.uint8), cv2.IMREAD_GRAYSCALE))


def pack_labels(labels: np.ndarray) -> bytes:
    """Return H x W uint8 labels as a PNG in memory."""
    done, buffer = cv2.imencode(".png", labels, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise ValueError(f"labels of shape {labels.shape} and type {labels.dtype} are no image")
    return buffer.tobytes()


@dataclass(frozen=True)
class ObjectSeen:
    """Presence of one object in one frame, as the node reported it."""

    id: int
    present: bool
    score: float
    area_fraction: float
    doubtful: bool = False


@dataclass
class Recording:
    """All that was sent and all that came back."""

    sent: list[SentFrame] = field(default_factory=list)
    received: list[int] = field(default_factory=list)  # stamps of the images the demo got itself
    masks: list[ReturnedMask] = field(default_factory=list)
    presence: dict[int, tuple[ObjectSeen, ...]] = field(default_factory=dict)  # by stamp


@dataclass(frozen=True)
class Matched:
    """The masks, sorted by whether and when their stamp was sent."""

    pairs: tuple[tuple[SentFrame, ReturnedMask], ...]  # of the playing clip, in order of sending
    held: tuple[tuple[SentFrame, ReturnedMask], ...]  # of the still picture before it
    foreign: int  # masks with a stamp that was never sent
    repeated: int  # second masks of a stamp


def match(sent: Sequence[SentFrame], masks: Sequence[ReturnedMask]) -> Matched:
    """Bring each mask together with the frame of its stamp; the first mask of a stamp counts."""
    by_stamp = {frame.stamp: frame for frame in sent}
    first: dict[int, ReturnedMask] = {}
    foreign = repeated = 0
    for mask in masks:
        if mask.stamp not in by_stamp:
            foreign += 1
        elif mask.stamp in first:
            repeated += 1
        else:
            first[mask.stamp] = mask
    pairs = [(by_stamp[stamp], first[stamp]) for stamp in sorted(first)]
    return Matched(
        tuple(pair for pair in pairs if not pair[0].held),
        tuple(pair for pair in pairs if pair[0].held),
        foreign,
        repeated,
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0..1) of the values lie, between two if need be.

    Linear between order statistics; NaN for no values.
    """
    if not values:
        return math.nan
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def rate_of(times: Sequence[int]) -> float:
    """Return how often something happened, in Hz, from its times in ns; NaN for fewer than two."""
    if len(times) < 2 or max(times) == min(times):
        return math.nan
    return (len(times) - 1) * 1e9 / (max(times) - min(times))


def camera_rate(own: float, latency: float) -> float:
    """Return the rate in Hz at which to play a clip whose own rate is `own`.

    Its own, unless a mask takes so long (`latency`, in s) that fewer than `AIMED_SHARE` of the
    frames would come back: what moves between two masks must not be more than a camera shows.
    """
    return min(own, 1.0 / (AIMED_SHARE * latency)) if latency > 0 else own


@dataclass(frozen=True)
class Summary:
    """The figures of one run; `problems` is empty when it succeeded."""

    frames_sent: int
    frames_received: int  # by the demo's own subscription, for comparison
    frames_held: int  # sent before the clip began to play; in no other figure
    masks_returned: int  # with the stamp of a frame sent while the clip played
    masks_foreign: int
    masks_repeated: int
    frames_without_mask: int  # given up for newer ones by the node, or lost on the way
    fps_sent: float
    fps_masks: float
    latency_ms_median: float  # from the stamp to the mask in the demo's hands
    latency_ms_p95: float
    problems: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """Return plain values; a figure that does not exist is None, for JSON knows no NaN."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def _plain(value: object) -> object:
    if isinstance(value, float):
        return round(value, 3) if math.isfinite(value) else None
    return list(value) if isinstance(value, tuple) else value


def summarise(recording: Recording, matched: Matched) -> Summary:
    """Count and time a run, and judge it."""
    played = [frame for frame in recording.sent if not frame.held]
    stamps = {frame.stamp for frame in played}
    latencies = [(mask.arrived - mask.stamp) / 1e6 for _, mask in matched.pairs]
    return Summary(
        frames_sent=len(played),
        frames_received=len(stamps & set(recording.received)),
        frames_held=len(recording.sent) - len(played),
        masks_returned=len(matched.pairs),
        masks_foreign=matched.foreign,
        masks_repeated=matched.repeated,
        frames_without_mask=len(played) - len(matched.pairs),
        fps_sent=rate_of(sorted(stamps)),
        fps_masks=rate_of([mask.arrived for _, mask in matched.pairs]),
        latency_ms_median=percentile(latencies, 0.5),
        latency_ms_p95=percentile(latencies, 0.95),
        problems=tuple(problems(len(played), matched)),
    )


def problems(played: int, matched: Matched) -> list[str]:
    """Say what keeps a run from being a success; empty when it is one.

    The rule: frames were sent; masks came for at least a tenth of them (`LEAST_SHARE`), and at
    least one; every mask bears a stamp that was sent, each once; and some mask shows an object.
    """
    found = []
    if played == 0:
        found.append("no frame was sent")
    least = max(1, math.ceil(LEAST_SHARE * played))
    if len(matched.pairs) < least:
        found.append(
            f"masks came for {len(matched.pairs)} of {played} frames; {least} are the least"
        )
    if matched.foreign:
        found.append(f"{matched.foreign} masks bear a stamp that no frame had")
    if matched.repeated:
        found.append(f"{matched.repeated} masks came a second time for the same frame")
    if matched.pairs and not any(mask.labels().any() for _, mask in matched.pairs):
        found.append("every mask is empty: the object was never found")
    return found


def presence_table(recording: Recording, matched: Matched) -> dict[int, PresenceRows]:
    """Return, by object id, its presence in every frame that came back, in order."""
    table: dict[int, PresenceRows] = {}
    for frame, mask in matched.pairs:
        for seen in recording.presence.get(mask.stamp, ()):
            table.setdefault(seen.id, []).append(
                {
                    "frame": frame.index,
                    "present": seen.present,
                    "score": round(seen.score, 4),
                    "area_fraction": round(seen.area_fraction, 6),
                }
            )
    return dict(sorted(table.items()))


def presence_bar(rows: PresenceRows, start: int, last: int) -> str:
    """Draw presence over the clip: # there, - absent, a blank where no frame came back.

    Each character stands for an equal stretch of the frames `start` to `last`; one frame of
    presence in a stretch is enough for #.
    """
    frames = last - start + 1
    cells = [" "] * min(_BAR_LENGTH, frames)
    for row in rows:
        place = (int(row["frame"]) - start) * len(cells) // frames
        if row["present"]:
            cells[place] = "#"
        elif cells[place] == " ":
            cells[place] = "-"
    return "".join(cells)
