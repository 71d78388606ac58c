# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The moving picture of the first page: small enough for one, and made by a script that works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vos_ros.apps.demo_clip import ClipError, default_video

ROOT = Path(__file__).parents[1]
SHOWN = ROOT / "docs/figures/demo.webp"


def test_the_picture_moves_and_is_small() -> None:
    assert SHOWN.stat().st_size < 2.5e6
    with Image.open(SHOWN) as picture:
        assert picture.n_frames > 40
        assert picture.info["loop"] == 0
    for page in ("README.md", "docs/index.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        # The clip's licence asks that it be named where it is shown.
        after = text[text.index("demo.webp") :][:300]
        assert "Big Buck Bunny (c) 2008" in after and "CC BY 3.0" in after


@pytest.mark.parametrize("suffix", [".webp", ".gif"])
def test_the_script_draws_it(suffix: str, tmp_path: Path) -> None:
    try:
        default_video()
    except ClipError as error:
        pytest.skip(str(error))
    path = tmp_path / f"demo{suffix}"
    options = "--size 96 --width 160 --frames 4 --every 2 --precision fp32 --runtime torch"
    command = [sys.executable, ROOT / "scripts/docs/picture.py", "--out", path, *options.split()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    assert f"2 frames in {path}" in done.stdout
    with Image.open(path) as picture:
        assert (picture.n_frames, picture.size) == (2, (160, 90))
        first = np.asarray(picture.convert("RGB"), np.int16)
        picture.seek(1)
        assert np.abs(np.asarray(picture.convert("RGB"), np.int16) - first).max() > 20
