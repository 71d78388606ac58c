# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A picture of the outcome: latency against the number of objects, and against the image size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vos_ros.benchmark.row import Row
from vos_ros.benchmark.session import Outcome
from vos_ros.benchmark.settings import given, parse_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ENDINGS = (".png", ".svg", ".pdf")
#: what a line's colour stands for, as far as it differs
_NETWORK = ("variant", "model", "precision", "internal_size", "threads", "runtime", "cameras")
_STYLES = ("-", "--", ":", "-.")
_MARKERS = "osv^Dx"
_FEW = 6
"""Lines of a panel, the names of more are beside it and not over them."""


def write_figure(path: Path, outcome: Outcome) -> None:
    """A row of panels for each part: lines are medians, bars reach to the 95th percentile."""
    from matplotlib.figure import Figure

    drawn = [*outcome.calls, *outcome.streams]
    parts = list(dict.fromkeys(row.what for row in drawn))
    figure = Figure(figsize=(12, 1 + 3.6 * len(parts)), layout="constrained")
    panels = figure.subplots(len(parts), 2, squeeze=False)
    for what, (left, right) in zip(parts, panels, strict=True):
        rows = [row for row in drawn if row.what == what]
        if rows[0].objects is None:
            left.set_axis_off()
        else:
            _draw(left, rows, _objects, lambda row: row.size or "")
            _mark(left, rows, _objects, lambda row: str(row.objects), "objects")
            left.set_title(f"{what}: time against objects")
        _draw(right, rows, _pixels, _followed)
        _mark(right, rows, _pixels, lambda row: row.size or "", "image, pixels")
        right.set_title(f"{what}: time against image size")
    about = outcome.about
    hardware = about["hardware"]
    threads = ", ".join(map(str, about["threads"]))
    figure.suptitle(f"{hardware['gpu'] or hardware['cpu']}, threads {threads}", fontsize=9)
    figure.savefig(path, dpi=120)


def _objects(row: Row) -> float:
    return float(row.objects or 0)


def _followed(row: Row) -> str:
    return "" if row.objects is None else f"objects {row.objects}"


def _pixels(row: Row) -> float:
    size = parse_size(row.size or "")
    return float(size.width * size.height)


def _mark(
    panel: Axes, rows: Sequence[Row], place: Callable[[Row], float],
    name: Callable[[Row], str], label: str,
) -> None:  # fmt: skip
    """Marks at the places that were measured, and nowhere else."""
    marks = {place(row): name(row) for row in rows}
    # Sizes lie close together: aslant, what belongs to one does not run into the next.
    panel.set_xticks(list(marks), list(marks.values()))
    if any("x" in mark for mark in marks.values()):
        panel.tick_params(axis="x", rotation=40)
    panel.set_xlabel(label)
    panel.margins(x=0.1)


def _draw(
    panel: Axes, rows: Sequence[Row], place: Callable[[Row], float],
    other: Callable[[Row], str],
) -> None:  # fmt: skip
    """A line for each network and setting that is not on the axis; the colour is the network's."""
    lines = defaultdict(list)
    varied = [name for name in _NETWORK if len({getattr(row, name) for row in rows}) > 1]
    for row in rows:
        key = ", ".join(_words(row, name) for name in varied or ["model"] if getattr(row, name))
        lines[key, other(row)].append(row)
    colours = list(dict.fromkeys(key for key, _ in lines))
    styles = list(dict.fromkeys(key for _, key in lines))
    for (network, setting), own in lines.items():
        own = sorted(own, key=place)
        style = styles.index(setting)
        medians = [given(row.median_ms) for row in own]
        beyond = [max(0.0, given(row.p95_ms) - given(row.median_ms)) for row in own]
        panel.errorbar(
            [place(row) for row in own],
            medians,
            yerr=[[0.0] * len(own), beyond],
            color=f"C{colours.index(network) % 10}",
            linestyle=_STYLES[style % len(_STYLES)],
            marker=_MARKERS[style % len(_MARKERS)],
            markersize=4, elinewidth=0.6, capsize=2,
            label=", ".join(word for word in (network, setting) if word) or "all",
        )  # fmt: skip
    panel.set_ylabel("milliseconds")
    panel.set_ylim(bottom=0)
    panel.grid(alpha=0.3)
    if len(lines) > _FEW:
        panel.legend(fontsize=6, loc="center left", bbox_to_anchor=(1.0, 0.5))
    else:
        panel.legend(fontsize=6)


def _words(row: Row, name: str) -> str:
    value = getattr(row, name)
    names = {"internal_size": "internal", "threads": "threads", "cameras": "cameras"}
    return f"{names[name]} {value}" if name in names else str(value)
