# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the networks compute on a clip, as figures: taken while they compute it, never again."""
