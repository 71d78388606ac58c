# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What people know the followed objects by."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


class Album:
    """Names and thumbnails of the followed objects. Belongs to the worker's thread."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._thumbnails: dict[int, np.ndarray] = {}

    @property
    def names(self) -> dict[int, str]:
        """By id, "" where none was given; the caller's own."""
        return dict(self._names)

    @property
    def thumbnails(self) -> dict[int, np.ndarray]:
        """By id, as far as there are any; the caller's own."""
        return dict(self._thumbnails)

    def note(
        self, names: Mapping[int, str], thumbnails: Mapping[int, np.ndarray], keep: bool
    ) -> None:
        """Take in objects that are followed from now on.

        Args:
            names: of all of them, "" where none was given.
            thumbnails: of some of them.
            keep: whether others stay.
        """
        if not keep:
            self.clear()
        for object_id, name in names.items():
            # Correcting an object without naming it again does not take its name away.
            self._names[object_id] = name or self._names.get(object_id, "")
            self._thumbnails.pop(object_id, None)
        self._thumbnails.update(thumbnails)

    def forget(self, object_id: int) -> None:
        """Leave out one object."""
        self._names.pop(object_id, None)
        self._thumbnails.pop(object_id, None)

    def clear(self) -> None:
        """Leave out all."""
        self._names.clear()
        self._thumbnails.clear()
