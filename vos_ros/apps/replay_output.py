# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The new bag of a replay, and what is said of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vos_ros.recordings.new_bag import NewBag


@contextmanager
def told_if_kept(out: Path, storage: str, custom: dict[str, str]) -> Iterator[NewBag]:
    """A `NewBag`; where the block does not come to its end, it is said if it was kept."""
    new = NewBag(out, storage, custom)
    try:
        with new:
            yield new
    except BaseException:
        if new.kept:
            print(f"replay: the masks made until then are in '{out}'", file=sys.stderr)
        raise
