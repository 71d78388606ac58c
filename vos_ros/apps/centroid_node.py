# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ROS side of `centroid`: mask, depth and calibration of one stamp in, a point out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from geometry_msgs.msg import Point, PointStamped
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image

from vos_ros.apps.centroid import Options
from vos_ros.apps.node_options import declared_options
from vos_ros.centroid import DepthError, find_centroid
from vos_ros.pairing import Pairing
from vos_ros.pinhole import CalibrationError, Pinhole
from vos_ros.ros import qos
from vos_ros.ros.depth import depth_to_metres
from vos_ros.ros.images import ImageError, mask_to_labels
from vos_ros.ros.requests import nanoseconds, sentence

HINT_SECONDS = 5.0
_WARN_SECONDS = 5.0
MASK, DEPTH, INFO = "mask", "depth", "camera_info"


class CentroidNode(Node):
    """Publishes, on `~/point`, where an object is in each mask that shows it.

    Args:
        defaults: value of each field of Options where no ROS parameter is given.
        rest: as for any node.

    Raises:
        OptionError: a parameter has an impossible value.
    """

    def __init__(self, defaults: Mapping[str, object], **rest: Any) -> None:
        super().__init__("centroid", **rest)
        self.options = options = declared_options(self, Options, defaults)
        self._pairing = Pairing((MASK, DEPTH, INFO), self._locate, round(1e9 * options.slop))
        self._delivered = 0
        self._hinted: set[str] = set()
        self._publisher = self.create_publisher(PointStamped, "~/point", qos.results())
        self._topics: dict[str, str] = {}
        for what, kind, topic, quality in (
            (MASK, Image, f"{options.node}/mask", qos.results()),
            (DEPTH, Image, options.depth, qos.camera()),
            (INFO, CameraInfo, f"{options.node}/camera_info", qos.results()),
        ):
            self.create_subscription(kind, topic, partial(self._take, what), quality)
            self._topics[what] = self.resolve_topic_name(topic)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(HINT_SECONDS, self._hint, clock=steady)

    def _take(self, what: str, message: Image | CameraInfo) -> None:
        self._pairing.take(what, nanoseconds(message.header.stamp), message)

    def _locate(self, mask: Image, depth: Image, info: CameraInfo) -> None:
        """Publish where the object is, if that can be told."""
        options = self.options
        try:
            found = find_centroid(
                mask_to_labels(mask),
                options.id,
                depth_to_metres(depth, options.unit),
                Pinhole.read(info, options.rectified),
                erode=options.erode,
                fewest=options.fewest,
            )
        except (CalibrationError, DepthError, ImageError) as error:
            self.get_logger().warning(sentence(error), throttle_duration_sec=_WARN_SECONDS)
            return
        if found is not None:
            x, y, z = found.point
            self._publisher.publish(PointStamped(header=mask.header, point=Point(x=x, y=y, z=z)))

    def _hint(self) -> None:
        """Say, once for each reason, why there are no points."""
        delivered, self._delivered = self._delivered, self._pairing.delivered
        if delivered != self._delivered:
            return
        text = self._missing()
        if text not in self._hinted:
            self._hinted.add(text)
            self.get_logger().warning(text)

    def _missing(self) -> str:
        advice = {
            MASK: "is the node running, under that name, and does it follow anything?",
            DEPTH: "is `depth` the topic of the depth camera, as raw images?",
            INFO: "does the camera publish its calibration? The node's log tells where it looks.",
        }
        for what, question in advice.items():
            if self._pairing.came(what) is None:
                return f"Nothing has come on {self._topics[what]}: {question}"
        return (
            f"{self._topics[MASK]} and {self._topics[DEPTH]} have no stamps in common, by which"
            " they are brought together. If the camera stamps colour and depth differently, allow"
            f" for it with --slop; it is {self.options.slop:g} s now."
        )
