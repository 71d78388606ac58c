# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A part of a network as a figure: a row for each frame, a column for each map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vos_ros.explain.errors import ExplainError
from vos_ros.explain.layout import LINE, WIDTH, Layout, wrapped
from vos_ros.explain.panels import Cell, Column, Part, Scale
from vos_ros.explain.scene import Scene

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

#: what the name of a figure may end in
FORMATS = ("png", "jpg", "pdf", "svg")

# Dark as the other figures are. Both maps of colours are told apart by every kind of colour vision.
_GROUND, _INK, _QUIET = "#181818", "#e6e6e6", "#b4b4b4"
_PLAIN, _SIGNED, _OVER = "viridis", "PuOr_r", "inferno"
_DPI = 124


@dataclass(frozen=True)
class Row:
    """One frame in a figure.

    Attributes:
        number: of the frame.
        padded: height and width of the input, pixels, which all maps cover.
        scaled: of what lies in the image, as against the padding.
        outline: soft mask over the padded input; it is drawn where it is 0.5.
        cells: one for each column.
    """

    number: int
    padded: tuple[int, int]
    scaled: tuple[int, int]
    outline: np.ndarray
    cells: tuple[Cell, ...]

    @classmethod
    def of(cls, part: Part, scene: Scene) -> Row:
        """The row of a part for a frame."""
        geometry = scene.geometry
        return cls(
            scene.number, geometry.padded, geometry.scaled, scene.soft_mask(), part.cells(scene)
        )


def need_matplotlib() -> None:
    """Raise ExplainError when nothing can be drawn."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise ExplainError(
            "the figures need the package matplotlib: python -m pip install matplotlib"
        ) from error


def write_figure(path: Path, part: Part, rows: Sequence[Row], model: str, about: str) -> None:
    """Draw a part of a network.

    Args:
        path: ends in one of `FORMATS`.
        part: what is drawn.
        rows: of each frame.
        model: what the network is called.
        about: what the figure was made of, written small below it.

    Raises:
        ExplainError: matplotlib is not installed, or the file cannot be written.
    """
    need_matplotlib()
    from matplotlib.figure import Figure

    lines, small = [*wrapped(part.says), *wrapped(about)], len(wrapped(about))
    layout = Layout.of(len(part.columns), len(rows), rows[0].scaled, len(lines))
    figure = Figure((WIDTH, layout.height), facecolor=_GROUND)
    panels = [
        [figure.add_axes(layout.panel(r, c)) for c in range(len(part.columns))]
        for r in range(len(rows))
    ]
    for place, column in enumerate(part.columns):
        _head(panels[0][place], column)
    for columns in _alike(part.columns):
        _draw_columns(figure, layout, panels, part, rows, columns)
    for row, (first, *_) in zip(rows, panels, strict=True):
        first.set_ylabel(f"frame {row.number}", color=_INK, fontsize=12)
    figure.text(0.5, 1 - 0.12 / layout.height, f"{model.upper()}, {part.heading}", color=_INK,
                fontsize=15, weight="bold", ha="center", va="top")  # fmt: skip
    for number, line in enumerate(reversed(lines)):
        colour, size = (_QUIET, 10.5) if number < small else (_INK, 11.5)
        figure.text(0.5, (0.1 + number * LINE) / layout.height, line, color=colour, fontsize=size,
                    ha="center", va="bottom")  # fmt: skip
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=_DPI)
    except OSError as error:
        raise ExplainError(f"the figure '{path}' cannot be written: {error}") from error


def _alike(columns: Sequence[Column]) -> list[range]:
    """Neighbours of one scale, which share a colour bar."""
    found: list[range] = []
    for place, column in enumerate(columns):
        if found and columns[found[-1].start].scale == column.scale:
            found[-1] = range(found[-1].start, place + 1)
        else:
            found.append(range(place, place + 1))
    return found


def limits(scale: Scale, part: Part, rows: Sequence[Row]) -> tuple[float, float]:
    """The least and the largest number of a scale, over all that is drawn with it."""
    shown = [
        row.cells[place].values
        for row in rows
        for place, column in enumerate(part.columns)
        if column.scale == scale
    ]
    numbers = np.concatenate([values.ravel() for values in shown if values is not None])
    low = float(numbers.min()) if scale.low is None else scale.low
    high = float(numbers.max()) if scale.high is None else scale.high
    if scale.signed:
        high = max(abs(low), abs(high))
        low = -high
    return (low, high) if high > low else (low, low + 1e-6)


def _head(panel: Axes, column: Column) -> None:
    """What a column is, and where in the paper."""
    for text, above, size, colour in (
        (column.title, 20, 12, _INK),
        (column.source, 5, 10, _QUIET),
    ):
        panel.annotate(text, (0.5, 1), (0, above), xycoords="axes fraction", color=colour,
                       textcoords="offset points", fontsize=size, ha="center")  # fmt: skip


def _draw_columns(
    figure: Figure, layout: Layout, panels: Sequence[Sequence[Axes]], part: Part,
    rows: Sequence[Row], columns: range,
) -> None:  # fmt: skip
    """Columns of one scale, and the key to their colours below."""
    from matplotlib.ticker import MaxNLocator

    scale = part.columns[columns.start].scale
    span = None if scale is None else limits(scale, part, rows)
    drawn = None
    for place in columns:
        for line, row in zip(panels, rows, strict=True):
            drawn = _draw_cell(line[place], row, row.cells[place], scale, span) or drawn
    if drawn is None or scale is None:
        return
    place_of_bar = figure.add_axes(layout.bar(columns[0], columns[-1]))
    bar = figure.colorbar(drawn, cax=place_of_bar, orientation="horizontal", ticks=MaxNLocator(4))
    bar.ax.tick_params(colors=_INK, labelsize=10)
    bar.set_label(scale.label, color=_QUIET, fontsize=10.5)
    bar.outline.set_visible(False)


def _draw_cell(
    panel: Axes, row: Row, cell: Cell, scale: Scale | None, span: tuple[float, float] | None
) -> AxesImage | None:
    """Draw one map; what its colours are a key to, if it has numbers."""
    from matplotlib.colors import PowerNorm

    panel.set_xticks([])
    panel.set_yticks([])
    panel.spines[:].set_visible(False)
    height, width = row.scaled
    drawn = None
    if cell.picture is not None:
        dimmed = cell.picture if cell.values is None else _dimmed(cell.picture)
        panel.imshow(dimmed, extent=(0, width, height, 0))
    if cell.values is not None and scale is not None and span is not None:
        over = cell.picture is not None
        colours = _SIGNED if scale.signed else _OVER if over else _PLAIN
        # What is nothing lets the picture through, where there is one.
        opaque = np.clip(20 * cell.values / span[1], 0, 0.9) if over else None
        norm = PowerNorm(0.5 if over else 1.0, *span)
        drawn = panel.imshow(cell.values, cmap=colours, norm=norm, alpha=opaque,
                             extent=(0, row.padded[1], row.padded[0], 0),
                             interpolation="nearest")  # fmt: skip
    panel.set_xlim(0, width)
    panel.set_ylim(height, 0)
    if cell.outlined:
        _outline(panel, row, row.outline if cell.outline is None else cell.outline)
    _annotate(panel, row, cell)
    return drawn


def _dimmed(picture: np.ndarray) -> np.ndarray:
    """A picture in dark grey, for numbers to be laid over."""
    grey = picture.astype(np.float32).mean(axis=2) / 255
    return np.repeat((0.15 + 0.5 * grey)[..., None], 3, axis=2)


def _outline(panel: Axes, row: Row, soft: np.ndarray) -> None:
    """The border of an object, white within black: it shows on every ground."""
    if not soft.min() < 0.5 < soft.max():
        return
    for colour, thick in (("black", 2.4), ("white", 1.1)):
        panel.contour(soft, levels=[0.5], colors=colour, linewidths=thick, origin="lower",
                      extent=(0, row.padded[1], 0, row.padded[0]))  # fmt: skip


def _annotate(panel: Axes, row: Row, cell: Cell) -> None:
    from matplotlib.patches import Rectangle

    if cell.mark is not None:
        for colour, size, thick in (("black", 13, 4.5), ("white", 11, 2)):
            panel.plot(*cell.mark, "x", color=colour, markersize=size, markeredgewidth=thick)
    if cell.caption:
        plate = {"facecolor": "black", "alpha": 0.85, "edgecolor": "none", "pad": 2}
        panel.text(0.02, 0.95, cell.caption, color="white", fontsize=11, va="top",
                   transform=panel.transAxes, bbox=plate)  # fmt: skip
    if cell.frame is not None:
        x, y, width, height = cell.frame
        down, across = row.scaled
        panel.add_patch(Rectangle((x * across, y * down), width * across, height * down,
                                  fill=False, edgecolor="white", linewidth=1.0))  # fmt: skip
