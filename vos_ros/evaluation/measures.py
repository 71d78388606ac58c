# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Region similarity J and contour accuracy F of two masks, and their statistics over a video.

The definitions are those of F. Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for
Video Object Segmentation", CVPR 2016, with the conventions of its published evaluation code where
the paper leaves a choice: how a boundary pixel is found, what two empty masks score, how the
quarters of a video overlap. Masks are H x W arrays; every non-zero pixel is foreground. All values
here are fractions 0..1; only the report speaks in percent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

__all__ = ["contour_accuracy", "region_similarity"]

BOUNDARY_BOUND = 0.008
"""How far a contour may be off and still count, as a fraction of the image diagonal."""

RECALL_THRESHOLD = 0.5
"""A frame counts as recalled when its score is strictly above this."""


@dataclass(frozen=True)
class Statistics:
    """What the scores of the frames of one video come to; every field is a fraction.

    `mean` is their mean, `recall` the share of frames above `RECALL_THRESHOLD`, and `decay` the
    mean of the first quarter less that of the last: positive when the result gets worse.
    """

    mean: float
    recall: float
    decay: float


def region_similarity(mask: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union of two H x W masks, 0..1; 1 where both are empty.

    Raises ValueError when the shapes differ or are not two-dimensional.
    """
    mask, truth = _as_pair(mask, truth)
    union = np.count_nonzero(mask | truth)
    if union == 0:
        return 1.0
    return np.count_nonzero(mask & truth) / union


def contour_accuracy(mask: np.ndarray, truth: np.ndarray, bound: float = BOUNDARY_BOUND) -> float:
    """F: harmonic mean of contour precision and recall of two H x W masks, 0..1.

    A contour pixel counts as met when a contour pixel of the other mask lies within
    `boundary_radius` pixels. The conventions at the edges: 1 where neither mask has a contour (an
    empty mask has none, and neither has one that fills the image, so empty against full is 1),
    0 where only one has. Raises ValueError when the shapes differ or are not two-dimensional.
    """
    mask, truth = _as_pair(mask, truth)
    window = _window(mask | truth)
    contour, true_contour = boundary_map(mask[window]), boundary_map(truth[window])
    length, true_length = np.count_nonzero(contour), np.count_nonzero(true_contour)
    if length == 0 or true_length == 0:
        return 1.0 if length == true_length else 0.0
    disk = _disk(boundary_radius(mask.shape, bound))
    precision = np.count_nonzero(contour & _dilated(true_contour, disk)) / length
    recall = np.count_nonzero(true_contour & _dilated(contour, disk)) / true_length
    if precision + recall == 0:
        return 0.0
    return 2 * precision * recall / (precision + recall)


def boundary_map(mask: np.ndarray) -> np.ndarray:
    """Contour of an H x W boolean mask, one pixel wide, as an H x W boolean array.

    A pixel is on the contour when it differs from its right, lower or lower-right neighbour, so
    the contour lies half a pixel up and left of the edge. In the last row only the right and in
    the last column only the lower neighbour is asked; the last pixel is never on the contour.
    """
    contour = np.zeros(mask.shape, dtype=bool)
    contour[:, :-1] = mask[:, :-1] ^ mask[:, 1:]
    below = mask[:-1] ^ mask[1:]
    contour[:-1] |= below
    contour[:-1, :-1] |= mask[:-1, :-1] ^ mask[1:, 1:]
    return contour


def boundary_radius(shape: tuple[int, ...], bound: float = BOUNDARY_BOUND) -> int:
    """Tolerance in pixels for an H x W image: `bound` times the diagonal, rounded up."""
    # The same floating-point expression as the published code, because a diagonal such as that of
    # 600 x 800 lands on a whole number, where the last bit decides which way the rounding goes.
    return int(np.ceil(bound * np.linalg.norm(shape)))


def statistics(scores: Sequence[float]) -> Statistics:
    """Mean, recall and decay over the frames of one video, in the order they were seen.

    Raises ValueError when there is no score.
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.size == 0:
        raise ValueError("there is no frame to take statistics of; at least one score is needed")
    return Statistics(
        mean=float(values.mean()),
        recall=float(np.mean(values > RECALL_THRESHOLD)),
        decay=_decay(values),
    )


def _decay(values: np.ndarray) -> float:
    """Mean of the first quarter less that of the last; neighbouring quarters share one frame.

    The indices stay in 64 bits. The published code casts them to 8, which wraps round in a video
    of more than 256 frames.
    """
    last = len(values) - 1
    # Halves round up: 1e-10 lifts them over the tie that np.round would send to the even side.
    edges = np.round(np.linspace(1, last + 1, 5) + 1e-10).astype(np.int64) - 1
    first_quarter = values[edges[0] : edges[1] + 1]
    last_quarter = values[edges[3] : edges[4] + 1]
    return float(first_quarter.mean() - last_quarter.mean())


def _as_pair(mask: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mask, truth = np.asarray(mask), np.asarray(truth)
    if mask.ndim != 2 or truth.ndim != 2:
        raise ValueError(
            f"the masks have {mask.ndim} and {truth.ndim} dimensions; both must be H x W"
        )
    if mask.shape != truth.shape:
        raise ValueError(
            f"the mask is {mask.shape[1]}x{mask.shape[0]} pixels and the truth "
            f"{truth.shape[1]}x{truth.shape[0]}; they must be of one size"
        )
    return mask != 0, truth != 0


def _window(foreground: np.ndarray) -> tuple[slice, slice]:
    """The part of the image that holds every contour: most of a frame is background.

    A pixel more on each side of the foreground: contours lie up and left of it, and the rule for
    the last row and column must only meet foreground where the image itself ends.
    """
    x, y, width, height = cv2.boundingRect(foreground.view(np.uint8))
    return slice(max(0, y - 1), y + height + 1), slice(max(0, x - 1), x + width + 1)


@lru_cache(maxsize=16)
def _disk(radius: int) -> np.ndarray:
    """All pixels whose centre lies within `radius` of the middle one, as 0/1 uint8."""
    offset = np.arange(-radius, radius + 1)
    return (offset[:, None] ** 2 + offset[None, :] ** 2 <= radius**2).astype(np.uint8)


def _dilated(contour: np.ndarray, disk: np.ndarray) -> np.ndarray:
    return cv2.dilate(contour.view(np.uint8), disk).view(bool)
