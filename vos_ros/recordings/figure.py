# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A run as a figure: presence, score, area, and latency where it is known, over time."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vos_ros.drawing import colour_of
from vos_ros.recordings.errors import RecordingError
from vos_ros.recordings.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH = 11.0  # inches
# Dark as the overlay's plates are, since the objects have the same colours in both.
_GROUND, _INK, _GRID, _QUIET = "#181818", "#e6e6e6", "#3c3c3c", "#9a9a9a"
_GAP = 5
_MOST_NAMED = 12  # objects in the legend; more would hide the curves


def write_figure(path: Path, run: Run) -> None:
    """Draw a run into a PNG, JPEG, PDF or SVG, as the path's ending says.

    Raises:
        RecordingError: matplotlib is not installed, or the file cannot be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RecordingError(
            "the figure needs the package matplotlib: python -m pip install matplotlib"
        ) from error
    timed = bool(run.measured or run.diagnosed)
    heights = (1 + 0.18 * len(run.ids), 4, 3, 3)[: 4 if timed else 3]
    figure = Figure((_WIDTH, 0.7 * sum(heights)), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    for panel in panels:
        _quiet(panel)
    begin = run.rows[0].stamp
    panels[0].set_xlim(0, max((run.rows[-1].stamp - begin) / 1e9, 0.1))
    _draw_presence(panels[0], run, begin)
    _draw_curves(panels[1], run, begin, "score")
    panels[1].set_ylim(-0.03, 1.03)
    _draw_curves(panels[2], run, begin, "area")
    panels[2].set_ylabel("area (% of image)")
    panels[2].set_ylim(bottom=0)
    if timed:
        _draw_latency(panels[3], run, begin)
    panels[-1].set_xlabel("time since the first mask (s)", color=_INK)
    figure.suptitle(run.title, color=_INK, fontsize=11)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=110, facecolor=_GROUND)
    except (OSError, ValueError) as error:
        raise RecordingError(f"the figure '{path}' cannot be written: {error}") from error


def _quiet(panel: Axes) -> None:
    panel.set_facecolor(_GROUND)
    panel.tick_params(colors=_INK, labelsize=9)
    panel.yaxis.label.set_color(_INK)
    for edge in panel.spines.values():
        edge.set_color(_GRID)
    panel.grid(True, color=_GRID, linewidth=0.6)


def _hue(object_id: int) -> tuple[float, ...]:
    return tuple(value / 255 for value in colour_of(object_id))


def _called(run: Run, object_id: int) -> str:
    name = run.names.get(object_id)
    return f"{object_id} {name}" if name else str(object_id)


def series(run: Run, object_id: int, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Stamps in ns and values of one object; `what` is present, score or area.

    There is a NaN, which breaks the line, where the object was not followed, and where nothing came
    for more than `_GAP` times as long as usual.
    """
    stamps: list[int] = []
    values: list[float] = []
    most = _GAP * _usual_step(run) * 1e9
    for row in run.rows:
        if stamps and row.stamp - stamps[-1] > most:
            stamps.append(stamps[-1] + 1)
            values.append(math.nan)
        entry = next((item for item in row.objects if item.id == object_id), None)
        stamps.append(row.stamp)
        values.append(math.nan if entry is None else float(getattr(entry, what)))
    return np.array(stamps, np.int64), np.array(values)


def _draw_presence(panel: Axes, run: Run, begin: int) -> None:
    """A bar a line for each object: there in its colour, absent in grey."""
    step = _usual_step(run)
    for line, object_id in enumerate(run.ids):
        stamps, present = series(run, object_id, "present")
        seconds = (stamps - begin) / 1e9
        for here, colour in ((1.0, _hue(object_id)), (0.0, "#505050")):
            spans = _spans(seconds, present == here, step)
            panel.broken_barh(spans, (line - 0.38, 0.76), facecolor=colour)
    panel.set_yticks(range(len(run.ids)), [_called(run, object_id) for object_id in run.ids])
    panel.set_ylim(len(run.ids) - 0.4, -0.6)
    panel.set_title("present (grey: absent)", color=_QUIET, fontsize=9, loc="left", pad=3)
    panel.grid(False)


def _usual_step(run: Run) -> float:
    """Seconds between two rows, in the median."""
    stamps = np.array([row.stamp for row in run.rows], np.int64)
    return float(np.median(np.diff(stamps))) / 1e9 if len(stamps) > 1 else 0.1


def _spans(seconds: np.ndarray, where: np.ndarray, step: float) -> list[tuple[float, float]]:
    """(begin, length) of the stretches in which something is so; a row counts for one step."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], where.astype(np.int8), [0]])))
    return [
        (float(seconds[first]), float(seconds[last - 1] - seconds[first] + step))
        for first, last in zip(edges[::2], edges[1::2], strict=True)
    ]


def _draw_curves(panel: Axes, run: Run, begin: int, what: str) -> None:
    scale = 100.0 if what == "area" else 1.0
    for object_id in run.ids[:_MOST_NAMED]:
        stamps, values = series(run, object_id, what)
        seconds = (stamps - begin) / 1e9
        marker = "o" if len(stamps) == 1 else None
        panel.plot(
            seconds,
            scale * values,
            color=_hue(object_id),
            linewidth=1.6,
            marker=marker,
            label=_called(run, object_id),
        )
    panel.set_ylabel(what)
    if what == "score" and run.ids:
        legend = panel.legend(loc="lower right", fontsize=8, ncols=4, facecolor=_GROUND)
        legend.get_frame().set_edgecolor(_GRID)
        for text in legend.get_texts():
            text.set_color(_INK)


def _draw_latency(panel: Axes, run: Run, begin: int) -> None:
    panel.set_ylabel("latency (ms)")
    stamps = np.array([row.stamp for row in run.rows], np.int64)
    values = np.array([row.latency for row in run.rows])
    told = []
    if run.measured:
        panel.plot((stamps - begin) / 1e9, values, ".", color="#56b4e9", markersize=3)
        told.append(f"{run.measured}, median {np.nanmedian(values):.0f} ms (dots)")
    if run.diagnosed:
        when, medians = zip(*run.diagnosed, strict=True)
        seconds = (np.array(when, np.int64) - begin) / 1e9
        panel.plot(seconds, medians, color="#e69f00", linewidth=1.5)
        told.append("median of /diagnostics (line)")
    panel.set_title("; ".join(told), color=_QUIET, fontsize=9, loc="left", pad=3)
    panel.set_ylim(bottom=0)
