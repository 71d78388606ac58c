#!/bin/bash
# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
# Runs a command where ROS and vos_ros are known.
set -e
mkdir -p "$ROS_HOME"
source /opt/ros/jazzy/setup.bash
source /opt/vos_ros/setup.bash
exec "$@"
