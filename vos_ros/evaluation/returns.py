# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Objects that go out of view and come back: are they taken up again, and how soon.

And is anything taken for them meanwhile.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from vos_ros.evaluation.gaps import GapClip
from vos_ros.presence import PresenceSettings
from vos_ros.segmenter import VideoSegmenter

#: presence decided image by image: whatever is seen of an object is it, from a score of a half on
WITHOUT_MEMORY = PresenceSettings(
    appear=0.5, vanish=0.5, minimum_area=0.0, confirm=1, linger=0, hide=False
)
#: an object is found where its labels and the truth have this share in common, and something else
#: is taken for it where not even this share of the labels is true
FOUND = 0.5


@dataclass(frozen=True)
class Return:
    """What became of the object of one clip.

    Attributes:
        clip: the clip.
        noticed: whether it was called absent before it came back.
        false_returns: how often it was called present again while nothing of it was seen.
        held_wrong: share of the frames without it in which it was called present.
        frames: until it was called present with the labels where it is, counted from the frame
            from which on it is seen whole, which is 0; None when it was not until the end.
        iou: mean over the frames from there on; 0 when there are none.
        wrong: frames in which something else was taken for it.
        wrong_doubted: those of them in which it was said that it may be something else.
        right: other frames in which it was called present.
        right_doubted: those of them in which that was said.
    """

    clip: GapClip
    noticed: bool
    false_returns: int
    held_wrong: float
    frames: int | None
    iou: float
    wrong: int
    wrong_doubted: int
    right: int
    right_doubted: int


def follow(segmenter: VideoSegmenter, clip: GapClip) -> Return:
    """Follow the object of a clip from the truth of its first frame."""
    present, overlaps, wrong, doubted = [], [], [], []
    for number, (image, truth) in enumerate(clip.frames()):
        found = segmenter.step(image) if number else segmenter.start(image, truth)
        (entry,) = found.objects
        present.append(entry.present)
        overlaps.append(_overlap(found.labels == 1, truth == 1))
        wrong.append(entry.present and _is_wrong(found.labels == 1, truth == 1))
        doubted.append(entry.doubtful)
    hidden = [present[number] for number in clip.hidden]
    pairs = zip(hidden, hidden[1:], strict=False)
    back = range(clip.returned, clip.length)
    claims = list(zip(present, wrong, doubted, strict=True))
    found_at = next((n for n in back if present[n] and overlaps[n] >= FOUND), None)
    return Return(
        clip=clip,
        noticed=not all(hidden),
        false_returns=sum(now and not before for before, now in pairs),
        held_wrong=float(np.mean(hidden)),
        frames=None if found_at is None else found_at - clip.returned,
        iou=0.0 if found_at is None else float(np.mean(overlaps[found_at:])),
        wrong=sum(wrong),
        wrong_doubted=sum(other and doubt for _, other, doubt in claims),
        right=sum(here and not other for here, other, _ in claims),
        right_doubted=sum(here and not other and doubt for here, other, doubt in claims),
    )


@dataclass(frozen=True)
class Summary:
    """What became of the objects of several clips.

    Attributes:
        clips: how many.
        taken_up: the share that was taken up again.
        frames: median and highest of the frames until then; NaN when none was.
        noticed: the share whose going was noticed.
        false_returns: the share with one or more of them.
        held_wrong: mean share of the frames without the object in which it was called present.
        iou: mean over those that were taken up again; NaN when none was.
        wrong_told: of all frames in which something else was taken for it, the share in which it
            was said that it may be something else; NaN without any.
        right_told: of all others in which it was called present, the same; NaN without any.
    """

    clips: int
    taken_up: float
    frames: tuple[float, float]
    noticed: float
    false_returns: float
    held_wrong: float
    iou: float
    wrong_told: float
    right_told: float


def summary(returns: Iterable[Return]) -> Summary:
    """Of one or more clips."""
    returns = list(returns)
    waits = [one.frames for one in returns if one.frames is not None]
    count = len(returns)
    return Summary(
        clips=count,
        taken_up=len(waits) / count,
        frames=(statistics.median(waits), max(waits)) if waits else (math.nan, math.nan),
        noticed=sum(one.noticed for one in returns) / count,
        false_returns=sum(one.false_returns > 0 for one in returns) / count,
        held_wrong=statistics.fmean(one.held_wrong for one in returns),
        iou=statistics.fmean(one.iou for one in returns if one.frames is not None)
        if waits
        else math.nan,
        wrong_told=_share(sum(one.wrong_doubted for one in returns), sum(o.wrong for o in returns)),
        right_told=_share(sum(one.right_doubted for one in returns), sum(o.right for o in returns)),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _is_wrong(found: np.ndarray, truth: np.ndarray) -> bool:
    """Whether what was found is, for the most part, something else."""
    return bool(np.count_nonzero(found & truth) < FOUND * np.count_nonzero(found))


def _overlap(found: np.ndarray, truth: np.ndarray) -> float:
    union = np.count_nonzero(found | truth)
    return np.count_nonzero(found & truth) / union if union else 1.0
