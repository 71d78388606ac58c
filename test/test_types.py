# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the annotations promise: mypy.ini says how strictly, and this that it holds."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WRONG = """\
from pathlib import Path

from vos_ros.weights import load_network

network, card = load_network(Path("a.safetensors"))
card.commit = network.stride
undone: str = load_network("a.safetensors")
"""

# Its first run in a tree reads the annotations of PyTorch, NumPy and all else: a quarter of a
# minute on a core of its own.
pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed"),
    pytest.mark.skipif(
        sys.version_info < (3, 11), reason="the libraries for this Python are annotated less well"
    ),
]


def checked(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What mypy says, by this tree's settings."""
    mypy = [sys.executable, "-m", "mypy", "--no-color-output", "--cache-dir", ".mypy_cache"]
    return subprocess.run(
        [*mypy, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=280
    )


def test_the_annotations_hold() -> None:
    found = checked()
    assert found.returncode == 0, f"`make lint` shows these, too:\n{found.stdout}{found.stderr}"


def test_an_annotation_that_does_not_hold_is_found(tmp_path: Path) -> None:
    user = tmp_path / "user.py"
    user.write_text(WRONG)
    found = checked(str(user))
    assert found.returncode == 1
    places = re.findall(r"user\.py:(\d+): error: .*\[([a-z-]+)\]", found.stdout)
    assert places == [("6", "misc"), ("6", "assignment"), ("7", "assignment")], found.stdout


def test_those_who_use_the_package_are_told_that_it_is_annotated() -> None:
    assert (ROOT / "vos_ros/py.typed").is_file()
    assert 'NAME: ["py.typed"]' in (ROOT / "setup.py").read_text()


def test_what_is_let_pass_is_named_and_has_a_reason() -> None:
    """`# type: ignore[what]  # why`, for a place; and no more places than there were."""
    marks = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in sorted((ROOT / "vos_ros").rglob("*.py"))
        for line in path.read_text().splitlines()
        if "type: ignore" in line
    ]
    bare = [mark for mark in marks if not re.search(r"# type: ignore\[[a-z-]+\]  # \w", mark)]
    assert not bare
    assert len(marks) <= 12
