# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was sent last, as far as it is still true once objects are forgotten."""

from __future__ import annotations

import numpy as np
from std_msgs.msg import Header

from vos_ros.segmenter import Segmentation


class LastSent:
    """The last result that was published, out of which objects can be taken.

    Attributes:
        content: the header of its frame and what is left of it; None before there is one.
    """

    def __init__(self) -> None:
        self.content: tuple[Header, Segmentation] | None = None

    @property
    def ids(self) -> tuple[int, ...]:
        """The objects that it is still true of."""
        return () if self.content is None else tuple(item.id for item in self.content[1].objects)

    def note(self, header: Header, result: Segmentation) -> None:
        """Take a result that is published now."""
        self.content = (header, result)

    def forget(self, ids: set[int]) -> None:
        """Take objects out of it."""
        if self.content is None:
            return
        header, result = self.content
        labels = np.where(np.isin(result.labels, list(ids)), 0, result.labels).astype(np.uint8)
        left = tuple(item.apart_from(ids) for item in result.objects if item.id not in ids)
        self.content = (header, Segmentation(labels, left))
