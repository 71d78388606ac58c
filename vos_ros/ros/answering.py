# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps a request that cannot be coped with from ending the node, or from going unanswered.

rclpy raises what a service's callback raises wherever the node is spun, and sends no answer. Its
own services raise for requests that anybody may send: `~/change_state` for a transition that does
not lead on from the node's state, given by its id, as lifecycle managers give it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from vos_ros.ros.requests import sentence
from vos_ros.ros.surviving import REFUSED, SurvivingNode


def always_answer(node: SurvivingNode) -> None:
    """Have every service that the node offers by now answer, whatever its callback raises.

    The answer is then the one that stands when nothing was done: where there is a `success`, it is
    false, and where there is a `message`, it says why. So does the log. What rclpy's services raise
    is the asker's fault; ours, which are coroutines, refuse by themselves what is, so that what
    they raise is the node's.
    """
    for service in node.services:
        name, callback = service.srv_name, service.callback
        if inspect.iscoroutinefunction(callback):
            service.callback = _answering(node, name, callback)
        else:
            service.callback = partial(_answered, node, name, callback)


def _answered(
    node: SurvivingNode, name: str, callback: Callable[[Any, Any], Any], request: Any, response: Any
) -> Any:
    try:
        return callback(request, response)
    except Exception as error:
        if node.context.ok():  # else it failed because all ends, and nobody can be told any more
            text = f"A request to {name} cannot be met. {sentence(error)}"
            node.bounded.say(REFUSED, text, node.warn)
        return _refusal(response, error)


def _answering(
    node: SurvivingNode, name: str, callback: Callable[[Any, Any], Any]
) -> Callable[[Any, Any], Any]:
    async def answered(request: Any, response: Any) -> Any:
        try:
            return await callback(request, response)
        except Exception as error:
            node.survived(f"A request to {name}", error)
            return _refusal(response, error)

    return answered


def _refusal(response: Any, error: Exception) -> Any:
    refusal = type(response)()
    if hasattr(refusal, "message"):
        refusal.message = f"The request failed inside the node. {sentence(error)}"
    return refusal
