# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A figure of what becomes of objects that are out of view, against how long they are."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ENDINGS = (".png", ".jpg", ".jpeg", ".pdf", ".svg")

Clip = Mapping[str, Any]
"""A `Return` as a dictionary, and in it the clip as one."""

#: what is drawn of the clips of one kind and gap: a mean, NaN where none has it
_CURVES: dict[str, Callable[[Clip], float]] = {
    "taken up again": lambda one: float(one["frames"] is not None),
    "frames called present while gone": lambda one: float(one["held_wrong"]),
    "frames with something else taken for it, that is told": lambda one: (
        one["wrong_doubted"] / one["wrong"] if one.get("wrong") else math.nan
    ),
}
_COLOURS = ("#0072b2", "#d55e00", "#009e73")  # told apart by the colour-blind, too


def write_figure(path: Path, title: str, now: Sequence[Clip], before: Sequence[Clip] = ()) -> None:
    """A panel for each kind of clip; what it was before is dashed.

    Args:
        path: its folder is made where it is missing.
        title: what was measured.
        now: one or more clips.
        before: of other settings, to be held against them.
    """
    from matplotlib.figure import Figure

    kinds = list(dict.fromkeys(_kind(one) for one in now))
    figure = Figure(figsize=(5.2 * 2, 3.0 * math.ceil(len(kinds) / 2) + 1), layout="constrained")
    panels = figure.subplots(math.ceil(len(kinds) / 2), 2, squeeze=False, sharey=True).ravel()
    for panel, kind in zip(panels, kinds, strict=False):
        _draw(panel, [one for one in now if _kind(one) == kind], "-")
        _draw(panel, [one for one in before if _kind(one) == kind], "--")
        panel.set_title(kind)
    for panel in panels[len(kinds) :]:
        panel.set_axis_off()
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8)
    figure.suptitle(f"{title}{'; dashed: before' if before else ''}", fontsize=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _kind(one: Clip) -> str:
    clip = one["clip"]
    return f"{clip['way']}, {'beside a look-alike' if clip['look_alike'] else 'alone'}"


def _draw(panel: Axes, clips: Sequence[Clip], style: str) -> None:
    """A line for each curve, against the gap; those with nothing to show are left out."""
    gaps = sorted({one["clip"]["gap"] for one in clips})
    for (name, value), colour in zip(_CURVES.items(), _COLOURS, strict=True):
        found = defaultdict(list)
        for one in clips:
            if not math.isnan(share := value(one)):
                found[one["clip"]["gap"]].append(share)
        shares = [100 * fmean(found[gap]) if found[gap] else math.nan for gap in gaps]
        label = name if style == "-" else None
        panel.plot(gaps, shares, style, marker="o", markersize=4, color=colour, label=label)
    panel.set_xscale("log")
    panel.set_xticks(gaps, [str(gap) for gap in gaps])
    panel.minorticks_off()
    panel.set_xlabel("frames out of view")
    panel.set_ylabel("%")
    panel.set_ylim(-4, 104)
    panel.grid(alpha=0.3)
