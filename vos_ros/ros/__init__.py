# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ROS 2 node and what only it needs. Nothing outside this package and `apps` imports rclpy."""
