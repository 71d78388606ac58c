# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`parameters`: every parameter of the node, its type, default, range and meaning, without ROS."""

from __future__ import annotations

import argparse
import difflib
import shutil
import sys
from collections.abc import Sequence

from vos_ros.ros.parameter_table import as_markdown, as_text
from vos_ros.ros.parameters import BY_NAME, TABLE


def main(argv: Sequence[str] | None = None) -> int:
    """Print the parameters that are named, or all; 2 when there is none of that name."""
    arguments = _parser().parse_args(argv)
    for name in arguments.names:
        if name not in BY_NAME:
            near = difflib.get_close_matches(name, BY_NAME, 1)
            hint = f"; did you mean '{near[0]}'?" if near else "."
            print(f"parameters: the node has no parameter '{name}'{hint}", file=sys.stderr)
            return 2
    chosen = [BY_NAME[name] for name in arguments.names] or TABLE
    if arguments.markdown:
        print(as_markdown(chosen), end="")
    else:
        width = shutil.get_terminal_size((80, 24)).columns - 1
        print(as_text(chosen, max(40, min(100, width))), end="")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="parameters", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these")
    parser.add_argument("--markdown", action="store_true", help="as a table in Markdown")
    return parser


if __name__ == "__main__":
    sys.exit(main())
