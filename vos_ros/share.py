# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Finding the files that come with the package: weights, settings, launch files."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path


def share_path(relative: str) -> Path:
    """The file or folder of ours named `relative`, such as `config/fastdds.xml`.

    A source tree uses its own files; an installed package those in `share/vos_ros` of the prefix it
    was installed to.
    Raises FileNotFoundError naming every place that was looked at.
    """
    places = [folder / relative for folder in share_folders()]
    for place in places:
        if place.exists():
            return place
    listed = ", ".join(map(str, places))
    raise FileNotFoundError(f"'{relative}' of vos_ros is none of: {listed}.")


def share_folders() -> Iterator[Path]:
    """Where our files may be, the source tree first; not all of these folders need to exist."""
    source = Path(__file__).parents[1]
    if (source / "package.xml").is_file():
        yield source
    prefixes = [p for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    for prefix in [*prefixes, sys.prefix]:
        yield Path(prefix) / "share" / "vos_ros"
