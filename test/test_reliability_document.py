# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every fault that the document tells of is done by a test of the name it gives."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
#: of the tables of faults, not of those of figures
ROWS = [
    line
    for table in re.findall(r"^\| fault \|.*\n\|---.*\n((?:\|.*\n)+)", TEXT, re.M)
    for line in table.splitlines()
]


def test_every_row_names_tests_that_exist() -> None:
    there = set()
    for path in ROOT.glob("test/test_*.py"):
        there |= set(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M))
    assert len(ROWS) > 25
    for row in ROWS:
        named = re.findall(r"`(test_\w+)`", row.strip("| ").split("|")[-1])
        assert named, row
        assert set(named) <= there, row
