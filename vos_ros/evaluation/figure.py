# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A figure of region similarity over time: a panel for each sequence, a line for each object."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vos_ros.drawing import colour_of
from vos_ros.evaluation.errors import EvaluationError
from vos_ros.evaluation.results import SequenceResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

MOST_PANELS = 60
"""Of more sequences, those with the lowest mean are shown."""

SUFFIXES = (".png", ".jpg", ".jpeg", ".pdf", ".svg")
"""What the name of a figure may end in."""

_COLUMNS = 4
_PANEL = (4.0, 2.2)  # inches
# Dark as the contact sheet is, since the objects have the same colours in both.
_GROUND, _INK, _GRID = "#181818", "#e6e6e6", "#4a4a4a"


def write_figure(path: Path, results: Sequence[SequenceResult], measure: str = "J") -> None:
    """Draws J in percent against the frame index, for every sequence that was scored.

    `measure` is what J is called. The folder of `path` is made where it is missing. Raises
    EvaluationError when nothing was scored or matplotlib is not installed.
    """
    shown = [result for result in results if result.scored]
    if not shown:
        raise EvaluationError("no sequence was scored, so there is no figure to draw")
    title = None
    if len(shown) > MOST_PANELS:
        title = f"the {MOST_PANELS} of {len(shown)} sequences with the lowest {measure}"
        shown = sorted(shown, key=_mean)[:MOST_PANELS]
    figure, axes = _panels(len(shown))
    for axis, result in zip(axes, shown, strict=True):
        _draw(axis, result, measure)
    if title is not None:
        figure.suptitle(title, color=_INK)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, facecolor=_GROUND)


def need_matplotlib() -> tuple[type[Figure], type[FigureCanvasAgg]]:
    """matplotlib's Figure and the canvas that draws it without a screen.

    Raises EvaluationError when it is not installed. Imported when it is used: nothing else in an
    evaluation needs it.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise EvaluationError(
            "the figure needs the package matplotlib: python -m pip install matplotlib"
        ) from error
    return Figure, FigureCanvasAgg


def _panels(count: int) -> tuple[Figure, np.ndarray]:
    """A figure and as many axes in rows of `_COLUMNS`."""
    new_figure, canvas = need_matplotlib()
    columns = min(_COLUMNS, count)
    rows = -(-count // columns)
    figure = new_figure((columns * _PANEL[0], rows * _PANEL[1]), layout="constrained")
    canvas(figure)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in grid[count:]:
        axis.set_visible(False)
    return figure, grid[:count]


def _draw(axis: Axes, result: SequenceResult, measure: str) -> None:
    for entry in result.objects:
        if entry.scored:
            colour = tuple(value / 255 for value in colour_of(entry.id))
            # A dot for each frame where they are few: a line alone would hide which were scored.
            marker = "." if len(entry.scored) < 40 else ""
            axis.plot(
                entry.scored,
                [100 * value for value in entry.j],
                color=colour,
                linewidth=1.6,
                marker=marker,
                markersize=4,
                label=str(entry.id),
            )
    axis.set_facecolor(_GROUND)
    axis.set_ylim(-3, 103)
    axis.set_xlim(0, max(1, result.frames - 1))
    axis.grid(color=_GRID, linewidth=0.5)
    axis.tick_params(colors=_INK, labelsize=8)
    for spine in axis.spines.values():
        spine.set_color(_GRID)
    axis.set_title(f"{result.name}   {measure} {100 * _mean(result):.1f}", color=_INK, fontsize=10)
    axis.set_xlabel("frame", color=_INK, fontsize=8)
    axis.set_ylabel(f"{measure}, %", color=_INK, fontsize=8)
    axis.locator_params(axis="x", integer=True)
    if len(result.objects) > 1:  # beside the panel, where it hides no line
        axis.legend(
            fontsize=7,
            ncols=1 + (len(result.objects) - 1) // 7,
            loc="center left",
            bbox_to_anchor=(1.0, 0.5),
            frameon=False,
            labelcolor=_INK,
            handlelength=1,
        )


def _mean(result: SequenceResult) -> float:
    return float(np.mean([np.mean(entry.j) for entry in result.objects if entry.scored]))
