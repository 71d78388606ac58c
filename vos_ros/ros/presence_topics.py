# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One latched yes or no for each followed object: is it in the image."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from rclpy.duration import Duration
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.publisher import Publisher
from std_msgs.msg import Bool

from vos_ros.ros import qos

#: most time given to a last word to arrive
DELIVERY_SECONDS = 0.5


class PresenceTopics:
    """The topics `~/presence/object_<id>`, published when the answer changes.

    A topic's last word is false: what is not followed is not known to be there.

    `sync` and `close` make and destroy publishers and belong to the node's executor, which walks
    through the node's entities meanwhile; `update` may come from any thread.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._topics: dict[int, Publisher] = {}
        self._present: dict[int, bool] = {}
        self._closed = False

    @property
    def present(self) -> dict[int, bool]:
        """What is known of the objects: whether each was in the last image. From any thread."""
        with self._lock:
            return dict(self._present)

    def sync(self, ids: Iterable[int]) -> None:
        """Have topics for exactly these objects; a new one starts with what is known of it.

        Does nothing once closed: an answer may come back after the node was cleaned up.
        """
        if self._closed:
            return
        wanted = set(ids)
        for object_id in sorted(wanted - self._topics.keys()):
            topic = self._node.create_publisher(
                Bool, f"~/presence/object_{object_id}", qos.latched()
            )
            with self._lock:
                self._topics[object_id] = topic
                if object_id in self._present:
                    topic.publish(Bool(data=self._present[object_id]))
        with self._lock:
            gone = [self._topics.pop(key) for key in sorted(self._topics.keys() - wanted)]
        self._end(gone)
        with self._lock:
            # An object taken up again later must not begin with what was true long ago.
            self._present = {key: here for key, here in self._present.items() if key in wanted}

    def _end(self, topics: Sequence[Publisher]) -> None:
        """Say a last false on each, and destroy them once it has arrived."""
        # After a shutdown nobody can be told any more.
        with suppress(rclpy_implementation.RCLError):
            for topic in topics:
                topic.publish(Bool(data=False))
            # What was not yet delivered goes with its publisher. The wait is one for all of them,
            # so that a subscriber that hangs holds nothing up for long.
            deadline = time.monotonic() + DELIVERY_SECONDS
            for topic in topics:
                topic.wait_for_all_acked(Duration(seconds=max(0.0, deadline - time.monotonic())))
        for topic in topics:
            self._node.destroy_publisher(topic)

    def update(self, present: Mapping[int, bool]) -> None:
        """Take the presence of all objects followed now, and publish what has changed."""
        with self._lock:
            for object_id, here in present.items():
                if object_id in self._topics and self._present.get(object_id) != here:
                    self._topics[object_id].publish(Bool(data=here))
            self._present = dict(present)

    def close(self) -> None:
        """Destroy all topics for good."""
        self.sync(())
        self._closed = True
