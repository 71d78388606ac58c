# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every fault of a soak works with: the camera, the services, and waiting with patience."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.srv import SetParameters
from rclpy.clock import Clock, ClockType
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger

from vos_msgs.srv import InitMask, LoadTargets, RemoveObject, SaveTargets
from vos_ros.apps.processes import Child
from vos_ros.apps.soak_camera import SoakCamera
from vos_ros.apps.soak_requests import right_mask
from vos_ros.apps.waiting import Waiter, WaitingError
from vos_ros.ros import qos
from vos_ros.soak.report import Report
from vos_ros.soak.scene import OBJECTS, Scene

SERVICES = {
    "init_mask": InitMask,
    "remove_object": RemoveObject,
    "reset": Trigger,
    "segment": Trigger,
    "write_trace": Trigger,
    "save_targets": SaveTargets,
    "load_targets": LoadTargets,
    "change_state": ChangeState,
    "get_state": GetState,
    "set_parameters": SetParameters,
}
_SERVICE_OF = {kind.Request: name for name, kind in reversed(SERVICES.items())}  # the first of each
IDS = range(1, 2 * OBJECTS + 1)
"""Ids that are ever asked for: each object has two, so that all of them may be followed at once."""
RESUMED = 3  # masks of new images that show that all is well again
_ASK_AGAIN = 5.0  # s after which a node that comes up is asked anew: an answer may have been lost
_FORGOTTEN = 60.0  # s; DDS believes for 20 in a process that went without a word
_TRIES = 6  # at following something: the image that a mask is of may be lost on its way
# Refusals of a good mask that are nobody's fault: the image has not come, or has gone, or the
# newest one that the node has is not the newest that was sent.
_UNLUCKY = ("No image has come", "is held:", "aspect ratios differ", "is lost when the mask")


class SoakStage:
    """The soak's own ROS node: camera, client and listener of the node that is soaked.

    Attributes:
        camera: sends the images.
        report: filled on the way.
        node: the ROS node, for listeners of a fault's own.
        followed: ids that the node follows, by its last answer.
        wait: waits for what is to happen, no longer than the child lives.
        patience: seconds for an answer, and for masks to come again.
        weights: the file of the node's own that it takes its weights from; None where it has none.
        targets: the folder for taught objects.
        start_anew: ends the node by a signal and starts it again.
    """

    def __init__(self, report: Report, domain: int, *, rate: float, patience: float) -> None:
        self.report, self.patience = report, patience
        self.followed: set[int] = set()
        self.weights: Path | None = None
        self.targets = Path()
        self.start_anew: Callable[[int], None] = _nothing_to_start
        self._context = Context()
        # Signals stay with Python: Ctrl-C must unwind the soak, which then ends the node.
        rclpy.init(
            context=self._context, domain_id=domain, signal_handler_options=SignalHandlerOptions.NO
        )
        self.node = Node("vos_soak", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self.wait = Waiter(self._executor, [])
        self._clients = {
            name: self.node.create_client(kind, f"vos/{name}", qos_profile=qos.requests())
            for name, kind in SERVICES.items()
        }
        self.camera = SoakCamera(self.node, Scene(report.seed), report.ledger, rate)
        self._ears: Any = None
        self._asked: Future | None = None
        self._asked_at = 0.0
        self._since = 0
        self.listen(True)

    def listen(self, on: bool) -> None:
        """Subscribe to the masks, or no more."""
        if on and self._ears is None:
            self._ears = self.node.create_subscription(
                Image, "vos/mask", self._take_mask, qos.results()
            )
        elif not on and self._ears is not None:
            self.node.destroy_subscription(self._ears)
            self._ears = None

    def every_second(self, action: Callable[[], None]) -> None:
        """Have something done once a second, while this waits for anything."""
        self.node.create_timer(1.0, action, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def meet(self, child: Child, patience: float) -> None:
        """Wait until a node that was just started is active; WaitingError if it does not get so."""
        self.wait.children[:] = [child]
        self.camera.silent = True
        self.followed.clear()
        self.forget_past()
        self._asked = None
        clients = self._clients.values()
        self.wait.until(
            lambda: all(client.service_is_ready() for client in clients), patience, "the services"
        )
        self.wait.until(self._is_active, patience, "the node to become active")
        self.wait.until(self.camera.listeners, patience, "the node to listen to the camera")

    def forget_dead(self) -> None:
        """Wait until nothing is seen any more of a node that has died.

        Until then its services seem to be there, and a request that went to it alone would never
        be answered, whoever comes after it.
        """
        self.wait.children.clear()
        self.wait.until(
            lambda: (
                not self.camera.listeners()
                and not any(client.service_is_ready() for client in self._clients.values())
            ),
            _FORGOTTEN,
            "the dead node's services to go",
        )

    def _is_active(self) -> bool:
        # While it loads PyTorch it answers nobody, so it is not asked all the time.
        client, now = self._clients["get_state"], time.monotonic()
        if self._asked is not None and not self._asked.done() and now > self._asked_at + _ASK_AGAIN:
            client.remove_pending_request(self._asked)
            self._asked = None
        if self._asked is None:
            self._asked, self._asked_at = client.call_async(GetState.Request()), now
        if not self._asked.done():
            return False
        answer, self._asked = self._asked.result(), None
        return answer.current_state.id == State.PRIMARY_STATE_ACTIVE

    def broke(self, text: str) -> None:
        """Note a promise that was not kept."""
        self.report.broken.append(f"{self.report.ran:.1f} s: {text}")

    def expect(self, holds: bool, text: str) -> None:
        """Note a promise that was not kept, unless it was."""
        if not holds:
            self.broke(text)

    def expect_nothing(self, problem: str | None) -> None:
        """Note a promise that was not kept, if there is something to say of it."""
        if problem:
            self.broke(problem)

    # Services ----------------------------------------------------------------------------------

    def send(self, request: Any, service: str = "") -> Future:
        """Call a service, by default the first for such requests; the future has its answer."""
        self.report.requests += 1
        return self._clients[service or _SERVICE_OF[type(request)]].call_async(request)

    def ask(self, request: Any, service: str = "") -> Any:
        """Call a service as `send` does; WaitingError when no answer comes in time."""
        began = time.monotonic()
        service = service or _SERVICE_OF[type(request)]
        future = self.send(request, service)
        self.wait.until(future.done, self.patience, f"the answer to {service}")
        self.report.answer_times.append(time.monotonic() - began)
        return self.heard(service, future.result())

    def heard(self, service: str, answer: Any) -> Any:
        """Look the answer of a service over and return it: a refusal is a sentence."""
        if hasattr(answer, "message"):
            if not answer.success:
                self.report.refused += 1
            # It may begin with a number or a quoted name.
            sentence = not answer.message[:1].islower() and answer.message.endswith(".")
            self.expect(sentence, f"the answer to {service} is {answer.message!r}")
            self.expect(
                "inside the node" not in answer.message, f"{service} went wrong: {answer.message}"
            )
        if hasattr(answer, "ids") and service != "save_targets":
            self._now_followed(answer.ids)
        elif service == "reset" and answer.success:
            self._now_followed(())
        return answer

    def state(self) -> int:
        """The node's lifecycle state."""
        return self.ask(GetState.Request()).current_state.id

    def change(self, *transitions: int) -> None:
        """Make transitions, each of which must succeed."""
        for transition in transitions:
            self.expect(self.transit(transition), f"the transition {transition} failed")

    def transit(self, transition: int) -> bool:
        """Ask for a transition; return whether it was made."""
        return self.ask(ChangeState.Request(transition=Transition(id=transition))).success

    def _now_followed(self, ids: Sequence[int]) -> None:
        self.followed = set(ids)
        self.camera.timed = bool(self.followed)

    # Following ---------------------------------------------------------------------------------

    def follow(self, chance: random.Random, *, keep: bool = False) -> None:
        """Have some objects followed, by a mask of a past, the newest or an enclosed image."""
        for _ in range(_TRIES):
            mark = self.camera.number
            request = right_mask(self.camera, self.report.ledger, self._since, chance, keep=keep)
            if request is not None:
                answer = self.ask(request)
                if answer.success:
                    return
                if not any(words in answer.message for words in _UNLUCKY):
                    break
            # Another image, on which something else may be seen.
            self.wait.until(partial(self._sent_after, mark), self.patience, "an image")
        else:
            raise WaitingError(f"nothing could be followed in {_TRIES} tries")
        self.broke(f"a good mask was refused: {answer.message}")

    def _sent_after(self, mark: int) -> bool:
        return self.camera.number > mark

    def forget_past(self) -> None:
        """Refer to no image from before now: the node does not have them any more."""
        self._since = self.camera.number

    def resume(self, chance: random.Random) -> None:
        """Return once masks of images that were sent from now on have come.

        Raises:
            WaitingError: they do not.
        """
        self.camera.behave()
        self.listen(True)
        if not self.followed:
            self.follow(chance)
        mark = self.camera.number
        ledger = self.report.ledger
        self.wait.until(
            lambda: len(ledger.answered(mark)) >= RESUMED, self.patience, "masks to come again"
        )

    def _take_mask(self, message: Image) -> None:
        now = time.monotonic()
        stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        well = message.encoding == "mono8" and message.step == message.width
        if not well or len(message.data) != message.width * message.height:
            self.broke(f"a mask is no mono8 image: {message.encoding!r}, step {message.step}")
            return
        labels = np.frombuffer(message.data, np.uint8).reshape(message.height, message.width)
        self.expect_nothing(self.report.ledger.receive(stamp, labels, IDS, now))

    def close(self) -> None:
        """Leave the domain."""
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)


def service_of(request: Any) -> str:
    """The service that takes such requests, or the first of several."""
    return _SERVICE_OF[type(request)]


def _nothing_to_start(_: int) -> None:
    raise WaitingError("there is no node to start again")
