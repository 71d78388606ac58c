# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the arguments of GFDDAL must be, and the sentences that say so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vos_ros.models.arguments import (
    check_channels,
    check_share,
    check_switches,
    check_widths,
)
from vos_ros.models.gfddal.memory import check_memory

_SWITCHES = ("deepest", "modulation", "matching", "appearance", "guided_decoder")


def checked_arguments(**arguments: Any) -> dict[str, Any]:
    """The keyword arguments of `Gfddal`, those of the backbone aside, which checks its own name.

    Raises:
        ValueError: when one is out of range, or nothing would tell the network what to follow.
    """
    check_switches(**{name: arguments[name] for name in _SWITCHES})
    if not any(arguments[name] for name in ("modulation", "matching", "appearance")):
        raise ValueError(
            "modulation, matching and appearance cannot all be switched off: "
            "nothing would tell the network what to follow"
        )
    _check_decoder(arguments["decoder_channels"])
    check_channels(
        direction_channels=arguments["direction_channels"],
        guided_channels=arguments["guided_channels"],
    )
    check_channels(8, fused_channels=arguments["fused_channels"])
    check_share(update_rate=arguments["update_rate"])
    check_memory(arguments["memory"], arguments["memory_interval"])
    return {**arguments, "decoder_channels": list(arguments["decoder_channels"])}


def _check_decoder(widths: Sequence[int]) -> None:
    check_widths("decoder_channels", widths)
    if len(widths) not in (3, 4):
        raise ValueError(
            "decoder_channels must be 3 numbers (strides 16, 8, 4) or 4 (and stride 2), "
            f"not {len(widths)}"
        )
    check_widths("the first three of decoder_channels", widths[:3], 8)
