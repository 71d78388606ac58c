# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Results on their topics, each with the camera's header as it came."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from builtin_interfaces.msg import Time
from rclpy.lifecycle import LifecycleNode, LifecyclePublisher
from sensor_msgs.msg import CompressedImage, Image, RegionOfInterest
from std_msgs.msg import Header

from vos_msgs.msg import ObjectPresence, ObjectPresenceArray
from vos_ros.drawing import draw_overlay
from vos_ros.ros import qos
from vos_ros.ros.frames import CameraFrame
from vos_ros.ros.images import (
    confidence_to_message,
    labels_to_message,
    rgb_to_compressed,
    rgb_to_message,
)
from vos_ros.ros.qos_events import result_events
from vos_ros.segmenter import Segmentation

_OVERLAY_QUALITY = 80  # of the JPEG; words stay clean, at a twentieth of the raw size


class ResultPublishers:
    """`~/mask`, `~/presence`, `~/confidence`, `~/overlay` and `~/overlay/compressed`.

    The last three are made only while somebody looks at them.

    Args:
        node: the node whose topics they are.
        overlay_alpha: tells the weight of the colours, 0 to 1.
    """

    def __init__(self, node: LifecycleNode, overlay_alpha: Callable[[], float]) -> None:
        self._node = node
        self._overlay_alpha = overlay_alpha
        self._mask = self._make(Image, "~/mask")
        self._presence = self._make(ObjectPresenceArray, "~/presence")
        self._confidence = self._make(Image, "~/confidence")
        self._overlay = self._make(Image, "~/overlay")
        self._compressed = self._make(CompressedImage, "~/overlay/compressed")
        self._last_seen: dict[int, Time] = {}

    def _make(self, kind: type, name: str) -> LifecyclePublisher:
        offered = qos.results()
        return self._node.create_lifecycle_publisher(
            kind, name, offered, event_callbacks=result_events(self._node, name, offered)
        )

    @property
    def confidence_wanted(self) -> bool:
        """Whether anybody subscribes to the confidence. From any thread."""
        return self._confidence.get_subscription_count() > 0

    def publish(self, header: Header, result: Segmentation, names: dict[int, str]) -> None:
        """Publish the mask, the presence of every object and, if it is known, the confidence.

        On one thread.
        """
        self._last_seen = {
            item.id: header.stamp if item.present else self._last_seen.get(item.id, Time())
            for item in result.objects
        }
        self._mask.publish(labels_to_message(result.labels, header))
        self._presence.publish(presence_message(header, result, names, self._last_seen))
        if result.confidence is not None and self.confidence_wanted:
            self._confidence.publish(confidence_to_message(result.confidence, header))

    def publish_overlay(
        self, frame: CameraFrame, image: np.ndarray, result: Segmentation, names: dict[int, str]
    ) -> bool:
        """Draw and publish the overlay if anybody subscribes; return whether. From any thread."""
        raw = self._overlay.get_subscription_count() > 0
        compressed = self._compressed.get_subscription_count() > 0
        if not (raw or compressed):
            return False
        named = {object_id: name for object_id, name in names.items() if name}
        drawn = draw_overlay(image, result.labels, result.objects, self._overlay_alpha(), named)
        if raw:
            self._overlay.publish(rgb_to_message(drawn, frame.header, "bgr8"))
        if compressed:
            self._compressed.publish(
                rgb_to_compressed(drawn, frame.header, "jpeg", _OVERLAY_QUALITY)
            )
        return True

    def close(self) -> None:
        """Destroy the topics, the last one made first."""
        made = (self._mask, self._presence, self._confidence, self._overlay, self._compressed)
        for publisher in reversed(made):
            self._node.destroy_lifecycle_publisher(publisher)


def presence_message(
    header: Header, result: Segmentation, names: dict[int, str], last_seen: dict[int, Time]
) -> ObjectPresenceArray:
    """Return the presence of every object as a message, by ascending id.

    Args:
        header: of the image.
        result: of the image.
        names: of the objects that have one, by id.
        last_seen: the stamp of the last image that showed each object, by id.
    """
    return ObjectPresenceArray(
        header=header,
        objects=[
            ObjectPresence(
                id=item.id,
                name=names.get(item.id, ""),
                present=bool(item.present),
                absent_frames=int(item.absent_frames),
                last_seen=last_seen[item.id],
                score=float(item.score),
                area_fraction=float(item.area_fraction),
                box=_region(*item.box),
                doubtful=bool(item.doubtful),
                rivals=list(item.rivals),
            )
            for item in result.objects
        ],
    )


def _region(x: int, y: int, width: int, height: int) -> RegionOfInterest:
    return RegionOfInterest(x_offset=int(x), y_offset=int(y), width=int(width), height=int(height))
