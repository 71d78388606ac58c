# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ament_xmllint, as a ROS build farm runs it: the package manifests follow REP 149."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.linter
@pytest.mark.skipif(shutil.which("xmllint") is None, reason="there is no xmllint here")
def test_xmllint(monkeypatch: pytest.MonkeyPatch) -> None:
    linter = pytest.importorskip("ament_xmllint.main", reason="comes with a ROS installation only")
    monkeypatch.chdir(ROOT)
    assert linter.main(argv=["package.xml", "vos_msgs/package.xml", "config"]) == 0
