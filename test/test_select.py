# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`select` beside a real node: what the page asks for is done, and what cannot be is said."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import socket
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import ClientSession, WSMsgType
from select_process import SelectProcess
from stage import Stage, picture, truth

from vos_ros.apps.node_options import OptionError
from vos_ros.apps.select import Options, main, parser
from vos_ros.apps.select_robot import RosRobot
from vos_ros.apps.select_server import serving
from vos_ros.web.robot import Answer, View

LONG = 60.0


@pytest.fixture
def stage(make_stage: Callable[..., Stage], tmp_path: Path) -> Stage:
    return make_stage(targets_directory=str(tmp_path), buffer_frames=20).activate()


class Play:
    """A coroutine on a thread of its own, while the stage's camera plays."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.number = 0
        self.playing = True

    def run(self, what: Callable[[], Awaitable[Any]]) -> Any:
        results: list[Any] = []

        def target() -> None:
            try:
                results.append(asyncio.run(asyncio.wait_for(what(), LONG)))
            except BaseException as error:
                results.append(error)

        thread = threading.Thread(target=target)
        thread.start()
        while thread.is_alive():
            if self.playing:
                # Stamps rise for ever: were they to begin again, the node would forget its objects.
                self.number += 1
                self.stage.send(self.number)
            self.stage.executor.spin_once(timeout_sec=0.02)
        if isinstance(results[0], BaseException):
            raise results[0]
        return results[0]

    def robot(self, what: Callable[[RosRobot], Awaitable[Any]], **options: Any) -> Any:
        """Run something with a robot that looks at the stage."""

        async def inner() -> Any:
            defaults = {**dataclasses.asdict(Options()), **options}
            robot = RosRobot(defaults, self.arguments)
            try:
                with robot.watching():
                    return await what(robot)
            finally:
                await asyncio.to_thread(robot.close)

        return self.run(inner)

    @property
    def arguments(self) -> list[str]:
        return ["--ros-args", "-r", f"__ns:={self.stage.node.get_namespace()}"]


@pytest.fixture
def play(stage: Stage) -> Play:
    return Play(stage)


async def until(condition: Callable[[], Any]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


async def with_mask(robot: RosRobot) -> View:
    """The next view that has one."""
    view = await robot.newer_than(0)
    while view.labels is None or not view.labels.any():
        view = await robot.newer_than(view.serial)
    return view


async def follow(robot: RosRobot, *ids: int) -> Answer:
    """Follow some of the squares on the newest image; wait for a node first."""
    await until(lambda: robot.status().node_there)
    view = await robot.newer_than(0)
    for object_id in ids:
        answer = await robot.follow(view, truth((object_id,)), f"square {object_id}")
        assert answer.success, answer.message
    return answer


def test_what_is_pointed_out_is_followed_and_seen_with_its_mask(play: Play) -> None:
    async def what(robot: RosRobot) -> None:
        answer = await follow(robot, 1, 3)
        assert answer.message.startswith("Following 1, 3, from the image stamped 1")
        view = await with_mask(robot)
        await until(lambda: len(robot.status().objects) == 2)
        number = int(view.image()[0, 0, 0])
        np.testing.assert_array_equal(view.image(), picture(number))
        assert (view.stamp_ns - 100 * 10**9) // 10**8 % 256 == number
        status = robot.status()
        assert [(o.id, o.name, o.present) for o in status.objects] == [
            (1, "square 1", True), (3, "square 3", True),
        ]  # fmt: skip
        namespace = play.stage.node.get_namespace()
        assert (status.node, status.topic) == (f"{namespace}/vos", f"{namespace}/image")
        await until(lambda: robot.status().dropped is not None)
        await until(lambda: robot.status().mask_rate > 0 and robot.status().image_rate > 0)
        assert robot.status().latency is None  # stamps of 1970 are of another clock
        assert robot.status().image_age < LONG
        while not (view.labels == truth((1, 3))).all():
            view = await robot.newer_than(view.serial)

    play.robot(what)


def test_the_buttons_reach_the_node(play: Play, tmp_path: Path) -> None:
    async def what(robot: RosRobot) -> None:
        await follow(robot, 1, 2)
        assert (await robot.save("kitchen")).success
        answer = await robot.remove(1)
        assert answer == Answer(True, "Object 1 is forgotten; still following 2.")
        await until(lambda: [o.id for o in robot.status().objects] == [2])
        assert (await robot.reset()).message == "Forgotten: 2."
        await until(lambda: not robot.status().objects)
        assert (await robot.load("kitchen", False)).success
        assert not (await robot.load("../kitchen", False)).success
        assert not (await robot.remove(9)).success

    play.robot(what)
    assert [path.name for path in tmp_path.iterdir()] == ["kitchen.safetensors"]
    assert play.stage.segmenter.ids == (1, 2)


def test_a_frame_that_the_node_has_let_go_of_is_sent_along(play: Play) -> None:
    """A person takes longer to draw than the node keeps its images."""

    async def what(robot: RosRobot) -> None:
        await until(lambda: robot.status().node_there)
        view = await robot.newer_than(0)
        newest = view
        while newest.stamp_ns < view.stamp_ns + 25 * 10**8:
            newest = await robot.newer_than(newest.serial)
        answer = await robot.follow(view, truth((2,)), "cup")
        assert answer.success, answer.message
        assert f"stamped {view.stamp_ns // 10**9}." in answer.message

    play.robot(what)
    assert play.stage.segmenter.ids == (2,)


def test_compressed_images(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(image_transport="compressed").activate()
    stage.send = stage.send_compressed

    async def what(robot: RosRobot) -> None:
        await follow(robot, 2)
        assert robot.status().topic.endswith("/image/compressed")
        view = await with_mask(robot)
        np.testing.assert_array_equal(view.labels, truth((2,)))

    Play(stage).robot(what, compressed=True)


def test_without_a_node_it_says_so(play: Play) -> None:
    async def what(robot: RosRobot) -> None:
        view = await robot.newer_than(0)  # the camera is there all the same
        for answer in (await robot.reset(), await robot.follow(view, truth((1,)), "")):
            assert not answer.success
            assert "There is no node" in answer.message and "/nobody" in answer.message
        assert not robot.status().node_there

    play.robot(what, node="nobody")


def test_an_answer_is_not_waited_for_without_end(play: Play) -> None:
    async def what(robot: RosRobot) -> None:
        await until(lambda: robot.status().node_there)
        view = await robot.newer_than(0)
        play.stage.segmenter.hold()
        try:
            answer = await robot.remove(1)
            assert answer.message  # the node is not held up by what it does not follow
            answer = await robot.follow(view, truth((1,)), "")
            assert not answer.success and "did not answer within 0.5 s" in answer.message
        finally:
            play.stage.segmenter.let_go()

    play.robot(what, timeout=0.5)


def test_images_are_taken_in_only_while_somebody_looks(stage: Stage) -> None:
    async def what() -> None:
        defaults = dataclasses.asdict(Options())
        robot = RosRobot(defaults, Play(stage).arguments)
        try:
            with robot.watching():
                await until(lambda: stage.camera.get_subscription_count() == 2)
            robot._rest()
            await until(lambda: stage.camera.get_subscription_count() == 1)
        finally:
            await asyncio.to_thread(robot.close)

    player = Play(stage)
    player.playing = False
    player.run(what)


def test_the_page_is_served(play: Play) -> None:
    async def what() -> None:
        defaults = {**dataclasses.asdict(Options()), "port": 0}
        async with serving(defaults, play.arguments) as port, ClientSession() as session:
            url = f"http://127.0.0.1:{port}"
            async with session.get(url) as response:
                assert response.status == 200 and "vos_ros" in await response.text()
            async with session.get(url, headers={"Host": socket.gethostname()}) as response:
                assert response.status == 403
            async with session.ws_connect(f"{url}/live") as live:
                await live.send_str("next")
                while (await live.receive(timeout=LONG)).type is not WSMsgType.BINARY:
                    pass
            with pytest.raises(OptionError, match=f"cannot listen on port {port} of 127.0.0.1"):
                async with serving({**defaults, "port": port}):
                    pass

    play.run(what)


# As a process -------------------------------------------------------------------------------------


def test_it_tells_the_way_in_and_ends_with_a_signal() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        process = SelectProcess()
        try:
            assert process.url().startswith("http://localhost:")
            assert process.end(number) == 0, process.said
        finally:
            process.kill()
        assert "ssh -L" in process.said
        assert "Traceback" not in process.said and "no password" not in process.said


def test_parameters_count_and_an_open_address_is_said_aloud() -> None:
    process = SelectProcess("--ros-args", "-p", "address:=0.0.0.0", "-p", "rate:=5")
    try:
        assert process.url().startswith("http://0.0.0.0:")
        assert process.end(signal.SIGINT) == 0
    finally:
        process.kill()
    assert "[WARN]" in process.said
    assert "Everybody who can reach this machine" in process.said
    assert "no password" in process.said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "70000"], "a port lies in 0..65535"),
        (["--rate", "0"], "the rate lies in 0.1..100"),
        (["--ros-args", "-p", "width:=wide"], "the parameter width is of type int"),
        (["--address", "no.such.host.invalid"], "cannot listen on port"),
    ],
)
def test_a_bad_option_ends_it_with_a_sentence(
    arguments: list[str], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["--port", "0", *arguments] if "--port" not in arguments else arguments) == 2
    said = capfd.readouterr().err
    assert "select: " in said and words in said


# Options ------------------------------------------------------------------------------------------


def test_the_command_line_has_the_defaults_of_the_options() -> None:
    given = vars(parser().parse_args([]))
    assert given == dataclasses.asdict(Options())
    assert Options().address == "127.0.0.1"


@pytest.mark.parametrize(
    "wrong",
    [{"node": ""}, {"image": ""}, {"port": -1}, {"rate": float("nan")}, {"width": 1},
     {"quality": 0}, {"timeout": 0.0}, {"hosts": "a b"}, {"hosts": "robot,*"}],
)  # fmt: skip
def test_impossible_options_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        Options(**wrong)


def test_host_names_are_listed_with_commas() -> None:
    assert Options(hosts="robot, robot.local,").host_names == ["robot", "robot.local"]
