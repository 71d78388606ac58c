# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How the sources are written: ruff.toml says it, and this that it is so."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(find_spec("ruff") is None, reason="ruff is not installed")


def ruff(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What ruff says, by this tree's settings."""
    return subprocess.run(
        [sys.executable, "-m", "ruff", *arguments], cwd=ROOT, capture_output=True, text=True
    )


def test_no_rule_is_broken() -> None:
    found = ruff("check", "--output-format", "concise", ".")
    assert found.returncode == 0, found.stdout + found.stderr


def test_everything_is_laid_out_as_ruff_does_it() -> None:
    found = ruff("format", "--check", ".")
    assert found.returncode == 0, f"`ruff format` sets these right:\n{found.stdout}{found.stderr}"


@pytest.mark.parametrize(
    "command, text",
    [(("check",), "import os\n"), (("format", "--check"), "a = [ 1,2 ]\n")],
    ids=["rule", "layout"],
)
def test_what_is_not_so_is_found(tmp_path: Path, command: tuple[str, ...], text: str) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(text)
    found = ruff(*command, "--config", str(ROOT / "ruff.toml"), str(wrong))
    assert found.returncode == 1
    assert "wrong.py" in found.stdout
