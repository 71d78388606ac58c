# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The documents are finished: no place in them waits to be filled in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
PLACEHOLDER = re.compile(r"@[A-Z][A-Z0-9_]*@")


def test_a_placeholder_is_seen() -> None:
    assert PLACEHOLDER.findall("Takes @SETUP_TIME@ s; write to a@example.org, b@C or @D") == [
        "@SETUP_TIME@"
    ]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_no_placeholder_is_left(path: Path) -> None:
    assert PLACEHOLDER.findall(path.read_text(encoding="utf-8")) == []
