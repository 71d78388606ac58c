# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Finds parameters that were given but do not exist: ROS takes them in silence. No ROS here."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

FOREIGN = (
    "use_sim_time", "start_type_description_service", "qos_overrides.", "diagnostic_updater.",
)  # fmt: skip
"""Names, or beginnings of names, that ROS or its libraries read."""


def unknown_sentences(given: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """Return a sentence on each parameter that was given and is not known, naming the nearest.

    Args:
        given: the names that were given, on the command line or in a file.
        known: the names there are.
    """
    names = sorted(known)
    return tuple(
        _sentence(name, names)
        for name in sorted(given)
        if name not in names and not name.startswith(FOREIGN)
    )


def _sentence(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name.lower().replace("-", "_"), known, n=1)
    advice = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(known)}."
    return f"There is no parameter '{name[:80]}', so it changes nothing; {advice}"
