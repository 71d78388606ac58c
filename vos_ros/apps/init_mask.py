# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Have the node follow the objects of a mask in a file.

    python -m vos_ros init_mask mask.png
    ros2 run vos_ros init_mask mask.png --picture frame.png --names cup plate

The mask is a palette or grey PNG: 0 background, every other value an object's id.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from vos_ros.apps.mask_options import WRONG, new_parser, read_arguments, read_id


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    built = new_parser("init_mask", "Have the node follow the objects of a mask in a file.")
    add = built.add_argument
    add("file", help="PNG, palette or grey: 0 background, every other value an object's id")
    add("--names", nargs="+", default=[], help="of the objects followed, by ascending id")
    add(
        "--ids",
        nargs="+",
        type=read_id,
        default=[],
        help="those to follow, if not all; --names are in their order then",
    )
    add(
        "--picture",
        metavar="FILE",
        help="the picture that the mask was drawn on (default: an image of the camera)",
    )
    return built


def main(argv: Sequence[str] | None = None) -> int:
    """Order it; return the exit status (see --help)."""
    given, arguments = read_arguments(parser(), argv)
    from vos_ros.apps.mask_order import order
    from vos_ros.data.image_files import ImageFileError, read_labels, read_rgb

    try:
        labels = read_labels(given.file)
        picture = read_rgb(given.picture) if given.picture else None
    except ImageFileError as error:
        print(f"init_mask: {error}", file=sys.stderr)
        return WRONG
    return order(
        given, arguments, lambda _: labels, ids=given.ids, names=given.names, picture=picture
    )
