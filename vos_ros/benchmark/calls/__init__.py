# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is timed call by call."""
