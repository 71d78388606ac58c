# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every figure needs, looked for before anything is measured for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def check_figure(path: Path, endings: Sequence[str]) -> None:
    """Raise ValueError, with a sentence, when no figure can be written there.

    Args:
        path: of the file.
        endings: that its name may have.
    """
    if path.suffix not in endings:
        raise ValueError(f"a figure ends in {', '.join(endings)}; {path} does not")
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise ValueError(
            "a figure needs the Python package 'matplotlib': install it, or leave out --figure"
        ) from error
