# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A long run of the node among faults: what goes wrong, when, and what may be promised. No ROS."""
