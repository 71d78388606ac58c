# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark's own ROS node: gives the first mask, and notes when each mask comes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger

from vos_msgs.srv import InitMask
from vos_ros.apps.benchmark_camera import NAME as CAMERA
from vos_ros.apps.processes import Child
from vos_ros.apps.waiting import ANSWER_PATIENCE, Waiter, WaitingError
from vos_ros.ros import qos

START_PATIENCE = 180.0  # s for a process to come up; a cold disk and a busy machine take long
MASK_PATIENCE = 60.0  # s for a mask; as published, networks take seconds on a CPU
_ASK_AGAIN = 10.0  # s after which a node that comes up is asked anew: an answer may have been lost
_IDLE = 5.0  # s without a mask, once all images are sent, after which none is expected any more
_DIAGNOSTICS = 3.0  # s; they come once a second

FIGURES: Mapping[str, tuple[str, str]] = {
    "transport_ms": ("masks", "transport (ms)"),
    "wait_ms": ("masks", "wait (ms)"),
    "convert_ms": ("masks", "convert (ms)"),
    "upload_ms": ("masks", "upload (ms)"),
    "step_ms": ("masks", "step (ms)"),
    "download_ms": ("masks", "download (ms)"),
    "publish_ms": ("masks", "publish (ms)"),
    "lost": ("camera", "lost in transport"),
}
"""Column -> the status and the key under which a node tells it on `/diagnostics`."""


class BenchmarkStage:
    """The subscriber that times masks, and the client that has objects followed.

    Everything that waits raises WaitingError when a process dies or patience is out.

    Attributes:
        arrived: by the stamp of each mask, when it was there first, both in nanoseconds.
        wait: waits for what is to happen, no longer than the processes live.

    Args:
        domain: ROS domain id.
        names: of the nodes that are timed.
    """

    def __init__(self, domain: int, names: Sequence[str] = ("vos",)) -> None:
        self.arrived: dict[int, int] = {}
        self._names = names
        self._figures: dict[str, dict[str, float]] = {}
        self._context = Context()
        # Signals stay with Python: Ctrl-C must unwind the benchmark, which then ends its children.
        rclpy.init(
            context=self._context, domain_id=domain, signal_handler_options=SignalHandlerOptions.NO
        )
        self._node = Node("vos_benchmark", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self.wait = Waiter(self._executor, [])
        for name in names:
            self._node.create_subscription(Image, f"{name}/mask", self._take_mask, qos.results())
        self._node.create_subscription(DiagnosticArray, "/diagnostics", self._take_figures, 10)
        self._inits = [
            self._node.create_client(InitMask, f"{name}/init_mask", qos_profile=qos.requests())
            for name in names
        ]
        self._play = self._node.create_client(Trigger, f"{CAMERA}/play")
        self._finish = self._node.create_client(Trigger, f"{CAMERA}/finish")

    def _take_mask(self, message: Image) -> None:
        now = time.time_ns()
        stamp = message.header.stamp
        self.arrived.setdefault(stamp.sec * 10**9 + stamp.nanosec, now)

    def _take_figures(self, message: DiagnosticArray) -> None:
        told = {status.name: status.values for status in message.status}
        for name in self._names:
            found = {status: told.get(f"{name}: {status}") for status, _ in FIGURES.values()}
            known = {status: values for status, values in found.items() if values is not None}
            if len(known) == len(found):
                self._figures[name] = _known_figures(known)

    def every_second(self, action: Callable[[], None]) -> None:
        """Have something done once a second, while this waits for anything."""
        self._node.create_timer(1.0, action, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def meet_camera(self, camera: Child) -> None:
        """Return when the camera is ready to play."""
        self.wait.children.append(camera)
        self.wait.until(
            lambda: self._play.service_is_ready() and self._finish.service_is_ready(),
            START_PATIENCE,
            "the camera to come up",
        )

    def first_answers(self, process: Child, request: InitMask.Request) -> None:
        """Have the nodes of a process that comes up follow something; return when all answered.

        Raises:
            WaitingError: one does not, or refuses.
        """
        self.wait.children.append(process)
        end = time.monotonic() + START_PATIENCE
        for client in self._inits:
            self.wait.until(client.service_is_ready, START_PATIENCE, "the node's services")
        answers = [self._asked(client, request, end) for client in self._inits]
        for answer in answers:
            if not answer.success:
                words = f"{answer.message}\n{process.tail()}"
                raise WaitingError(f"the node refused the first mask: {words}")

    def _asked(self, client: Any, request: InitMask.Request, end: float) -> InitMask.Response:
        while time.monotonic() < end:
            future = client.call_async(request)
            if self.wait.spin_for(_ASK_AGAIN, future.done):
                return future.result()
            client.remove_pending_request(future)
        raise WaitingError(f"the node does not answer\n{self.wait.words()}")

    def play(self, masks: int, seconds: float) -> None:
        """Let the camera play; return when so many masks have come and so much time has passed."""
        self._call(self._play, "the camera to play")
        end = time.monotonic() + seconds
        count = len(self.arrived) + masks
        patience = MASK_PATIENCE * max(1, masks)
        self.wait.until(lambda: len(self.arrived) >= count, patience, "masks")
        self.wait.spin_for(end - time.monotonic(), lambda: False)

    def finish(self, camera: Child) -> None:
        """Let the camera send the timed images, and return when it has ended."""
        self._call(self._finish, "the camera to finish")
        self.wait.children.remove(camera)
        self.wait.spin_for(None, lambda: camera.status() is not None)
        if camera.status() != 0:
            raise WaitingError(f"the camera ended with {camera.status()}:\n{camera.tail()}")

    def wait_for_mask(self, stamp: int) -> None:
        """Return when the mask of this stamp is there, or none comes any more."""

        def more_than(count: int) -> bool:
            return len(self.arrived) > count

        while stamp not in self.arrived:
            if not self.wait.spin_for(_IDLE, partial(more_than, len(self.arrived))):
                return

    def figures(self) -> dict[str, float]:
        """What the nodes say of themselves from now on, by column; what is unknown is left out.

        Of several nodes, medians; the images lost are those of all.
        """
        self._figures.clear()
        if not self.wait.spin_for(_DIAGNOSTICS, lambda: len(self._figures) == len(self._names)):
            return {}
        each = {
            column: [own[column] for own in self._figures.values() if column in own]
            for column in FIGURES
        }
        total = {"lost": sum}
        return {
            column: total.get(column, statistics.median)(values)
            for column, values in each.items()
            if values
        }

    def _call(self, client: Any, what: str) -> None:
        answer = client.call_async(Trigger.Request())
        self.wait.until(answer.done, ANSWER_PATIENCE, what)

    def close(self) -> None:
        """Leave the domain."""
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)


def _known_figures(told: Mapping[str, Sequence[KeyValue]]) -> dict[str, float]:
    """By column, what one node tells in its statuses."""
    values = {(name, item.key): item.value for name, own in told.items() for item in own}
    return {
        column: float(values[place])
        for column, place in FIGURES.items()
        if values.get(place, "unknown") != "unknown"
    }
