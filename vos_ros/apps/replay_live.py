# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`replay --rate`: the images of a bag at the pace of the recording, through a running node."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header
from tqdm import tqdm

from vos_msgs.msg import ObjectPresenceArray
from vos_msgs.srv import InitMask
from vos_ros.apps.replay_images import BagImage, FirstImage, images
from vos_ros.apps.replay_options import Options
from vos_ros.apps.replay_output import told_if_kept
from vos_ros.apps.waiting import Waiter, WaitingError
from vos_ros.recordings.bag import Bag, Topic
from vos_ros.recordings.errors import RecordingError
from vos_ros.recordings.new_bag import NewBag
from vos_ros.recordings.types import COMPRESSED, IMAGE, PRESENCE
from vos_ros.ros.environment import keep_large_blocks
from vos_ros.ros.images import ImageError, labels_to_message, rgb_to_message

JOINING = 10.0  # s for the node to be found; joining a running system can take three
LAST_MASK = 5.0  # s without a mask after the last image, before none is expected any more


def play(bag: Bag, topic: Topic, options: Options) -> str:
    """Give the running node the mask and then the images; return what came of it, for people.

    Raises:
        RecordingError: the node is not there or refuses, or the bag is damaged.
    """
    first = FirstImage(options.frame, options.stamp)
    first.check(topic)
    keep_large_blocks()
    with ExitStack() as stack:
        new = None
        if options.out is not None:
            about = {"vos_ros.replay": f"rate {options.rate:g}"}
            new = stack.enter_context(told_if_kept(options.out, bag.storage, about))
        session = stack.enter_context(_Session(bag, topic, options, new))
        bar = stack.enter_context(tqdm(total=topic.count, unit="image", desc="playing"))
        try:
            for image in images(bag, topic):
                bar.update()
                if session.began or first.is_it(image):
                    session.show(image)
            if not session.began:
                raise first.missing(topic)
            session.wait_for_the_last()
        except (WaitingError, ImageError) as error:
            raise RecordingError(str(error)) from error
        return session.described()


class _Session:
    """A node beside the one that follows: its camera and its client."""

    def __init__(self, bag: Bag, topic: Topic, options: Options, new: NewBag | None) -> None:
        self.began: float = 0.0  # when the first image was shown, by time.monotonic
        self._bag, self._topic, self._options, self._new = bag, topic, options, new
        self._zero = 0  # when that image was recorded, ns
        self._shown: dict[int, float] = {}  # stamp -> when it was published
        self._latencies: list[float] = []
        self._last_stamp = self._last_told = -1  # of a mask and of a presence that came
        self._context = Context()
        # Signals stay with Python: Ctrl-C must unwind, for the new bag to be closed.
        rclpy.init(context=self._context, signal_handler_options=SignalHandlerOptions.NO)
        self._node = Node("vos_replay", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._wait = Waiter(self._executor, [])
        self._join()

    def __enter__(self) -> _Session:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def _join(self) -> None:
        # Reliable is taken by those who ask for best effort, too.
        reliable = QoSProfile(
            depth=30, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.RELIABLE
        )
        name, node = self._options.image, self._node
        packed = self._topic.type == COMPRESSED
        kind, ending = (CompressedImage, "/compressed") if packed else (Image, "")
        self._camera = node.create_publisher(kind, f"{name}{ending}", reliable)
        self._mask_topic = f"/{self._options.node}/mask"
        self._presence_topic = f"/{self._options.node}/presence"
        if self._new is not None:
            self._new.add(self._mask_topic, IMAGE)
            self._new.add(self._presence_topic, PRESENCE)
            if self._options.keep != "none":
                for connection in self._bag.connections:
                    if connection.topic == self._topic.name:
                        self._new.add_like(connection)
        node.create_subscription(Image, self._mask_topic, self._take_mask, reliable, raw=True)
        node.create_subscription(
            ObjectPresenceArray, self._presence_topic, self._take_presence, reliable, raw=True
        )

    # What arrives ------------------------------------------------------------------------------

    def _take_mask(self, data: bytes) -> None:
        stamp = _stamp(deserialize_message(data, Image).header)
        if stamp not in self._shown:
            return  # of somebody else's images
        self._latencies.append(time.monotonic() - self._shown[stamp])
        self._last_stamp = stamp
        if self._new is not None:
            self._new.copy(self._mask_topic, self._recorded_time(), data)
            self._new.worth_keeping = True

    def _take_presence(self, data: bytes) -> None:
        self._last_told = _stamp(deserialize_message(data, ObjectPresenceArray).header)
        if self._last_told in self._shown and self._new is not None:
            self._new.copy(self._presence_topic, self._recorded_time(), data)

    def _recorded_time(self) -> int:
        """Now, by the clock of the recording, ns."""
        passed = (time.monotonic() - self.began) * self._options.rate
        return self._zero + int(passed * 1e9)

    # What is done ------------------------------------------------------------------------------

    def show(self, image: BagImage) -> None:
        """Publish an image when its time has come; with the first, give the mask before."""
        if not self.began:
            self._give_mask(image)
            self._zero, self.began = image.record.time, time.monotonic()
        due = self.began + (image.record.time - self._zero) / 1e9 / self._options.rate
        while (left := due - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)
        self._shown[image.stamp] = time.monotonic()
        self._camera.publish(bytes(image.record.data))
        if self._new is not None and self._options.keep != "none":
            self._new.copy(self._topic.name, image.record.time, image.record.data)

    def _give_mask(self, image: BagImage) -> None:
        """Have the node follow the objects, on this image, which it gets with the mask."""
        name = f"/{self._options.node}/init_mask"
        client = self._node.create_client(InitMask, name)
        if not self._wait.spin_for(JOINING, client.service_is_ready):
            raise WaitingError(
                f"nobody offers {name}: start the node (`python -m vos_ros node`), or name it with"
                " --node; both sides need the same ROS_DOMAIN_ID"
            )
        if not self._wait.spin_for(JOINING, self._camera.get_subscription_count):
            raise WaitingError(
                f"nobody subscribes to {self._camera.topic_name}: publish where the node listens"
                " with --image; for compressed images it needs image_transport:=compressed"
            )
        assert self._options.labels is not None
        header = _header(image.message.header)
        request = InitMask.Request(
            mask=labels_to_message(self._options.labels, header),
            image=rgb_to_message(image.rgb(), header),
            names=list(self._options.names.values()),
        )
        answer = self._wait.ask(client, request, "the answer to the mask")
        if not answer.success:
            raise WaitingError(f"the node refused the mask: {answer.message}")
        print(f"{name}: {answer.message}", flush=True)

    def wait_for_the_last(self) -> None:
        """Return when the mask of the last image is there, or none has come for a while."""
        last = max(self._shown, key=self._shown.__getitem__)

        def more_than(count: int) -> bool:
            return len(self._latencies) > count

        while self._last_stamp != last:
            if not self._wait.spin_for(LAST_MASK, partial(more_than, len(self._latencies))):
                return
        self._wait.spin_for(1.0, lambda: self._last_told == last)  # that is on the way

    def described(self) -> str:
        """What came of it, for people."""
        shown, masks = len(self._shown), len(self._latencies)
        words = [f"{masks} masks for {shown} images"]
        if masks:
            words.append(f"{1000 * _median(self._latencies):.0f} ms from image to mask (median)")
        if self._new is not None:
            words.append(f"written to '{self._new.path}'" if masks else "nothing is written")
        return "; ".join(words)


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _stamp(header: Any) -> int:
    return header.stamp.sec * 10**9 + header.stamp.nanosec


def _header(header: Any) -> Header:
    """A bag's header as ROS's."""
    made = Header(frame_id=header.frame_id)
    made.stamp.sec, made.stamp.nanosec = int(header.stamp.sec), int(header.stamp.nanosec)
    return made
