# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tables of the documents, for the tests that hold them to the program."""

from __future__ import annotations


def table_rows(text: str, first: str) -> dict[str, str]:
    """The table whose head begins with `first`: the name in the first column -> the second."""
    found = {}
    for line in text[text.index(f"| {first} |") :].splitlines()[2:]:
        if not line.startswith("|"):
            break
        name, value = (cell.strip() for cell in line.strip("|").split("|")[:2])
        found[name.strip("`")] = value
    return found


def plain(value: object) -> object:
    """As YAML has it: no tuples."""
    return [plain(part) for part in value] if isinstance(value, tuple) else value
