# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark's own ROS node: gives the first mask, and notes when each mask comes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
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
    "transport_ms": ("vos: masks", "transport (ms)"),
    "wait_ms": ("vos: masks", "wait (ms)"),
    "convert_ms": ("vos: masks", "convert (ms)"),
    "upload_ms": ("vos: masks", "upload (ms)"),
    "step_ms": ("vos: masks", "step (ms)"),
    "download_ms": ("vos: masks", "download (ms)"),
    "publish_ms": ("vos: masks", "publish (ms)"),
    "lost": ("vos: camera", "lost in transport"),
}
"""Column -> the status and the key under which the node tells it on `/diagnostics`."""


class BenchmarkStage:
    """The subscriber that times masks, and the client that has objects followed.

    Everything that waits raises WaitingError when a process dies or patience is out.

    Attributes:
        arrived: by the stamp of each mask, when it was there first, both in nanoseconds.
        wait: waits for what is to happen, no longer than the processes live.

    Args:
        domain: ROS domain id.
    """

    def __init__(self, domain: int) -> None:
        self.arrived: dict[int, int] = {}
        self._figures: dict[str, float] = {}
        self._told = 0
        self._context = Context()
        # Signals stay with Python: Ctrl-C must unwind the benchmark, which then ends its children.
        rclpy.init(
            context=self._context, domain_id=domain, signal_handler_options=SignalHandlerOptions.NO
        )
        self._node = Node("vos_benchmark", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self.wait = Waiter(self._executor, [])
        self._node.create_subscription(Image, "vos/mask", self._take_mask, qos.results())
        self._node.create_subscription(DiagnosticArray, "/diagnostics", self._take_figures, 10)
        self._init = self._node.create_client(InitMask, "vos/init_mask", qos_profile=qos.requests())
        self._play = self._node.create_client(Trigger, f"{CAMERA}/play")
        self._finish = self._node.create_client(Trigger, f"{CAMERA}/finish")

    def _take_mask(self, message: Image) -> None:
        now = time.time_ns()
        stamp = message.header.stamp
        self.arrived.setdefault(stamp.sec * 10**9 + stamp.nanosec, now)

    def _take_figures(self, message: DiagnosticArray) -> None:
        told = {status.name: status.values for status in message.status}
        if not {status for status, _ in FIGURES.values()} <= told.keys():
            return
        values = {(name, item.key): item.value for name, own in told.items() for item in own}
        self._figures = {
            column: float(values[place])
            for column, place in FIGURES.items()
            if values.get(place, "unknown") != "unknown"
        }
        self._told += 1

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

    def first_answer(self, node: Child, request: InitMask.Request) -> None:
        """Have a node that comes up follow something; return when it has answered.

        Raises:
            WaitingError: it does not, or refuses.
        """
        self.wait.children.append(node)
        self.wait.until(self._init.service_is_ready, START_PATIENCE, "the node's services")
        end = time.monotonic() + START_PATIENCE
        while True:
            future = self._init.call_async(request)
            if self.wait.spin_for(_ASK_AGAIN, future.done):
                break
            self._init.remove_pending_request(future)
            if time.monotonic() > end:
                raise WaitingError(f"the node does not answer\n{self.wait.words()}")
        answer = future.result()
        if not answer.success:
            words = node.tail()
            raise WaitingError(f"the node refused the first mask: {answer.message}\n{words}")

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
        while stamp not in self.arrived:
            count = len(self.arrived)
            if not self.wait.spin_for(_IDLE, lambda count=count: len(self.arrived) > count):
                return

    def figures(self) -> dict[str, float]:
        """What the node says of itself from now on, by column; what it does not say is left out."""
        count = self._told
        if not self.wait.spin_for(_DIAGNOSTICS, lambda: self._told > count):
            return {}
        return dict(self._figures)

    def _call(self, client: Any, what: str) -> None:
        answer = client.call_async(Trigger.Request())
        self.wait.until(answer.done, ANSWER_PATIENCE, what)

    def close(self) -> None:
        """Leave the domain."""
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)
