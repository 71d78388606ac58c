# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every file says whose it is and by which licence; by ament_copyright where that is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from vos_ros.licence import APACHE_2

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("vos_ros", "launch", "scripts", "test", "cmake", "vos_msgs", "setup.py", "conftest.py")
DOCUMENTS = ("LICENSE", "CONTRIBUTING.md")
KINDS = {".py", ".sh", ".cmake", ".js", ".css", ".html"}


def words(text: str) -> str:
    """A text with all space in it alike."""
    return " ".join(text.split())


def files() -> list[Path]:
    """Sources of every kind that can hold a comment."""
    found = [ROOT / name for name in SOURCES if (ROOT / name).is_file()]
    for name in SOURCES:
        found += (ROOT / name).rglob("*")
    return [
        path
        for path in found
        if path.is_file()
        and (path.suffix in KINDS or path.name == "CMakeLists.txt")
        and "__pycache__" not in path.parts
    ]


def test_every_file_begins_with_copyright_and_licence() -> None:
    without = []
    for path in files():
        head = words(path.read_text(encoding="utf-8")[:400])
        if (
            "Copyright 2026 The vos_ros authors" not in head
            or f"SPDX-License-Identifier: {APACHE_2.spdx}" not in head
        ):
            without.append(str(path.relative_to(ROOT)))
    assert without == []
    assert len(files()) > 300


def test_the_documents_say_what_ament_looks_for() -> None:
    texts = [words((ROOT / name).read_text(encoding="utf-8")) for name in DOCUMENTS]
    for text, wanted in zip(
        texts, (APACHE_2.license_files, APACHE_2.contributing_files), strict=True
    ):
        assert all(words(part) in text for part in wanted)


@pytest.mark.linter
def test_copyright(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where this package is installed, so that ament_copyright knows a head like this file's."""
    linter = pytest.importorskip(
        "ament_copyright.main", reason="comes with a ROS installation only"
    )
    monkeypatch.chdir(ROOT)
    assert linter.main(argv=[*SOURCES, *DOCUMENTS]) == 0, "the files named above lack something"
