# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page on which people point out what is to be followed, and its server. No ROS here."""
