# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A soak as a figure: what the node held and how long its masks took, over the whole time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vos_ros.soak.report import Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ENDINGS = (".png", ".svg", ".pdf")


def write_figure(path: Path, report: Report) -> None:
    """Two panels above each other: resident memory of each life of the node, and latencies."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    _draw_memory(above, report)
    _draw_latencies(below, report)
    below.set_xlabel("time (minutes)")
    below.set_xlim(0, max(report.ran, 1.0) / 60)
    told = report.as_json()
    figure.suptitle(
        f"{sum(report.faults.values())} faults of {len(report.faults)} kinds, seed {report.seed}: "
        f"{report.restarts} restarts, {len(report.broken)} promises broken "
        f"({told['hardware']['cpu']})",
        fontsize=10,
    )
    figure.savefig(path, dpi=120)


def _draw_memory(panel: Axes, report: Report) -> None:
    for number, curve in enumerate(report.curves):
        seconds, megabytes = np.array(curve.seconds), np.array(curve.megabytes)
        panel.plot(seconds / 60, megabytes, color="C0", linewidth=0.8)
        if number:  # the first one was not told to end before
            panel.axvline(seconds[:1].sum() / 60, color="0.6", linestyle=":", linewidth=0.8)
    panel.set_ylabel("resident memory (MB)")
    panel.set_title("dotted: the node was ended and started anew, as it was told to", fontsize=8)
    panel.set_ylim(bottom=0)
    panel.grid(alpha=0.3)


def _draw_latencies(panel: Axes, report: Report) -> None:
    """On a logarithmic scale, so that the many and the worst are seen."""
    ledger = report.ledger
    minutes = (np.array(ledger.answer_moments) - (report.began or 0.0)) / 60
    panel.scatter(minutes, np.array(ledger.latencies) * 1000, s=2, color="C0", linewidths=0)
    panel.set_yscale("log")
    panel.set_ylabel("image sent to mask received (ms)")
    panel.grid(alpha=0.3)
