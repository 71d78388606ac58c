# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Presence, area and latency over time, of a recorded run, as a figure.

    python -m vos_ros plot RUN --out run.png

RUN is a bag with the node's presence (of `replay`, or of `ros2 bag record` beside the node), or the
folder that `record` wrote. Neither ROS nor a screen is needed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from vos_ros.recordings.bag_run import read_bag
from vos_ros.recordings.errors import RecordingError
from vos_ros.recordings.figure import write_figure
from vos_ros.recordings.run import ROWS, Run, read_folder


def main(argv: Sequence[str] | None = None) -> int:
    """Draw a run; 1, with a sentence, when it cannot be read or the figure not be written."""
    given = _parser().parse_args(argv)
    out = given.out or Path(f"{given.run.resolve().stem}.png")
    try:
        run = _read(given.run, given.node)
        write_figure(out, run)
    except RecordingError as error:
        print(f"plot: {error}", file=sys.stderr)
        return 1
    seconds = (run.rows[-1].stamp - run.rows[0].stamp) / 1e9
    objects = f"{len(run.ids)} object{'s' if len(run.ids) != 1 else ''}"
    print(f"{len(run.rows)} images in {seconds:.1f} s, {objects}: '{out}'")
    return 0


def _parser() -> argparse.ArgumentParser:
    built = argparse.ArgumentParser(
        prog="plot", description="Draw presence, area and latency of a recorded run over time."
    )
    built.add_argument("run", type=Path, help="a bag, or the folder that record wrote")
    built.add_argument("--out", type=Path, help="PNG, JPEG, PDF or SVG (default: NAME.png)")
    built.add_argument("--node", default="", help="name of the node, where a bag has several")
    return built


def _read(path: Path, node: str) -> Run:
    run = read_folder(path) if (path / ROWS).exists() else read_bag(path, node)
    if not run.rows:
        raise RecordingError(f"'{path}' holds no image that was answered")
    return run


if __name__ == "__main__":
    sys.exit(main())
