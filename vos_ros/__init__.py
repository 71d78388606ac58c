# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Following objects through a live video for ROS 2, each told to the robot by one mask.

`vos_ros.segmenter.VideoSegmenter` is the whole of it without ROS; `vos_ros.ros` is the node around
it.
"""

__version__ = "0.1.0"
