# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ament_flake8, as a ROS build farm runs it; `make test` has ruff instead, see test_lint.py."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("vos_ros", "launch", "scripts", "test", "setup.py", "conftest.py")


@pytest.mark.linter
def test_flake8(monkeypatch: pytest.MonkeyPatch) -> None:
    linter = pytest.importorskip("ament_flake8.main", reason="comes with a ROS installation only")
    monkeypatch.chdir(ROOT)
    status, errors = linter.main_with_errors(argv=["--config", "test/ament_flake8.ini", *SOURCES])
    assert status == 0, "\n".join(errors)
