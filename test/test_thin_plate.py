# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bending: thin-plate splines against SciPy's, and what they do to an outline."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import RBFInterpolator

from vos_ros.data.layers import Layer, draw_frame
from vos_ros.data.motion import Motion, bending
from vos_ros.data.thin_plate import bent_plate


def test_bending_is_that_of_a_thin_plate():
    """Against the splines of SciPy, through nodes over the unit square."""
    nodes = np.random.default_rng(0).normal(0, 1, (3, 6, 6, 2))
    coarse, fine = (
        np.stack(np.meshgrid(*[np.linspace(0, 1, side)] * 2), -1).reshape(-1, 2) for side in (6, 21)
    )
    for frame, got in zip(nodes, bent_plate(nodes, 21), strict=True):
        spline = RBFInterpolator(coarse, frame.reshape(-1, 2), kernel="thin_plate_spline")
        np.testing.assert_allclose(got.reshape(-1, 2), spline(fine), atol=1e-5)
        np.testing.assert_allclose(got[::4, ::4], frame, atol=1e-5)


def test_a_plate_that_is_only_tilted_does_not_bend():
    rows, columns = np.indices((6, 6)) / 5.0
    nodes = np.stack([2 * columns - rows + 3, 4 * rows + 1], -1)
    rows, columns = np.indices((21, 21)) / 20.0
    expected = np.stack([2 * columns - rows + 3, 4 * rows + 1], -1)
    np.testing.assert_allclose(bent_plate(nodes, 21), expected, atol=1e-5)


def test_a_bent_outline_changes_from_frame_to_frame_as_no_affine_motion_does():
    """What is straight in the source is no longer: the edge of a square leaves its best line."""
    alpha = np.zeros((80, 120), np.uint8)
    alpha[10:70, 10:60] = 255
    picture = np.repeat(alpha[..., None], 3, 2)
    still = np.repeat(np.eye(3)[None], 3, 0)

    def edge(lattices):
        layer = Layer(picture, alpha, Motion(still, lattices), 1)
        found = []
        for frame in range(3):
            labels = draw_frame([layer], frame, (80, 120))[1]
            rows = np.arange(22, 58)
            right = np.array([np.flatnonzero(labels[row])[-1] for row in rows])
            found.append(right - np.polyval(np.polyfit(rows, right, 1), rows))
        return np.array(found)

    assert np.abs(edge(None)).max() < 0.01
    bent = edge(bending(np.random.default_rng(4), 3, alpha.shape, 0.12))
    assert np.abs(bent).max() > 1.0 and np.abs(bent[0] - bent[2]).max() > 0.8
