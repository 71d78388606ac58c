# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node's services, from the side of those who call them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rclpy.client import Client
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from vos_msgs.srv import InitMask, LoadTargets, RemoveObject, SaveTargets
from vos_ros.ros import qos
from vos_ros.ros.frames import ImageMessage, to_rgb
from vos_ros.ros.images import labels_to_message, rgb_to_message

SERVICES = {
    InitMask: "init_mask",
    RemoveObject: "remove_object",
    Trigger: "reset",
    SaveTargets: "save_targets",
    LoadTargets: "load_targets",
}
"""Kind -> name of the services that are called."""


class VosClient:
    """Calls the services of one vos node.

    Args:
        node: calls them, and must be spun for answers to come.
        name: of the vos node, such as `vos` or `/head/vos`; without a slash in front it is in the
            namespace of `node`.
    """

    def __init__(self, node: Node, name: str = "vos") -> None:
        self._name = node.resolve_service_name(f"{name}/{SERVICES[InitMask]}").rpartition("/")[0]
        self._clients: dict[Any, Client] = {
            kind: node.create_client(kind, f"{name}/{service}", qos_profile=qos.requests())
            for kind, service in SERVICES.items()
        }

    @property
    def node_name(self) -> str:
        """The vos node's full name."""
        return self._name

    @property
    def is_ready(self) -> bool:
        """Whether the vos node is there."""
        return self._clients[InitMask].service_is_ready()

    def ask(self, request: Any) -> Any:
        """Send a request to the service of its kind; return the future of the response."""
        return self._client(request).call_async(request)

    def forget(self, request: Any, future: Any) -> None:
        """Wait no longer for the response to a request."""
        self._client(request).remove_pending_request(future)

    def _client(self, request: Any) -> Client:
        return next(c for kind, c in self._clients.items() if isinstance(request, kind.Request))


def init_request(
    labels: np.ndarray,
    header: Header,
    names: Sequence[str] = (),
    *,
    ids: Sequence[int] = (),
    keep_existing: bool = False,
) -> InitMask.Request:
    """A request to follow what a mask shows.

    Args:
        labels: H x W integers, 0 background, else an id from 1 to 255.
        header: of the image the mask belongs to; a stamp of zero is the newest.
        names: of the objects, as the service wants them: none, or one for each.
        ids: to follow of the mask; none is all.
        keep_existing: whether what is followed already stays.

    Raises:
        ImageError: the labels are no mask.
    """
    return InitMask.Request(
        mask=labels_to_message(labels, header),
        names=list(names),
        ids=list(ids),
        keep_existing=keep_existing,
    )


def with_image(request: InitMask.Request, image: ImageMessage) -> InitMask.Request:
    """The same request with the image along, for a node that does not hold it any more.

    Raises:
        ImageError: a compressed image that cannot be read.
    """
    if not isinstance(image, Image):
        image = rgb_to_message(to_rgb(image), image.header)
    return InitMask.Request(
        mask=request.mask,
        image=image,
        ids=request.ids,
        names=request.names,
        keep_existing=request.keep_existing,
    )
