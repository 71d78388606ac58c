# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""J, F and their statistics against cases worked out by hand and two independent references."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from vos_ros.evaluation.measures import (
    boundary_map,
    boundary_radius,
    contour_accuracy,
    region_similarity,
    statistics,
)


def box(height: int, width: int, top: int, left: int, bottom: int, right: int) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    mask[top:bottom, left:right] = 1
    return mask


def naive_boundary(mask: np.ndarray) -> np.ndarray:
    """The definition, pixel by pixel."""
    height, width = mask.shape
    contour = np.zeros((height, width), bool)
    for y in range(height):
        for x in range(width):
            if y == height - 1 and x == width - 1:
                continue
            if y == height - 1:
                others = [mask[y, x + 1]]
            elif x == width - 1:
                others = [mask[y + 1, x]]
            else:
                others = [mask[y, x + 1], mask[y + 1, x], mask[y + 1, x + 1]]
            contour[y, x] = any(other != mask[y, x] for other in others)
    return contour


def naive_f(mask: np.ndarray, truth: np.ndarray) -> float:
    """F by the distance of every contour pixel to every other one."""
    first = np.argwhere(naive_boundary(mask != 0))
    second = np.argwhere(naive_boundary(truth != 0))
    if len(first) == 0 or len(second) == 0:
        return float(len(first) == len(second))
    radius = math.ceil(0.008 * math.hypot(*mask.shape))
    near = ((first[:, None] - second[None]) ** 2).sum(-1) <= radius**2
    precision, recall = near.any(1).mean(), near.any(0).mean()
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def random_masks(count: int, height: int, width: int, seed: int) -> list[np.ndarray]:
    """Smooth blobs of many sizes, some touching the border, as uint8 0/1."""
    rng = np.random.default_rng(seed)
    masks = []
    for _ in range(count):
        field = ndimage.gaussian_filter(rng.standard_normal((height, width)), rng.uniform(0.5, 9))
        masks.append((field > np.quantile(field, rng.uniform(0.05, 0.98))).astype(np.uint8))
    return masks


def edge_masks(height: int, width: int) -> list[np.ndarray]:
    """Empty, full, single pixels in the middle and every corner, strips and frames at borders."""
    masks = [np.zeros((height, width), np.uint8), np.ones((height, width), np.uint8)]
    for y, x in ((0, 0), (0, -1), (-1, 0), (-1, -1), (height // 2, width // 2)):
        masks.append(np.zeros((height, width), np.uint8))
        masks[-1][y, x] = 1
    for line in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1], np.s_[height // 2]):
        masks.append(np.zeros((height, width), np.uint8))
        masks[-1][line] = 1
        masks.append(1 - masks[-1])
    masks.append((np.indices((height, width)).sum(0) % 2).astype(np.uint8))
    return masks


def pairs() -> list[tuple[np.ndarray, np.ndarray]]:
    edges = edge_masks(45, 61)
    crossed = [(a, b) for a in edges for b in edges]
    blobs = random_masks(120, 90, 121, seed=1)
    # Small moves too: two masks of unrelated shape hardly meet within the tolerance.
    moved = [
        (mask, np.roll(mask, shift, (0, 1)))
        for mask, shift in zip(blobs, [(i % 7 - 3, i % 5 - 2) for i in range(120)], strict=True)
    ]
    apart = list(zip(blobs[:60], blobs[60:], strict=True))
    with_edges = list(zip(random_masks(len(edges), 45, 61, seed=2), edges, strict=True))
    return crossed + moved + apart + with_edges


def test_region_similarity_of_two_boxes_is_overlap_over_union():
    # 4x4 and 4x4, two columns shared: 8 of 24 pixels.
    assert region_similarity(box(10, 10, 2, 2, 6, 6), box(10, 10, 2, 4, 6, 8)) == 8 / 24


def test_any_nonzero_value_is_foreground():
    mask, truth = box(10, 10, 2, 2, 6, 6), 255 * box(10, 10, 2, 2, 6, 6)
    assert region_similarity(3 * mask, truth) == 1.0
    assert contour_accuracy(3 * mask, truth) == 1.0


@pytest.mark.parametrize(
    ("mask", "truth", "j", "f"),
    [
        (np.zeros((20, 30)), np.zeros((20, 30)), 1.0, 1.0),
        (np.ones((20, 30)), np.ones((20, 30)), 1.0, 1.0),
        (np.zeros((20, 30)), np.ones((20, 30)), 0.0, 1.0),  # neither has a contour
        (np.zeros((20, 30)), box(20, 30, 5, 5, 9, 9), 0.0, 0.0),
        (box(20, 30, 5, 5, 9, 9), np.zeros((20, 30)), 0.0, 0.0),
        (np.ones((20, 30)), box(20, 30, 0, 0, 20, 15), 0.5, 0.0),
    ],
)
def test_conventions_for_empty_and_full_masks(mask, truth, j, f):
    assert region_similarity(mask, truth) == j
    assert contour_accuracy(mask, truth) == f


def test_contour_of_a_box_lies_half_a_pixel_up_and_left():
    contour = boundary_map(box(6, 6, 2, 2, 4, 4).astype(bool))
    expected = np.array(
        [
            [0, 0, 0, 0, 0, 0],
            [0, 1, 1, 1, 0, 0],
            [0, 1, 0, 1, 0, 0],
            [0, 1, 1, 1, 0, 0],
            [0, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 0],
        ],
        bool,
    )
    np.testing.assert_array_equal(contour, expected)


def test_boundary_map_equals_its_definition():
    for mask in edge_masks(9, 13) + random_masks(30, 21, 17, seed=3):
        np.testing.assert_array_equal(boundary_map(mask != 0), naive_boundary(mask != 0))


@pytest.mark.parametrize(
    ("shape", "radius"),
    [
        ((480, 854), 8),  # 7.84
        ((1080, 1920), 18),  # 17.6
        ((600, 800), 8),  # exactly 8
        ((288, 512), 5),  # 4.70
        ((10, 10), 1),
    ],
)
def test_boundary_radius(shape, radius):
    assert boundary_radius(shape) == radius


def test_contours_count_within_the_tolerance_and_not_beyond():
    # Half planes at 480x854 have straight contours; the tolerance there is 8 pixels.
    truth = box(480, 854, 0, 0, 480, 400)
    assert contour_accuracy(box(480, 854, 0, 0, 480, 408), truth) == 1.0
    assert contour_accuracy(box(480, 854, 0, 0, 480, 409), truth) == 0.0


def test_contour_accuracy_by_hand():
    # Truth: a vertical line of contour, 100 pixels long. Mask: the same line and a second one far
    # from it. Precision 1/2, recall 1.
    truth = box(100, 100, 0, 0, 100, 21)
    mask = truth | box(100, 100, 0, 70, 100, 100)
    assert contour_accuracy(mask, truth) == pytest.approx(2 * 0.5 / 1.5, abs=1e-15)
    assert contour_accuracy(truth, mask) == pytest.approx(2 * 0.5 / 1.5, abs=1e-15)


def test_contour_accuracy_equals_all_pairs_of_distances():
    for mask, truth in pairs()[::15]:
        assert contour_accuracy(mask, truth) == pytest.approx(naive_f(mask, truth), abs=1e-12)


def test_agrees_with_the_public_benchmark():
    reason = "vos-benchmark is not installed"
    evaluator = pytest.importorskip("vos_benchmark.evaluator", reason=reason)
    cases = pairs() + [(mask, np.roll(mask, 6, 1)) for mask in random_masks(6, 480, 854, seed=4)]
    assert len(cases) > 400
    for mask, truth in cases:
        judge = evaluator.Evaluator()
        # It scores the ids that it has seen; one frame first with the object in both.
        judge.feed_frame(np.ones((4, 4), np.uint8), np.ones((4, 4), np.uint8))
        judge.feed_frame(mask, truth)
        assert region_similarity(mask, truth) == pytest.approx(judge.object_iou[1][1], abs=1e-9)
        assert contour_accuracy(mask, truth) == pytest.approx(judge.boundary_f[1][1], abs=1e-9)


def test_disk_dilation_equals_that_of_scipy():
    # The published code dilates with scikit-image, which hands this very operation to SciPy.
    mask, truth = random_masks(2, 120, 160, seed=5)
    radius = boundary_radius(mask.shape)
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    disk = y**2 + x**2 <= radius**2
    first, second = boundary_map(mask != 0), boundary_map(truth != 0)
    precision = (first & ndimage.binary_dilation(second, disk)).sum() / first.sum()
    recall = (second & ndimage.binary_dilation(first, disk)).sum() / second.sum()
    expected = 2 * precision * recall / (precision + recall)
    assert contour_accuracy(mask, truth) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    ("mask", "truth", "words"),
    [
        (np.zeros((4, 5)), np.zeros((5, 4)), "5x4 pixels and the truth 4x5"),
        (np.zeros((4, 5, 1)), np.zeros((4, 5)), "3 and 2 dimensions"),
    ],
)
def test_masks_that_do_not_fit_are_refused(mask, truth, words):
    for measure in (region_similarity, contour_accuracy):
        with pytest.raises(ValueError, match=words):
            measure(mask, truth)


def test_inputs_are_not_changed():
    mask, truth = random_masks(2, 40, 50, seed=6)
    before = mask.copy(), truth.copy()
    region_similarity(mask, truth)
    contour_accuracy(mask, truth)
    np.testing.assert_array_equal(mask, before[0])
    np.testing.assert_array_equal(truth, before[1])


def test_statistics_by_hand():
    # Quarters of 9 frames: edges at 0, 2, 4, 6, 8, both ends included.
    scores = [1.0, 0.9, 0.8, 0.7, 0.5, 0.51, 0.3, 0.2, 0.1]
    result = statistics(scores)
    assert result.mean == pytest.approx(sum(scores) / 9)
    assert result.recall == pytest.approx(5 / 9)  # 0.5 itself is not above the threshold
    assert result.decay == pytest.approx(0.9 - 0.2)


def test_quarters_round_halves_up():
    # 7 frames: the edges 1, 2.5, 4, 5.5, 7 become 1, 3, 4, 6, 7.
    scores = [1.0, 0.8, 0.6, 0.5, 0.4, 0.2, 0.0]
    assert statistics(scores).decay == pytest.approx(0.8 - 0.1)


def test_decay_beyond_256_frames():
    # 1001 frames: the quarters are 0..250 and 750..1000. Indices of 8 bits would wrap round.
    scores = np.linspace(1, 0, 1001)
    expected = scores[:251].mean() - scores[750:].mean()
    assert statistics(list(scores)).decay == pytest.approx(expected, abs=1e-12)
    assert statistics(list(scores)).decay == pytest.approx(0.75, abs=1e-12)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_statistics_of_very_short_videos(length):
    assert statistics([0.6] * length).decay == pytest.approx(0.0)
    assert statistics([0.6] * length).recall == 1.0


def test_statistics_of_nothing_are_refused():
    with pytest.raises(ValueError, match="at least one score"):
        statistics([])
