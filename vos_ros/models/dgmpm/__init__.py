# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""DGMPM: the distance-guided mask propagation model.

Liu, Dai, Li and Tang, "Distance-Guided Mask Propagation Model for Efficient Video Object
Segmentation".
"""

from vos_ros.models.dgmpm.network import Dgmpm
from vos_ros.models.dgmpm.state import DgmpmFeatures, DgmpmState

__all__ = ["Dgmpm", "DgmpmFeatures", "DgmpmState"]
