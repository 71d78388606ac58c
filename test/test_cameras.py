# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several cameras in one process: each goes on, whatever becomes of another."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from camera_fleet import FakeNetwork, Fleet
from fake_segmenter import ColourSegmenter
from lifecycle_msgs.srv import ChangeState
from node_process import NodeProcess
from rclpy.context import Context
from scenes import iou
from sensor_msgs.msg import Image
from stage import CARD, header, transition, truth
from tiny import ColourNetwork

from vos_ros.ros import cameras
from vos_ros.ros.camera_choice import CameraChoice
from vos_ros.ros.shared_networks import CameraNetwork, SharedNetworks
from vos_ros.segmenter import ready_network

NUMBERS = itertools.count()
ALL = (1, 2, 3)


@pytest.fixture
def make_fleet(context: Context) -> Iterator[Callable[..., Fleet]]:
    """Makes two cameras, one and other, with the networks given or new ones."""
    made: list[Fleet] = []

    def make(networks: dict[str, FakeNetwork] | None = None, **parameters) -> Fleet:
        networks = networks or {name: FakeNetwork(ColourSegmenter()) for name in ("one", "other")}
        made.append(Fleet(context, f"/fleet_{next(NUMBERS)}", networks, **parameters))
        return made[-1]

    yield make
    for fleet in made:
        fleet.close()


@pytest.fixture
def networks() -> dict[str, FakeNetwork]:
    return {name: FakeNetwork(ColourSegmenter()) for name in ("one", "other")}


@pytest.fixture
def following(make_fleet: Callable[..., Fleet], networks: dict[str, FakeNetwork]) -> Fleet:
    """Two cameras that follow three objects each."""
    fleet = make_fleet(networks)
    fleet.ready()
    for name in networks:
        fleet.follow(name, 0)
    return fleet


def check_goes_on(fleet: Fleet, name: str, first: int = 1) -> None:
    """Fail unless a camera's next images are answered as they should be."""
    for number in range(first, first + 3):
        fleet.send(name, number)
        assert np.array_equal(fleet.mask_of(name, number), truth(ALL))


def test_each_camera_has_topics_services_and_objects_of_its_own(make_fleet):
    fleet = make_fleet()
    fleet.ready()
    fleet.follow("one", 0, (1,))
    fleet.follow("other", 0, (2, 3))
    for number in (1, 2):
        for name in ("one", "other"):
            fleet.send(name, number)
    assert np.array_equal(fleet.mask_of("one", 2), truth((1,)))
    assert np.array_equal(fleet.mask_of("other", 2), truth((2, 3)))
    assert [fleet.threads[name].node.get_name() for name in ("one", "other")] == ["one", "other"]


@pytest.mark.parametrize(
    "error",
    [ValueError("of this camera"), MemoryError(), torch.OutOfMemoryError("for this camera")],
    ids=["exception", "memory", "device memory"],
)
def test_a_camera_whose_every_step_fails_leaves_the_other_running(following, networks, error):
    networks["one"].segmenter.error = error
    for number in (1, 2):
        following.send("one", number)
    check_goes_on(following, "other")
    node = following.threads["one"].node
    following.until(lambda: node.statistics.failed == 2, "both failures to be counted")
    assert following.threads["other"].node.statistics.failed == 0
    networks["one"].segmenter.error = None
    check_goes_on(following, "one", 3)


def test_a_camera_whose_images_cannot_be_read_leaves_the_other_running(following):
    for number in (1, 2):
        bad = Image(height=48, width=64, step=192, encoding="rgb8", header=header(number))
        following.send_message("one", bad)
    check_goes_on(following, "other")
    assert following.threads["one"].node.statistics.rejected == 2
    check_goes_on(following, "one", 3)


def test_a_camera_whose_step_does_not_end_leaves_the_other_running(following, networks):
    networks["one"].segmenter.hold()
    following.send("one", 1)
    following.until(networks["one"].segmenter.entered, "the step to begin")
    check_goes_on(following, "other")
    networks["one"].segmenter.let_go()
    assert np.array_equal(following.mask_of("one", 1), truth(ALL))


def test_a_camera_may_be_deactivated_cleaned_up_and_begun_again(following, networks):
    assert following.change("one", "deactivate")
    check_goes_on(following, "other")
    assert networks["one"].users == 1
    assert following.change("one", "cleanup")
    assert (networks["one"].users, networks["other"].users) == (0, 1)
    check_goes_on(following, "other", 4)
    assert following.change("one", "configure") and following.change("one", "activate")
    following.ready("one")
    following.follow("one", 7)
    check_goes_on(following, "one", 8)


def test_while_a_camera_waits_for_its_step_to_be_deactivated_the_other_runs(following, networks):
    networks["one"].segmenter.hold()
    following.send("one", 1)
    following.until(networks["one"].segmenter.entered, "the step to begin")
    client = following.client.create_client(ChangeState, "one/change_state")
    following.until(client.service_is_ready, "the service")
    answer = client.call_async(transition("deactivate"))
    check_goes_on(following, "other")
    assert not answer.done()
    networks["one"].segmenter.let_go()
    following.until(answer.done, "the answer")
    assert answer.result().success


def test_a_camera_that_cannot_be_configured_leaves_the_other_running(make_fleet, networks):
    networks["one"].error = ValueError("these weights are damaged")
    fleet = make_fleet(networks)
    fleet.ready("other")
    fleet.follow("other", 0)
    check_goes_on(fleet, "other")
    networks["one"].error = None
    assert fleet.change("one", "configure") and fleet.change("one", "activate")
    fleet.ready("one")
    fleet.follow("one", 0)
    check_goes_on(fleet, "one")


def test_cameras_on_one_network_follow_each_its_own(make_fleet):
    """The real segmenter, on a network that finds things by their colour."""
    opened = []

    def opener(choice):
        opened.append(choice)
        return ready_network(ColourNetwork(), "cpu", "fp32", "torch", True), CARD

    shared = SharedNetworks(opener)
    networks = {name: CameraNetwork(shared) for name in ("one", "other")}
    parameters = {"device": "cpu", "precision": "fp32", "batching": "always"}
    fleet = make_fleet(networks, **parameters)
    fleet.ready()
    assert len(opened) == shared.count == 1
    fleet.follow("one", 0, (1,))
    fleet.follow("other", 0, (2, 3))
    for number in range(1, 4):
        for name in networks:
            fleet.send(name, number)
        for name, objects in (("one", (1,)), ("other", (2, 3))):
            found = fleet.mask_of(name, number)
            assert all(iou(found == i, truth(objects) == i) > 0.5 for i in objects)
            assert set(np.unique(found)) == {0, *objects}
    assert fleet.change("one", "deactivate") and fleet.change("one", "cleanup")
    assert shared.count == 1
    assert fleet.change("other", "deactivate") and fleet.change("other", "cleanup")
    assert shared.count == 0


def test_every_camera_works_on_threads_of_its_own(following, networks):
    check_goes_on(following, "one")
    check_goes_on(following, "other")
    threads = [network.segmenter.threads for network in networks.values()]
    assert threads == [{"vos_worker"}, {"vos_worker"}]
    assert not following.threads["one"].ended(0) and not following.threads["other"].ended(0)


@pytest.mark.parametrize(
    ("text", "camera"),
    [
        ("front=/front/image_raw", CameraChoice("front", "/front/image_raw")),
        ("a_1=image", CameraChoice("a_1", "image")),
    ],
)
def test_a_camera_is_a_name_and_a_topic(text: str, camera: CameraChoice) -> None:
    assert CameraChoice.read(text) == camera


@pytest.mark.parametrize(
    "text", ["front", "=/image", "front=", "1=/image", "a b=/image", "a/b=/i", "a=/image/", "a=//"]
)
def test_what_is_no_camera_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="front=/front/image_raw"):
        CameraChoice.read(text)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "no camera is named"),
        (["front"], "'front' is no camera"),
        (["a=/x", "b=/y", "a=/z"], "used twice: a"),
    ],
)
def test_a_bad_command_line_is_refused_before_anything_starts(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cameras.main(arguments)
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


PROGRAM = """
import sys
from camera_fleet import FakeNetwork
from fake_segmenter import ColourSegmenter
from vos_ros.ros import cameras, shared_networks
class Telling(FakeNetwork):
    def build(self, settings):
        print(f"at most {settings.max_objects} objects", flush=True)
        return super().build(settings)

shared_networks.CameraNetwork = lambda networks: Telling(ColourSegmenter())
sys.exit(cameras.main(["one=/a/image", "other=/b/image", *sys.argv[1:]]))
"""


@pytest.fixture
def process() -> Iterator[Callable[..., NodeProcess]]:
    started: list[NodeProcess] = []

    def start(*arguments: str) -> NodeProcess:
        started.append(NodeProcess(*arguments, program=PROGRAM))
        return started[-1]

    yield start
    for each in started:
        each.kill()


def wait_active(running: NodeProcess) -> None:
    """Wait until both cameras take images."""
    for words in ("images from /a/image.", "images from /b/image."):
        if words not in running.said:
            running.wait_for(words)


def test_a_signal_ends_all_cameras_cleanly(process) -> None:
    running = process("-r", "__ns:=/robot")
    wait_active(running)
    assert "[robot.one]" in running.said and "[robot.other]" in running.said
    assert running.end(signal.SIGTERM, signal.SIGINT) == 0, running.said
    assert "Traceback" not in running.said


def test_a_parameter_is_all_cameras_or_that_of_one(process) -> None:
    running = process("-p", "max_objects:=7", "-p", "one:max_objects:=2")
    wait_active(running)
    assert "at most 2 objects" in running.said and "at most 7 objects" in running.said
    assert running.end(signal.SIGINT) == 0, running.said
