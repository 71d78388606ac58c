# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser: from a box drawn by mouse to the node's masks over DDS."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from aiohttp import web
from browser import DESKTOP, PHONE, browser_path, open_browser
from node_process import NodeProcess
from page_robot import SceneRobot
from rclpy.context import Context
from scene import Scene
from scene_camera import SceneCamera
from scenes import iou
from select_process import SelectProcess

from vos_ros.web.guard import Guard
from vos_ros.web.robot import Answer, SeenObject
from vos_ros.web.server import Server

PATIENCE = 60_000.0
"""Milliseconds; never used up when all is well."""
FOLLOWED = 15
"""Masks that are compared with the truth."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_browser(browser_path()) as opened:
        yield opened


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens pages; fails where one of them had an error."""
    contexts, errors = [], []

    def open_one(url: str, size: tuple[int, int] = DESKTOP, **rest: Any) -> Any:
        contexts.append(browser.new_context(viewport={"width": size[0], "height": size[1]}, **rest))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.goto(url)
        page.wait_for_selector("#freeze:enabled")
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert errors == []


def freeze(page: Any, how: Callable[[], None]) -> dict[str, Any]:
    """What the server says of the frozen frame."""
    with page.expect_response("**/frames") as response:
        how()
    page.wait_for_selector("#order", state="visible")
    return response.value.json()


def on_screen(page: Any, frozen: dict[str, Any], x: float, y: float) -> tuple[float, float]:
    """Where a point of the image is in the window; the image may have bars beside it."""
    canvas = page.locator("#canvas").bounding_box()
    scale = min(canvas["width"] / frozen["width"], canvas["height"] / frozen["height"])
    left = canvas["x"] + (canvas["width"] - scale * frozen["width"]) / 2
    top = canvas["y"] + (canvas["height"] - scale * frozen["height"]) / 2
    return left + scale * x, top + scale * y


def drag(page: Any, frozen: dict[str, Any], points: list[tuple[float, float]]) -> None:
    page.mouse.move(*on_screen(page, frozen, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*on_screen(page, frozen, *point), steps=5)
    page.mouse.up()


def box_of(truth: np.ndarray, margin: float = 8) -> list[tuple[float, float]]:
    x, y, width, height = cv2.boundingRect(truth)
    return [(x - margin, y - margin), (x + width + margin, y + height + margin)]


# The whole way ------------------------------------------------------------------------------------


@pytest.fixture
def context() -> Iterator[Context]:
    import rclpy
    from stage import new_context

    made = new_context()
    yield made
    rclpy.try_shutdown(context=made)


@pytest.mark.timeout(240)
def test_a_box_drawn_on_a_playing_clip_becomes_masks_over_dds(
    open_page: Callable[..., Any], context: Context
) -> None:
    node = NodeProcess("-p", "device:=cpu", "-p", "internal_size:=192")
    select = SelectProcess()
    camera = SceneCamera(context, Scene(), rate=5.0)
    try:
        node.wait_for("Active: taking images")
        page = open_page(select.url())
        page.wait_for_selector("#state:has-text('/vos, images from /image')")
        frozen = freeze(page, lambda: page.click("#canvas"))
        truth = camera.truth(int(frozen["stamp"]))
        with page.expect_response("**/mask"):
            drag(page, frozen, box_of(truth))
        page.wait_for_selector("#follow:enabled")
        page.fill("#name", "star fruit")
        page.click("#follow")
        page.wait_for_selector("text=/^Following 1, from the image stamped/")
        page.wait_for_selector(".objects li:has-text('star fruit'):has-text('in sight')")
        found = camera.masks(lambda masks: len(masks) >= FOLLOWED, PATIENCE / 1000)
        scores = [iou(labels == 1, camera.truth(stamp) > 0) for stamp, labels in found]
        assert np.mean(scores) >= 0.8, scores
        assert all(stamp >= int(frozen["stamp"]) for stamp, _ in found)
        page.wait_for_selector(".objects img[src]")
        page.wait_for_function("document.querySelector('#mask-rate').textContent.endsWith(' Hz')")
        page.wait_for_function("/^\\d+$/.test(document.querySelector('#dropped').textContent)")
        page.get_by_role("button", name="Remove star fruit").click()
        page.wait_for_selector("#none", state="visible")
        page.close()
        assert select.end(signal.SIGINT) == 0, select.said
        assert node.end(signal.SIGINT) == 0, node.said
        assert "Traceback" not in select.said + node.said
    finally:
        camera.close()
        select.kill()
        node.kill()


# The page alone -----------------------------------------------------------------------------------


class Served:
    """The page's server with a camera without ROS, on a thread of its own."""

    def __init__(self) -> None:
        self._ready, self._thread = threading.Event(), threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(60.0)

    def do(self, what: Callable[[], None]) -> None:
        """Have something done on the server's thread."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (what(), done.set()))
        assert done.wait(60.0)

    def close(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self.robot = SceneRobot()
        server = Server(self.robot, Guard("127.0.0.1"))
        runner = web.AppRunner(server.application(), shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://localhost:{runner.addresses[0][1]}/"
        self._ready.set()
        await self._ended.wait()
        await runner.cleanup()


@pytest.fixture
def served() -> Iterator[Served]:
    made = Served()
    yield made
    made.close()


def given(served: Served) -> np.ndarray:
    """The mask that the node was given, as true and false."""
    ((_, labels, _),) = served.robot.given
    return labels > 0


def follow(page: Any) -> None:
    page.wait_for_selector("#follow:enabled")
    page.wait_for_selector("#busy", state="hidden")
    page.click("#follow")
    page.wait_for_selector(".live-only", state="visible")


def test_everything_can_be_done_with_keys(served: Served, open_page: Callable[..., Any]) -> None:
    page = open_page(served.url)
    truth = served.robot.scene.truth(0)
    freeze(page, lambda: page.keyboard.press("f"))
    (left, top), (right, bottom) = box_of(truth)
    # The cursor begins in the middle; with Shift a step is two pixels of this image.
    for key, steps in (
        ("ArrowLeft", (160 - left) / 2), ("ArrowUp", (120 - top) / 2), (" ", 1),
        ("ArrowRight", (right - left) / 2), ("ArrowDown", (bottom - top) / 2), (" ", 1),
    ):  # fmt: skip
        for _ in range(round(steps)):
            page.keyboard.press(key if key == " " else f"Shift+{key}")
    page.wait_for_selector("#follow:enabled")
    page.keyboard.press("Enter")
    page.keyboard.type("cup")
    page.keyboard.press("Enter")
    page.wait_for_selector(".objects li:has-text('cup')")
    assert iou(given(served), truth > 0) >= 0.9
    assert served.robot.given[0][2] == "cup"


def test_a_polygon_by_clicks(served: Served, open_page: Callable[..., Any]) -> None:
    page = open_page(served.url)
    frozen = freeze(page, lambda: page.click("#canvas"))
    page.keyboard.press("p")
    corners = [(100, 60), (220, 60), (220, 180), (100, 180)]
    for corner in [*corners, corners[0]]:
        page.mouse.click(*on_screen(page, frozen, *corner))
    follow(page)
    square = np.zeros((240, 320), bool)
    square[60:180, 100:220] = True
    assert iou(given(served), square) >= 0.97


def test_adding_removing_and_taking_back(served: Served, open_page: Callable[..., Any]) -> None:
    page = open_page(served.url)
    frozen = freeze(page, lambda: page.click("#freeze"))
    truth = served.robot.scene.truth(0) > 0
    x, y, width, height = cv2.boundingRect(truth.astype(np.uint8))
    page.get_by_role("radio", name="scribble").check()
    drag(page, frozen, [(x + 0.3 * width, y + height / 2), (x + 0.7 * width, y + height / 2)])
    page.wait_for_selector("#follow:enabled")
    page.get_by_role("radio", name="box").check()
    page.keyboard.press("r")  # away with the left half
    with page.expect_response("**/mask"):
        drag(page, frozen, [(0, 0), (x + width / 2, 240)])
    page.wait_for_selector("#busy", state="hidden")
    with page.expect_response("**/mask"):
        page.click("#undo")
    page.wait_for_selector("#busy", state="hidden")
    with page.expect_response("**/mask"):
        drag(page, frozen, [(0, 0), (320, y + height / 2)])  # and with the upper one
    follow(page)
    lower = truth & (np.mgrid[:240, :320][0] >= y + height / 2)
    assert iou(given(served), lower) >= 0.9


def test_each_new_object_has_an_id_of_its_own_and_one_can_be_corrected(
    served: Served, open_page: Callable[..., Any]
) -> None:
    page = open_page(served.url)
    for name, choice in (("cup", None), ("plate", None), ("", "correct cup")):
        frozen = freeze(page, lambda: page.click("#canvas"))
        drag(page, frozen, box_of(served.robot.scene.truth(served.robot.number)))
        if choice:
            page.get_by_label("Object").select_option(choice)
            assert page.get_by_label("Name").input_value() == "cup"
        else:
            page.get_by_label("Name").fill(name)
        follow(page)
        page.wait_for_selector(f".objects li:has-text('{name}')")
    assert [(int(labels.max()), name) for _, labels, name in served.robot.given] == [
        (1, "cup"), (2, "plate"), (1, "cup"),
    ]  # fmt: skip


def test_what_is_refused_is_said_and_the_drawing_kept(
    served: Served, open_page: Callable[..., Any]
) -> None:
    served.robot.answer = Answer(False, "At most 10 can be followed.")
    page = open_page(served.url)
    frozen = freeze(page, lambda: page.click("#canvas"))
    drag(page, frozen, box_of(served.robot.scene.truth(0)))
    page.wait_for_selector("#follow:enabled")
    page.click("#follow")
    page.wait_for_selector(".message.bad:has-text('At most 10 can be followed.')")
    assert page.is_visible("#order")
    page.keyboard.press("Escape")
    page.wait_for_selector(".live-only", state="visible")


def test_names_are_text_and_never_part_of_the_page(
    served: Served, open_page: Callable[..., Any]
) -> None:
    name = "<img src=x onerror=\"document.title='taken'\">"
    page = open_page(served.url)
    hostile = SeenObject(1, name, True, 0.5)
    served.do(lambda: served.robot.objects.update({1: hostile}))
    page.wait_for_selector(".objects li")
    assert page.inner_text(".objects .name") == name
    assert page.title() == "vos_ros: what to follow"


def test_buttons_and_the_list(served: Served, open_page: Callable[..., Any]) -> None:
    page = open_page(served.url)
    objects = {1: SeenObject(1, "cup", True, 0.9, True), 2: SeenObject(2, "", False, 0.1)}
    served.do(lambda: served.robot.objects.update(objects))
    page.wait_for_selector(".objects li:nth-child(2).absent:has-text('out of sight')")
    page.wait_for_selector(".objects li:nth-child(1).doubtful:has-text('may be something else')")
    page.get_by_role("button", name="Remove object 2").click()
    page.wait_for_selector(".message:has-text('Done.')")
    page.get_by_label("File").fill("kitchen")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Load").click()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Forget all").click()
    page.wait_for_selector("#none", state="visible")
    assert served.robot.asked == [
        ("remove", 2), ("save", "kitchen"), ("load", ("kitchen", True)), ("reset", None),
    ]  # fmt: skip


def test_a_phone_shows_all_of_it_and_fingers_draw(
    served: Served, open_page: Callable[..., Any]
) -> None:
    page = open_page(served.url, PHONE, has_touch=True, is_mobile=True)
    freeze(page, lambda: page.tap("#canvas"))
    wide, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= window == PHONE[0]
    small = page.evaluate(
        "[...document.querySelectorAll('button, select, input[type=text]')]"
        ".filter((e) => e.checkVisibility()).filter((e) => e.offsetHeight < 36).map((e) => e.id)"
    )
    assert small == []  # a finger must hit it
    unlabelled = page.evaluate(
        "[...document.querySelectorAll('input, select')].filter((e) => !e.labels.length)"
        ".map((e) => e.id)"
    )
    assert unlabelled == []


def test_the_page_says_when_the_server_has_gone(served: Served, browser: Any) -> None:
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(served.url)
        page.wait_for_selector("#freeze:enabled")
        served.close()
        page.wait_for_selector(".state.bad:has-text('The server does not answer')")
    finally:
        context.close()
