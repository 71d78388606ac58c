# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""GFDDAL: guided feature and directional deep appearance learning (Fiaz, Mahmood and Jung, 2020)."""

from vos_ros.models.gfddal.network import Gfddal, GfddalFeatures, GfddalState

__all__ = ["Gfddal", "GfddalFeatures", "GfddalState"]
