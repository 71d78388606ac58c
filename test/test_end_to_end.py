# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The real node with its weights in one process, its client in another, DDS between them."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import rclpy
from builtin_interfaces.msg import Time
from node_process import LONG, NodeProcess
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from scene import Scene
from sensor_msgs.msg import Image
from std_msgs.msg import Bool, Header
from std_srvs.srv import Trigger

from vos_msgs.msg import ObjectPresenceArray
from vos_msgs.srv import InitMask, RemoveObject
from vos_ros.ros import qos
from vos_ros.ros.images import labels_to_message, rgb_to_message

HELD = 20
"""Frames the node keeps, so that a frame can be gone soon."""
FRAMES = 40
RESEND = 5.0
"""Seconds after which a frame without a mask is sent again."""


def header(number: int) -> Header:
    """The header of a frame: 25 a second from 1000 s on."""
    nanoseconds = 1000 * 10**9 + number * 40_000_000
    stamp = Time(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)
    return Header(stamp=stamp, frame_id="head_camera")


class Client:
    """A camera and a user of the node."""

    def __init__(self, context: Context) -> None:
        self.scene = Scene()
        self.node = Node("client", context=context)
        self.executor = SingleThreadedExecutor(context=context)
        self.executor.add_node(self.node)
        self.camera = self.node.create_publisher(Image, "/head/image", qos.camera())
        self.sent: list[Header] = []
        self.masks: dict[str, Image] = {}
        self.presences: list[ObjectPresenceArray] = []
        self.node.create_subscription(Image, "/vos/mask", self._keep, qos.results())
        self.node.create_subscription(
            ObjectPresenceArray, "/vos/presence", self.presences.append, qos.results()
        )
        self.services = {
            kind.Request: self.node.create_client(kind, f"/vos/{name}")
            for kind, name in (
                (InitMask, "init_mask"),
                (RemoveObject, "remove_object"),
                (Trigger, "reset"),
            )
        }

    def until(self, condition: Callable[[], Any], what: str) -> None:
        """Run callbacks until something is so."""
        end = time.monotonic() + LONG
        while not condition():
            assert time.monotonic() < end, f"waited in vain for {what}"
            self.executor.spin_once(timeout_sec=0.05)

    def connect(self) -> None:
        """Wait until every topic and service has its other end."""
        self.until(lambda: all(s.service_is_ready() for s in self.services.values()), "services")
        self.until(self.camera.get_subscription_count, "the node to listen to the camera")
        for topic in ("mask", "presence"):
            self.until(lambda topic=topic: self.node.count_publishers(f"/vos/{topic}"), topic)

    def call(self, request: Any) -> Any:
        """Call the service of a request's kind."""
        future = self.services[type(request)].call_async(request)
        self.until(future.done, f"an answer to {type(request).__name__}")
        return future.result()

    def send(self, number: int) -> None:
        """Send a frame as the camera."""
        self.camera.publish(rgb_to_message(self.scene.frame(number), header(number)))
        self.sent.append(header(number))

    def send_until_answered(self, number: int, request: Any) -> Any:
        """Send a frame until the node has one, as a camera would with the next frames."""
        end = time.monotonic() + LONG
        while time.monotonic() < end:
            self.send(number)
            answer = self.call(request)
            if "No image has come" not in answer.message:
                return answer
        raise AssertionError("no frame reached the node")

    def follow(self, number: int) -> np.ndarray:
        """Send a frame and return its labels."""
        self.send(number)
        return self.labels(number)

    def labels(self, number: int) -> np.ndarray:
        """Wait for the labels of a frame that was the last to be sent."""
        key = str(header(number))
        end = time.monotonic() + LONG
        while key not in self.masks:
            assert time.monotonic() < end, f"no mask of frame {number}"
            again = time.monotonic() + RESEND
            while key not in self.masks and time.monotonic() < again:
                self.executor.spin_once(timeout_sec=0.05)
            if key not in self.masks:
                # A camera's frames may get lost: that is what best effort means.
                self.send(number)
        message = self.masks[key]
        assert message.encoding == "mono8"
        return np.frombuffer(message.data, np.uint8).reshape(message.height, message.width)

    def request(self, number: int | None = None, **rest: Any) -> InitMask.Request:
        """A request with the true mask of a frame."""
        truth = self.scene.truth(number or 0) * 5
        head = Header() if number is None else header(number)
        return InitMask.Request(mask=labels_to_message(truth, head), **rest)

    def jaccard(self, labels: np.ndarray, number: int, object_id: int = 5) -> float:
        """Intersection over union with the truth."""
        found, true = labels == object_id, self.scene.truth(number) > 0
        return float((found & true).sum() / (found | true).sum())

    def _keep(self, message: Image) -> None:
        self.masks[str(message.header)] = message


@pytest.fixture(scope="module")
def process() -> Iterator[NodeProcess]:
    process = NodeProcess(
        "-r", "image:=/head/image", "-p", "device:=cpu", "-p", f"buffer_frames:={HELD}"
    )
    process.wait_for("Active: taking images from /head/image.")
    yield process
    process.kill()


@pytest.fixture(scope="module")
def client(process: NodeProcess) -> Iterator[Client]:
    context = Context()
    rclpy.init(context=context)
    client = Client(context)
    client.connect()
    yield client
    client.node.destroy_node()
    client.executor.shutdown()
    rclpy.try_shutdown(context=context)


# The tests below are one story: each goes on where the one before it ended.


def test_a_call_before_any_frame_is_refused(client: Client):
    answer = client.call(client.request())
    assert not answer.success
    assert answer.message == (
        "No image has come on /head/image yet; wait until one has, or send the image together with"
        " the mask."
    )


def test_a_thing_is_followed_along_its_path(client: Client):
    answer = client.send_until_answered(0, client.request(0, names=["thing"]))
    assert answer.success, answer.message
    assert list(answer.ids) == [5]
    assert answer.stamp == header(0).stamp
    scores = [client.jaccard(client.follow(number), number) for number in range(1, FRAMES)]
    assert np.mean(scores) >= 0.85, [round(score, 2) for score in scores]
    entry = client.presences[-1].objects[0]
    assert (entry.id, entry.name, entry.present) == (5, "thing", True)
    assert entry.area_fraction == pytest.approx(client.scene.truth(FRAMES - 1).mean(), rel=0.15)


def test_its_presence_is_latched(client: Client):
    values: list[bool] = []
    client.node.create_subscription(
        Bool, "/vos/presence/object_5", lambda message: values.append(message.data), qos.latched()
    )
    client.until(lambda: values, "the latched presence")
    assert values == [True]


def mask_message(labels: np.ndarray, **changes: Any) -> InitMask.Request:
    message = labels_to_message(labels, Header())
    for name, value in changes.items():
        setattr(message, name, value)
    return InitMask.Request(mask=message)


def wide_mask(client: Client, value: int) -> InitMask.Request:
    labels = client.scene.truth(0).astype(np.uint16) * value
    message = Image(height=240, width=320, step=640, encoding="mono16")
    message.data.frombytes(labels.tobytes())
    return InitMask.Request(mask=message)


REFUSALS: dict[str, tuple[Callable[[Client], InitMask.Request], str]] = {
    "a mask with no object": (
        lambda c: mask_message(np.zeros((240, 320), np.uint8)),
        "The mask holds no object: every pixel is 0. Give the pixels of each object its id",
    ),
    "a mask of another shape": (
        lambda c: mask_message(np.ones((240, 240), np.uint8)),
        "The mask is 240 x 240 pixels but the image is 320 x 240, and their aspect ratios differ",
    ),
    "an unknown encoding": (
        lambda c: mask_message(c.scene.truth(0), encoding="hologram"),
        "The mask's encoding is 'hologram'; a mask holds one object id per pixel and must be mono8",
    ),
    "data that is too short": (
        lambda c: mask_message(c.scene.truth(0), data=b"\1" * 999),
        "The mask carries 999 bytes, but 240 rows of 320 bytes make 76800",
    ),
    "an image that is too short": (
        lambda c: c.request(image=Image(height=9, width=9, step=27, encoding="rgb8", data=b"\1")),
        "The image carries 1 bytes, but 9 rows of 27 bytes make 243",
    ),
    "an image of an unknown encoding": (
        lambda c: c.request(image=Image(height=1, width=1, step=1, encoding="tapestry", data=b"1")),
        "The image's encoding is 'tapestry', which is not known here; it must be one of",
    ),
    "more objects than allowed": (
        lambda c: mask_message((np.mgrid[:240, :320][1] // 29 + 1).astype(np.uint8)),
        "The mask holds 12 objects; at most 10 can be followed (max_objects).",
    ),
    "repeated ids": (
        lambda c: c.request(ids=[5, 5]),
        "Each id may be given once, and the request repeats 5.",
    ),
    "an id of 0": (
        lambda c: c.request(ids=[0]),
        "Ids must be from 1 to 255, and the request has 0.",
    ),
    "an id in the mask above 255": (
        lambda c: wide_mask(c, 256),
        "Ids must be from 1 to 255, and the request has 256.",
    ),
    "an id that the mask has not": (
        lambda c: c.request(ids=[6]),
        "Each id asked for must occur in the mask, which has 5, and it lacks 6.",
    ),
    "too many names": (
        lambda c: c.request(names=["one", "two"]),
        "Names must be empty or one for each object: 1 for the ids 5, and the request has 2.",
    ),
    "a stamp that is gone": (
        lambda c: c.request(0),
        f"No frame with the stamp 1000.000000000 s is held: it is older than every frame that is"
        f" kept. {HELD} frames are held, stamps 1000.800000000 s to 1001.560000000 s;",
    ),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_a_wrong_request_is_refused_in_words(client: Client, what: str):
    make, words = REFUSALS[what]
    answer = client.call(make(client))
    assert not answer.success
    assert words in answer.message
    assert answer.message[0].isupper()
    assert answer.message.endswith(".")
    assert list(answer.ids) == [5]


def test_what_was_followed_goes_on_after_all_refusals(client: Client):
    labels = client.follow(FRAMES)
    assert client.jaccard(labels, FRAMES) >= 0.8
    assert client.presences[-1].objects[0].name == "thing"


def test_bad_frames_are_skipped(client: Client):
    for changes in ({"data": b"\0" * 7}, {"encoding": "smoke"}, {"width": 0, "height": 0}):
        message = rgb_to_message(client.scene.frame(FRAMES), header(FRAMES + 1))
        for name, value in changes.items():
            setattr(message, name, value)
        client.camera.publish(message)
    assert client.jaccard(client.follow(FRAMES + 2), FRAMES + 2) >= 0.8
    assert str(header(FRAMES + 1)) not in client.masks


def test_an_older_frame_is_caught_up_from(client: Client):
    begin, end = FRAMES + 3, FRAMES + 12
    for number in range(begin, end):
        client.follow(number)
    assert client.call(Trigger.Request()).success
    # The newest frame's mask comes once more, now without anything on it.
    client.until(lambda: not client.labels(end - 1).any(), "an empty mask")
    client.masks.clear()
    answer = client.call(client.request(begin))
    assert answer.success, answer.message
    assert answer.stamp == header(begin).stamp
    assert f"caught up through {end - 1 - begin} since" in answer.message
    # No frame is sent here: the mask comes of catching up alone.
    key = str(header(end - 1))
    client.until(lambda: key in client.masks, "the mask of the newest frame")
    assert list(client.masks) == [key]
    assert client.jaccard(client.labels(end - 1), end - 1) >= 0.75


def test_frames_that_come_too_fast_are_dropped_and_masks_stay_true_to_their_headers(
    client: Client,
):
    begin, end = FRAMES + 20, FRAMES + 50
    for number in range(begin, end):
        client.send(number)
    client.labels(end - 1)
    assert set(client.masks) <= {str(sent) for sent in client.sent}
    # What leapt out of the region that was looked at meanwhile is searched for in the whole image;
    # how far it leapt is for the machine to say.
    found = 0.0
    for number in range(end, end + 20):
        client.send(number)
        found = max(found, client.jaccard(client.labels(number), number))
    assert found >= 0.5


def test_an_object_is_removed(client: Client):
    values: list[bool] = []
    client.node.create_subscription(
        Bool, "/vos/presence/object_5", lambda message: values.append(message.data), qos.latched()
    )
    client.until(lambda: values, "the latched presence")
    answer = client.call(RemoveObject.Request(id=5))
    assert answer.success
    client.until(lambda: not values[-1], "the word that it is gone")
    client.until(lambda: not client.presences[-1].objects, "an empty presence")
    assert answer.message == "Object 5 is forgotten; nothing is followed any more."
    answer = client.call(RemoveObject.Request(id=5))
    assert not answer.success
    assert answer.message == "Object 5 is not followed; followed are: none."


def test_every_mask_carried_the_header_of_a_frame_that_was_sent(client: Client):
    sent = {str(item) for item in client.sent}
    assert client.presences
    assert {str(item.header) for item in client.presences} <= sent
    assert set(client.masks) <= sent


def test_the_node_ends_cleanly(process: NodeProcess, client: Client):
    assert process.end(signal.SIGINT) == 0, process.said
    assert "Traceback" not in process.said
