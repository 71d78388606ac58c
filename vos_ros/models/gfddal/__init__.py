# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""GFDDAL: guided feature and directional deep appearance learning.

Fiaz, Mahmood and Jung, DAVIS Challenge 2020.
"""

from vos_ros.models.gfddal.network import Gfddal
from vos_ros.models.gfddal.state import GfddalFeatures, GfddalState

__all__ = ["Gfddal", "GfddalFeatures", "GfddalState"]
