# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's own ROS node: a client of the node that follows, as any robot's program is one."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import rclpy
from lifecycle_msgs.msg import State, TransitionEvent
from lifecycle_msgs.srv import GetState
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger

from vos_msgs.msg import ObjectPresenceArray
from vos_msgs.srv import InitMask
from vos_ros.apps.demo_clip import resize_labels
from vos_ros.apps.demo_report import (
    ObjectSeen,
    Recording,
    ReturnedMask,
    pack_labels,
    percentile,
)
from vos_ros.apps.processes import Child
from vos_ros.apps.waiting import ANSWER_PATIENCE, Waiter, WaitingError, last_words

START_PATIENCE = 120.0  # s for a process to come up; a cold disk and a busy machine take long
_WARM_MASKS = 5  # of the still picture, by which the node's pace is told
_ATTEMPTS = 3  # at giving the first mask
_SETTLED = 10.0  # s the node may report itself unconfigured before that counts as a failure


class DemoSession:
    """Talks to the publisher and the node, and records what comes back.

    Everything that waits raises WaitingError when a process dies or patience is out.
    """

    def __init__(self, children: Sequence[Child], domain: int) -> None:
        """Join the domain.

        Args:
            children: processes without which waiting is in vain.
            domain: ROS domain id of all of them.
        """
        self.recording = Recording()
        self.on_frame: Callable[[], None] = lambda: None  # called at each image received
        self._context = Context()
        # Signals stay with Python: Ctrl-C must unwind the demo, which then ends its children.
        rclpy.init(
            context=self._context, domain_id=domain, signal_handler_options=SignalHandlerOptions.NO
        )
        self._node = Node("vos_demo", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._wait = Waiter(self._executor, children)
        self._image: Image | None = None
        self._goal_states: list[int] = []
        self._mask_stamps: set[int] = set()
        self._subscribe()

    def _subscribe(self) -> None:
        # Frames may come faster than Python takes them while the machine is busy.
        camera = QoSProfile(
            depth=30,
            history=HistoryPolicy.KEEP_LAST,
            reliability=ReliabilityPolicy.BEST_EFFORT,
        )
        results = QoSProfile(depth=30, reliability=ReliabilityPolicy.RELIABLE)
        node = self._node
        node.create_subscription(Image, "image", self._take_image, camera)
        node.create_subscription(Image, "vos/mask", self._take_mask, results)
        node.create_subscription(ObjectPresenceArray, "vos/presence", self._take_presence, results)
        node.create_subscription(TransitionEvent, "vos/transition_event", self._take_transition, 10)

    def watch(self, child: Child) -> None:
        """Wait no longer than this process lives, too."""
        self._wait.children.append(child)

    # What arrives ------------------------------------------------------------------------------

    def _take_image(self, message: Image) -> None:
        self._image = message
        self.recording.received.append(_nanoseconds(message.header.stamp))
        self.on_frame()

    def _take_mask(self, message: Image) -> None:
        arrived = self._node.get_clock().now().nanoseconds
        labels = np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)
        png = pack_labels(labels[:, : message.width])
        stamp = _nanoseconds(message.header.stamp)
        self.recording.masks.append(ReturnedMask(stamp, arrived, png))
        self._mask_stamps.add(stamp)

    def _take_presence(self, message: ObjectPresenceArray) -> None:
        self.recording.presence[_nanoseconds(message.header.stamp)] = tuple(
            ObjectSeen(item.id, item.present, item.score, item.area_fraction, item.doubtful)
            for item in message.objects
        )

    def _take_transition(self, event: TransitionEvent) -> None:
        self._goal_states.append(event.goal_state.id)

    # The steps of the demo ---------------------------------------------------------------------

    def wait_until_active(self) -> None:
        """Return when the node is active; WaitingError when it cannot become so."""
        client = self._node.create_client(GetState, "vos/get_state")
        self._wait.until(client.service_is_ready, START_PATIENCE, "the node to come up")
        end = time.monotonic() + START_PATIENCE
        idle_since: float | None = None
        while time.monotonic() < end:
            if State.PRIMARY_STATE_ACTIVE in self._goal_states:
                return
            state = self._wait.ask(client, GetState.Request(), "the node's state").current_state.id
            if state == State.PRIMARY_STATE_ACTIVE:
                return
            idle = state == State.PRIMARY_STATE_UNCONFIGURED
            idle_since = (idle_since or time.monotonic()) if idle else None
            failed = State.PRIMARY_STATE_UNCONFIGURED in self._goal_states
            if idle_since and (failed or time.monotonic() - idle_since > _SETTLED):
                words = self._wait.words()
                raise WaitingError(f"the node could not be configured; it says why:\n{words}")
            self._wait.spin_for(0.5, partial(self._went_on, len(self._goal_states)))
        raise WaitingError(f"the node did not become active within {START_PATIENCE:g} s")

    def _went_on(self, seen: int) -> bool:
        return len(self._goal_states) > seen

    def give_first_mask(self, labels: np.ndarray, names: Sequence[str]) -> str:
        """Have the node follow the objects of `labels`; return what it answers.

        The mask bears the stamp of an image that this process has received, as that of a person
        drawing on a screen would: the node takes the frame itself from its buffer.

        Args:
            labels: mask of the clip's first frame, brought to the camera's size here.
            names: name of each object by ascending id, or none.

        Raises:
            WaitingError: no image came, or the node refused.
        """
        self._wait.until(lambda: self._image is not None, START_PATIENCE, "the first image")
        client = self._node.create_client(InitMask, "vos/init_mask")
        self._wait.until(client.service_is_ready, ANSWER_PATIENCE, "the service /vos/init_mask")
        for _ in range(_ATTEMPTS):
            # A frame may be lost on its way here or to the node: another one will be with both.
            self._wait.until(lambda: self._image is not None, ANSWER_PATIENCE, "another image")
            image, self._image = self._image, None
            assert image is not None
            mask = _mono8(resize_labels(labels, image.width, image.height), image.header)
            request = InitMask.Request(mask=mask, names=list(names))
            answer = self._wait.ask(client, request, "the answer to the first mask")
            if answer.success:
                return answer.message
        raise WaitingError(f"the node refused the first mask: {answer.message}")

    def latency(self) -> float:
        """Return how long a mask of the still first frame takes, stamp to arrival, in s.

        Raises:
            WaitingError: no masks come.
        """
        count = len(self.recording.masks) + _WARM_MASKS
        masks = self.recording.masks
        self._wait.until(lambda: len(masks) >= count, ANSWER_PATIENCE, "the first masks")
        times = [(mask.arrived - mask.stamp) / 1e9 for mask in masks[-_WARM_MASKS:]]
        return percentile(times, 0.5)

    def start_playing(self, rate: float) -> None:
        """Let the publisher go on from the clip's first frame, at so many frames a second."""
        value = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=float(rate))
        setter = self._node.create_client(SetParameters, "video_publisher/set_parameters")
        self._wait.until(setter.service_is_ready, ANSWER_PATIENCE, "the publisher's parameters")
        request = SetParameters.Request(parameters=[Parameter(name="rate", value=value)])
        for result in self._wait.ask(setter, request, "the publisher's new rate").results:
            if not result.successful:
                raise WaitingError(f"the publisher refused the rate {rate}: {result.reason}")
        client = self._node.create_client(Trigger, "video_publisher/start")
        self._wait.until(client.service_is_ready, ANSWER_PATIENCE, "the publisher's start service")
        self._wait.ask(client, Trigger.Request(), "the publisher to start")

    def collect(self, publisher: Child, last_stamp: Callable[[], int], idle: float) -> None:
        """Record until the publisher has ended and its last frame's mask is there.

        Args:
            publisher: the process that plays; its orderly end is no fault.
            last_stamp: tells the stamp of the last frame sent, asked after the end.
            idle: s without a new mask after which the last one is taken to be lost.
        """
        self._wait.children.remove(publisher)
        self._wait.spin_for(None, lambda: publisher.status() is not None)
        if publisher.status() != 0:
            raise WaitingError(last_words(publisher))
        last = last_stamp()
        while last not in self._mask_stamps and self._another_mask(idle):
            pass
        if last in self._mask_stamps:  # then its presence is on the way
            self._wait.spin_for(1.0, lambda: last in self.recording.presence)

    def _another_mask(self, seconds: float) -> bool:
        count = len(self.recording.masks)
        return self._wait.spin_for(seconds, lambda: len(self.recording.masks) > count)

    def close(self) -> None:
        """Leave the domain."""
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)


def _nanoseconds(stamp: Any) -> int:
    return stamp.sec * 10**9 + stamp.nanosec


def _mono8(labels: np.ndarray, header: Any) -> Image:
    message = Image(header=header, encoding="mono8")
    message.height, message.width = labels.shape
    message.step = message.width
    data = array("B")
    data.frombytes(np.ascontiguousarray(labels, np.uint8).reshape(-1).data)
    message.data = data
    return message
