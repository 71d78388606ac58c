# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The list of the files that training went on without: in each line a file, a tab and why."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

SKIPPED = "skipped.txt"
_PLAIN = str.maketrans("\t\r\n", "   ")  # would end a column or a line


def read_skipped(path: Path) -> dict[str, str]:
    """What an earlier part of a run left out, by file; nothing where there is no such list."""
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return {file: what for file, _, what in (line.partition("\t") for line in lines)}


def write_skipped(path: Path, faults: Mapping[str, str]) -> None:
    """Write the list; none where there is nothing to say."""
    if not faults:
        return
    rows = sorted((file.translate(_PLAIN), what.translate(_PLAIN)) for file, what in faults.items())
    lines = [f"{file}\t{what}\n" for file, what in rows]
    path.write_text("".join(lines), encoding="utf-8", errors="replace")
