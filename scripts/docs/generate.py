#!/usr/bin/env python3
# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fill in the parts of the documents that follow the program: tables and message definitions.

Such a part stands between `<!-- begin: NAME -->` and `<!-- end: NAME -->`. Run without arguments
it writes the pages anew where they differ; with `--check` it only names those. Needs no ROS.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from vos_ros.apps.cli import COMMANDS  # noqa: E402
from vos_ros.ros.parameter_table import as_markdown  # noqa: E402
from vos_ros.ros.parameters import BY_NAME, TABLE  # noqa: E402

FIRST = (
    "model",
    "weights",
    "device",
    "internal_size",
    "deadline_ms",
    "max_objects",
    "image_transport",
)
"""Parameters that the README shows."""
PART = re.compile(r"(<!-- begin: (?P<name>[^>]+) -->\n).*?(<!-- end: (?P=name) -->)", re.DOTALL)


def parts() -> dict[str, str]:
    """Every part there is, by its name."""
    made = {"parameters": as_markdown(TABLE), "commands": _commands()}
    made["first parameters"] = as_markdown(BY_NAME[name] for name in FIRST)
    for kind in ("msg", "srv"):
        for path in sorted(ROOT.glob(f"vos_msgs/{kind}/*.{kind}")):
            text = path.read_text(encoding="utf-8").strip()
            made[f"vos_msgs/{kind}/{path.stem}"] = f"```text\n{text}\n```\n"
    return made


def filled(text: str, made: Mapping[str, str]) -> str:
    """The text of a page with its parts as they should be.

    Raises:
        KeyError: the page asks for a part that there is none of.
    """
    return PART.sub(lambda found: f"{found[1]}{made[found['name']]}{found[3]}", text)


def pages() -> list[Path]:
    """The documents that may have such parts."""
    return [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]


def main() -> int:
    """1 when `--check` is given and a page differs, else 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, name what differs")
    check = parser.parse_args().check
    made = parts()
    stale = []
    for path in pages():
        before = path.read_text(encoding="utf-8")
        after = filled(before, made)
        if after == before:
            continue
        stale.append(path)
        if not check:
            path.write_text(after, encoding="utf-8")
        print(f"{path.relative_to(ROOT)} {'differs' if check else 'is written anew'}")
    return 1 if check and stale else 0


def _commands() -> str:
    rows = [f"| `{name}` | {text} |" for name, text in COMMANDS.items()]
    return "\n".join(["| command | what it does |", "|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
