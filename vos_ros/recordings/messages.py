# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Results as messages of a bag: the same that the node publishes, made without ROS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from vos_ros.recordings.types import IMAGE, PRESENCE, message_types

if TYPE_CHECKING:
    from vos_ros.moment import Segmentation


def stamp_ns(header: Any) -> int:
    """The stamp of a header of a bag's message, ns."""
    return int(header.stamp.sec) * 10**9 + int(header.stamp.nanosec)


def stamp_text(nanoseconds: int) -> str:
    """A stamp as people write it: seconds with nine decimals."""
    return f"{nanoseconds // 10**9}.{nanoseconds % 10**9:09d}"


def mask_message(header: Any, labels: np.ndarray) -> Any:
    """H x W uint8 labels as a mono8 image with the camera's header, untouched."""
    height, width = labels.shape
    return message_types().types[IMAGE](
        header=header,
        height=height,
        width=width,
        encoding="mono8",
        is_bigendian=0,
        step=width,
        data=np.ascontiguousarray(labels).reshape(-1),
    )


class PresenceMessages:
    """Makes the presence message of image after image, and remembers when each was seen last.

    Args:
        names: of the objects that have one, by id.
    """

    def __init__(self, names: Mapping[int, str]) -> None:
        self._names = dict(names)
        self._last_seen: dict[int, Any] = {}

    def message(self, header: Any, result: Segmentation) -> Any:
        """The presence of every object in an image of this header."""
        types = message_types().types
        never = types["builtin_interfaces/msg/Time"](sec=0, nanosec=0)
        region = types["sensor_msgs/msg/RegionOfInterest"]
        objects = []
        for item in result.objects:
            if item.present:
                self._last_seen[item.id] = header.stamp
            x, y, width, height = item.box
            objects.append(
                types["vos_msgs/msg/ObjectPresence"](
                    id=item.id,
                    name=self._names.get(item.id, ""),
                    present=bool(item.present),
                    absent_frames=int(item.absent_frames),
                    last_seen=self._last_seen.get(item.id, never),
                    score=float(item.score),
                    area_fraction=float(item.area_fraction),
                    box=region(
                        x_offset=x, y_offset=y, height=height, width=width, do_rectify=False
                    ),
                    doubtful=bool(item.doubtful),
                    rivals=np.array(item.rivals, np.uint16),
                )
            )
        return types[PRESENCE](header=header, objects=objects)
