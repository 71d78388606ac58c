# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keep what a running node finds: an overlay video, its masks as PNG, and a line for each image.

    python -m vos_ros record --image /camera/image_raw --out out/record     # until Ctrl-C

    overlay.mp4        the images with the masks over them, as long as what it shows
    masks/00000.png    the masks; pixel values are object ids
    run.jsonl          stamp, latency and presence of each, for `plot`

An image without a mask is not kept: the video shows the newest picture with one until the next.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from vos_ros.apps.arguments import rate, span, whole
from vos_ros.data.video import VideoError
from vos_ros.recordings.errors import RecordingError


def main(argv: Sequence[str] | None = None) -> int:
    """Record until a signal comes or what was asked for is there.

    Returns 0 when masks were kept, also when a signal ended it, 1 when none came or they could
    not be written, 2 when the folder is in use.
    """
    given = _parser().parse_args(argv)
    if given.out.exists() and any(given.out.iterdir() if given.out.is_dir() else [given.out]):
        print(f"record: '{given.out}' is in use and is not written over", file=sys.stderr)
        return 2
    from vos_ros.apps.record_session import record  # ROS, only now

    try:
        print(record(given))
    except (RecordingError, VideoError, OSError) as error:
        print(f"record: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    built = argparse.ArgumentParser(
        prog="record", description="Keep an overlay video and the masks of a running node."
    )
    add = built.add_argument
    add("--image", default="image", help="topic of the camera, for the video (default: image)")
    add("--compressed", action="store_true", help="take its TOPIC/compressed instead")
    add("--node", default="vos", help="name of the node, with its namespace (default: vos)")
    add("--out", type=Path, default=Path("out/record"), metavar="DIR", help="default: out/record")
    add("--rate", type=rate, default=25.0, help="frames a second of the video (default: 25)")
    add("--seconds", type=span, default=0.0, help="from the first mask on (default: no end)")
    add("--count", type=whole, default=0, help="stop after so many masks (default: no end)")
    add("--no-video", action="store_true", help="without overlay.mp4")
    add("--no-masks", action="store_true", help="without the PNGs")
    return built


if __name__ == "__main__":
    sys.exit(main())
