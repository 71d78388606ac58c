# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps a request that rclpy cannot cope with from ending the node, or from going unanswered.

rclpy raises what a service's callback raises wherever the node is spun, and sends no answer. Its
own services raise for requests that anybody may send: `~/change_state` for a transition that does
not lead on from the node's state, given by its id, as lifecycle managers give it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.node import Node

from vos_ros.ros.requests import sentence


def always_answer(node: Node) -> None:
    """Have every service that the node offers by now answer, whatever its callback raises.

    The answer is then the one that stands when nothing was done: where there is a `success`, it is
    false. Why is logged. Coroutines are left alone: those are ours, and see to it themselves.
    """
    for service in node.services:
        if not inspect.iscoroutinefunction(service.callback):
            service.callback = partial(_answered, node, service.srv_name, service.callback)


def _answered(
    node: Node, name: str, callback: Callable[[Any, Any], Any], request: Any, response: Any
) -> Any:
    try:
        return callback(request, response)
    except Exception as error:
        if node.context.ok():  # else it failed because all ends, and nobody can be told any more
            node.get_logger().warning(f"A request to {name} cannot be met. {sentence(error)}")
        return type(response)()
