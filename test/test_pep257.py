# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ament_pep257, as a ROS build farm runs it; `make test` has ruff instead, see test_lint.py."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("vos_ros", "launch", "scripts", "test", "setup.py", "conftest.py")
# What must have a docstring is ruff's to say, and so is what one need not.
IGNORED = (*(f"D10{number}" for number in range(8)), "D403", "D417")


@pytest.mark.linter
def test_pep257(monkeypatch: pytest.MonkeyPatch) -> None:
    linter = pytest.importorskip("ament_pep257.main", reason="comes with a ROS installation only")
    monkeypatch.chdir(ROOT)
    given = ["--convention", "google", "--add-ignore", *IGNORED, "--", *SOURCES]
    assert linter.main(argv=given) == 0, "the docstrings named above are not as they should be"
