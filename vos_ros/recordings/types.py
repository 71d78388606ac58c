# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The message types that are read and written: those of ROS, and our own from their .msg files.

A definition becomes Python code when it is registered, so only definitions of this installation
are: what a bag says of its types is copied as text and never registered.
"""

from __future__ import annotations

import functools

from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from vos_ros.recordings.errors import RecordingError
from vos_ros.share import share_folders

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED = "sensor_msgs/msg/CompressedImage"
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
PRESENCE = "vos_msgs/msg/ObjectPresenceArray"
DIAGNOSTICS = "diagnostic_msgs/msg/DiagnosticArray"

_OWN = ("ObjectPresence", "ObjectPresenceArray")


@functools.cache
def message_types() -> Typestore:
    """Every type of ROS 2 Jazzy's common interfaces, and vos_msgs' presence.

    Raises:
        RecordingError: vos_msgs is not installed.
    """
    store = get_typestore(Stores.ROS2_JAZZY)
    for name in _OWN:
        store.register(get_types_from_msg(_definition(name), f"vos_msgs/msg/{name}"))
    return store


def _definition(name: str) -> str:
    """The text of one of our .msg files, of the source tree or of what is installed."""
    places = []
    for folder in share_folders():
        # Beside our package where both are installed, inside our folder in the source tree.
        places += [folder / "vos_msgs" / "msg", folder.parent / "vos_msgs" / "msg"]
    for place in places:
        if (place / f"{name}.msg").is_file():
            return (place / f"{name}.msg").read_text(encoding="utf-8")
    listed = ", ".join(map(str, places))
    raise RecordingError(
        f"{name}.msg of vos_msgs is in none of: {listed}; build vos_msgs (`make setup`, or colcon)"
    )
