# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Thin-plate splines: the smoothest surface through given displacements (Bookstein 1989).

A spline is a plane plus one radial function U(r) = r^2 log r for each point. It depends linearly on
the displacements, so that for points that never change one matrix does all the work.
"""

from __future__ import annotations

from functools import cache

import numpy as np


def bent_plate(nodes: np.ndarray, side: int) -> np.ndarray:
    """Displacements of a fine lattice, by the thin-plate splines through those of a coarse one.

    nodes: ... x N x N x 2, spread evenly over a picture from corner to corner. Returns
    ... x side x side x 2 float32, spread likewise.
    """
    count = nodes.shape[-2]
    values = nodes.reshape(-1, count * count, 2).astype(np.float64)
    fine = _spreading(count, side) @ values
    return fine.reshape(*nodes.shape[:-3], side, side, 2).astype(np.float32)


@cache
def _spreading(count: int, side: int) -> np.ndarray:
    """The matrix from displacements of count^2 nodes to those of side^2 places."""
    nodes, places = _lattice(count), _lattice(side)
    system = np.zeros((len(nodes) + 3, len(nodes) + 3))
    system[: len(nodes), : len(nodes)] = _radial(nodes, nodes)
    system[: len(nodes), len(nodes) :] = _plane(nodes)
    system[len(nodes) :, : len(nodes)] = _plane(nodes).T
    coefficients = np.linalg.inv(system)[:, : len(nodes)]
    return np.hstack([_radial(places, nodes), _plane(places)]) @ coefficients


def _lattice(side: int) -> np.ndarray:
    """side^2 points (x, y) over the unit square, row by row."""
    along = np.linspace(0.0, 1.0, side)
    return np.stack(np.meshgrid(along, along), -1).reshape(-1, 2)


def _radial(places: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    squares = ((places[:, None] - nodes[None]) ** 2).sum(-1)
    return 0.5 * squares * np.log(np.where(squares > 0, squares, 1.0))


def _plane(points: np.ndarray) -> np.ndarray:
    return np.hstack([np.ones((len(points), 1)), points])
