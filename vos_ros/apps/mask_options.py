# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the command lines of `init_box` and `init_mask` have in common."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence

FOLLOWED, REFUSED, WRONG, ABSENT = range(4)
"""Exit statuses: done; the node refused; the command line is wrong; nobody there, or too late."""

_STATUSES = """exit status:
  0  the objects are followed
  1  the node refused; its answer says why
  2  the command line is wrong, or does not fit the image
  3  no node, no image or no answer within --timeout
"""
HIGHEST_ID = 255


def new_parser(prog: str, description: str) -> argparse.ArgumentParser:
    """A command line with the options that both have."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description=description,
        epilog=f"{_STATUSES}\nROS arguments (remapping, namespace) follow after --ros-args.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--keep",
        action="store_true",
        help="go on following the objects followed now, except those whose id is given again"
        " (default: forget them)",
    )
    add(
        "--stamp",
        type=read_stamp,
        metavar="SECONDS",
        help="stamp of the image that is meant, as in its header, such as 1712.040000000"
        " (default: the newest image)",
    )
    add("--node", default="vos", help="name of the node that is to follow (default: %(default)s)")
    add("--image", default="image", metavar="TOPIC", help="the camera's topic (default: image)")
    add("--compressed", action="store_true", help="take images from TOPIC/compressed")
    add(
        "--timeout",
        type=read_timeout,
        default=10.0,
        metavar="SECONDS",
        help="how long to wait for each of node, image and answer (default: %(default)g)",
    )
    return parser


def read_arguments(
    parser: argparse.ArgumentParser, argv: Sequence[str] | None
) -> tuple[argparse.Namespace, list[str]]:
    """Read a command line; return what was given, and all of it for ROS."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if "-h" in arguments or "--help" in arguments:
        parser.parse_args(["--help"])
    from rclpy.utilities import remove_ros_args

    return parser.parse_args(remove_ros_args([parser.prog, *arguments])[1:]), arguments


def read_stamp(text: str) -> int:
    """Nanoseconds of a stamp in seconds, exactly; argparse.ArgumentTypeError when it is none."""
    match = re.fullmatch(r"(\d{1,10})(?:\.(\d{1,9}))?", text)
    if match is None:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no stamp; write its seconds and nanoseconds as 1712.040000000"
        )
    return int(match[1]) * 10**9 + int((match[2] or "0").ljust(9, "0"))


def read_timeout(text: str) -> float:
    """Seconds above 0, up to a day; argparse.ArgumentTypeError otherwise."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds <= 86400.0:
        raise argparse.ArgumentTypeError(f"'{text}' is no time; give seconds, above 0 to 86400")
    return seconds


def read_id(text: str) -> int:
    """An object's id; argparse.ArgumentTypeError when it is none."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= HIGHEST_ID:
        raise argparse.ArgumentTypeError(f"'{text}' is no id; an id is 1 to {HIGHEST_ID}")
    return int(text)
