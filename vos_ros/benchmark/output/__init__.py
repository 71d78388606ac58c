# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was found, as tables, JSON and pictures."""
