# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two objects of the same make, both followed: do they keep their ids, and is it told if not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from vos_ros.evaluation.pairs import LENGTH, PairClip
from vos_ros.identity import IdentityWatch
from vos_ros.moment import Moment
from vos_ros.segmenter import VideoSegmenter

#: an id is on the other's object where they have this share in common
TAKEN = 0.5
#: frames at the end of a clip that tell how it ended
_LAST = 10


@dataclass(frozen=True)
class Swap:
    """What became of the two objects of one clip.

    Attributes:
        clip: the clip.
        swapped: frames in which an id was on the other's object.
        ended_swapped: whether one was in most of the last ten frames.
        told: whether the two were said to be in doubt at any time, or to have been put right.
        silent: whether one was there at the end with nobody saying, in that image, that it may be.
        doubted: frames in which it was said that they may be swapped, and they were not.
        exchanged: how often they were put right, or thought to be.
        iou: of both with what their ids belong to, mean over the last ten frames.
    """

    clip: PairClip
    swapped: int
    ended_swapped: bool
    told: bool
    silent: bool
    doubted: int
    exchanged: int
    iou: float


class Unwatched(VideoSegmenter):
    """A segmenter that does not ask which object is which."""

    def _identified(self, moment: Moment, image: np.ndarray, before: IdentityWatch) -> Moment:
        return moment


def follow(segmenter: VideoSegmenter, clip: PairClip) -> Swap:
    """Follow both objects of a clip from the truth of its first frame."""
    taken, overlaps, doubts, exchanged = [], [], [], 0
    for number, (image, truth) in enumerate(clip.frames()):
        found = segmenter.step(image) if number else segmenter.start(image, truth)
        shares = [[_overlap(found.labels == i, truth == j) for j in (1, 2)] for i in (1, 2)]
        taken.append(bool(shares[0][1] > TAKEN or shares[1][0] > TAKEN))
        overlaps.append((shares[0][0] + shares[1][1]) / 2)
        exchanged += len(found.exchanged)
        doubts.append(bool(found.doubts))
    ended = sum(taken[-_LAST:]) > _LAST / 2
    unsaid = [swapped and not said for swapped, said in zip(taken, doubts, strict=True)]
    return Swap(
        clip=clip,
        swapped=sum(taken),
        ended_swapped=ended,
        told=any(doubts) or exchanged > 0,
        silent=ended and any(unsaid[-_LAST:]),
        doubted=sum(said and not swapped for swapped, said in zip(taken, doubts, strict=True)),
        exchanged=exchanged,
        iou=float(np.mean(overlaps[-_LAST:])),
    )


@dataclass(frozen=True)
class Summary:
    """What became of the objects of several clips.

    Attributes:
        clips: how many.
        ended_swapped: how many ended with an id on the other's object.
        silent: how many of these without a word of doubt in one of the last ten frames or more.
        doubted: mean share of the frames in which the two were said to be in doubt, and were not
            swapped.
        told: how many were said to be in doubt, or put right, at any time.
        exchanged: how many were put right, or thought to be.
        iou: mean over the clips.
    """

    clips: int
    ended_swapped: int
    silent: int
    doubted: float
    told: int
    exchanged: int
    iou: float


def summary(swaps: Iterable[Swap]) -> Summary:
    """Of one or more clips."""
    swaps = list(swaps)
    return Summary(
        clips=len(swaps),
        ended_swapped=sum(one.ended_swapped for one in swaps),
        silent=sum(one.silent for one in swaps),
        doubted=float(np.mean([one.doubted / LENGTH for one in swaps])),
        told=sum(one.told for one in swaps),
        exchanged=sum(one.exchanged > 0 for one in swaps),
        iou=float(np.mean([one.iou for one in swaps])),
    )


def _overlap(found: np.ndarray, truth: np.ndarray) -> float:
    union = np.count_nonzero(found | truth)
    return np.count_nonzero(found & truth) / union if union else 0.0
