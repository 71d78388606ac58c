# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One small network of every kind, for the tests of what works with any."""

from __future__ import annotations

from dgmpm_cases import tiny_dgmpm
from tiny import ColourNetwork, tiny_gfddal

#: what makes one, where `tiny.add_tiny_backbone` was called. The labels of the published networks,
#: whose weights are random here, are noise that depends on all they see.
SMALL = {
    "colour": ColourNetwork,
    "gfddal": lambda: tiny_gfddal(seed=2, contrast=40),
    "dgmpm": lambda: tiny_dgmpm(seed=2, contrast=40),
}
