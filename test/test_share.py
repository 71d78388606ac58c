# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files that come with the package are found in a source tree and in an installation."""

from __future__ import annotations

from pathlib import Path

import pytest

from vos_ros import share


def test_a_source_tree_uses_its_own_files() -> None:
    root = Path(__file__).parents[1]
    assert share.share_path("config/fastdds.xml") == root / "config/fastdds.xml"


def test_an_installation_uses_the_prefix_that_has_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "overlay/share/vos_ros/config"
    place.mkdir(parents=True)
    (place / "only_here.yaml").touch()
    monkeypatch.setattr(share, "__file__", str(tmp_path / "lib/python3/vos_ros/share.py"))
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{tmp_path / 'base'}:{tmp_path / 'overlay'}")
    assert share.share_path("config/only_here.yaml") == place / "only_here.yaml"


def test_what_is_nowhere_is_refused_with_the_places() -> None:
    with pytest.raises(FileNotFoundError, match="'config/none.yaml' of vos_ros .+/share"):
        share.share_path("config/none.yaml")
