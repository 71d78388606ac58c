# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Have the node follow what is in a box of the camera's newest image.

    python -m vos_ros init_box 250 200 100 100 --name cup
    ros2 run vos_ros init_box 250 200 100 100 --image /camera/image_raw --id 2 --keep

What in the box is the object and what is behind it is told apart by GrabCut, as on the page of
`select`; `--fill` takes all of the box.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vos_ros.apps.mask_options import new_parser, read_arguments, read_id

if TYPE_CHECKING:
    import numpy as np


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    built = new_parser("init_box", "Have the node follow what is in a box of the camera's image.")
    add = built.add_argument
    add("x", type=float, help="left edge of the box, pixels of the camera's image")
    add("y", type=float, help="upper edge")
    add("width", type=float, help="in pixels")
    add("height", type=float, help="in pixels")
    add("--id", type=read_id, default=1, help="of the object, 1..255 (default: %(default)s)")
    add("--name", default="", help="of the object, for people")
    add("--fill", action="store_true", help="the whole box is the object; do not look for edges")
    return built


def main(argv: Sequence[str] | None = None) -> int:
    """Order it; return the exit status (see --help)."""
    given, arguments = read_arguments(parser(), argv)
    from vos_ros.apps.mask_order import order

    return order(given, arguments, lambda image: labels_in_box(image, given), names=[given.name])


def labels_in_box(image: np.ndarray, given: argparse.Namespace) -> np.ndarray:
    """The labels that the command line means on an image.

    Raises:
        StrokeError: there is no such box, or nothing in it.
    """
    from vos_ros.cutout import cut_box
    from vos_ros.strokes import Box, StrokeError

    box = Box(given.x, given.y, given.width, given.height)
    height, width = image.shape[:2]
    area = box.area((height, width))
    if not area.any():
        raise StrokeError(
            f"The box from ({given.x:g}, {given.y:g}) to ({given.x + given.width:g},"
            f" {given.y + given.height:g}) has no pixel of the image, which is {width} x {height}"
            " (width x height); 0, 0 is its upper left corner."
        )
    mask = area if given.fill else cut_box(image, box)
    if not mask.any():
        raise StrokeError(
            "Nothing in the box stands out from what is around it. Draw the box around the whole"
            " object, or give --fill to take all of the box."
        )
    return mask * given.id
