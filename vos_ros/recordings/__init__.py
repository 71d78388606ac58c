# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags and runs on disk: what was seen and what was found, read and written without ROS."""
