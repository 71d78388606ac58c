# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The measures of a figure, in inches: panels of one size, colour bars and text below them."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

# The figure's width, what is left of and right of the panels, and between them.
WIDTH, _LEFT, _RIGHT, _GAP = 10.5, 0.36, 0.08, 0.08
_TOP, _BARS, LINE = 1.0, 0.8, 0.24  # the titles, the colour bars, and a line of text below them
_LETTERS = 115  # on such a line


@dataclass(frozen=True)
class Layout:
    """Where the panels of a figure are.

    Attributes:
        rows: of panels.
        width: of a panel.
        panel_height: likewise.
        foot: what is below the panels.
        height: of the figure.
    """

    rows: int
    width: float
    panel_height: float
    foot: float
    height: float

    @classmethod
    def of(cls, columns: int, rows: int, scaled: tuple[int, int], lines: int) -> Layout:
        """For so many columns, rows, and lines of text; `scaled` gives the shape of a panel."""
        width = (WIDTH - _LEFT - _RIGHT - (columns - 1) * _GAP) / columns
        panel = width * scaled[0] / scaled[1]
        foot = _BARS + 0.15 + lines * LINE
        return cls(rows, width, panel, foot, _TOP + rows * (panel + _GAP) + foot)

    def panel(self, row: int, column: int) -> tuple[float, float, float, float]:
        """Left, bottom, width and height as shares of the figure."""
        left = _LEFT + column * (self.width + _GAP)
        bottom = self.foot + (self.rows - 1 - row) * (self.panel_height + _GAP)
        return self._shares(left, bottom, self.width, self.panel_height)

    def bar(self, first: int, last: int) -> tuple[float, float, float, float]:
        """Likewise of the colour bar of the columns from `first` to `last`."""
        left = _LEFT + first * (self.width + _GAP)
        across = (last - first) * (self.width + _GAP) + self.width
        shown = min(0.85 * across, 1.5 * self.width)
        return self._shares(left + (across - shown) / 2, self.foot - 0.22, shown, 0.13)

    def _shares(
        self, left: float, bottom: float, width: float, height: float
    ) -> tuple[float, float, float, float]:
        return left / WIDTH, bottom / self.height, width / WIDTH, height / self.height


def wrapped(text: str) -> list[str]:
    """Lines of about the same length; none of no text."""
    lines = max(1, -(-len(text) // _LETTERS))
    return textwrap.wrap(text, len(text) // lines + 8)
