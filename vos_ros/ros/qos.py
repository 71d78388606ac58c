# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The qualities of service the node uses, each with its reason.

Liveliness is given although DDS takes the same by itself, so that it can be told who else wants
what.
"""

from __future__ import annotations

from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    LivelinessPolicy,
    QoSProfile,
    ReliabilityPolicy,
)


def camera(reliable: bool = False) -> QoSProfile:
    """The five newest. Best effort matches every camera, reliable only one that is so too."""
    return QoSProfile(
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.VOLATILE,
        liveliness=LivelinessPolicy.AUTOMATIC,
        history=HistoryPolicy.KEEP_LAST,
        depth=5,
    )


def results() -> QoSProfile:
    """Reliable, which matches every subscriber; few are kept, for an old mask is of no use."""
    return QoSProfile(
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.VOLATILE,
        liveliness=LivelinessPolicy.AUTOMATIC,
        history=HistoryPolicy.KEEP_LAST,
        depth=5,
    )


def latched() -> QoSProfile:
    """Reliable and kept for late joiners: the last value is the state."""
    return QoSProfile(
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
        liveliness=LivelinessPolicy.AUTOMATIC,
        history=HistoryPolicy.KEEP_LAST,
        depth=1,
    )


def requests() -> QoSProfile:
    """As services have by default, but deep: a request beyond the depth is lost unanswered."""
    return QoSProfile(
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.VOLATILE,
        liveliness=LivelinessPolicy.AUTOMATIC,
        history=HistoryPolicy.KEEP_LAST,
        depth=1000,
    )
