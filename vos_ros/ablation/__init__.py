# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What each part of a network is worth: variants trained alike, scored on held-out videos."""
