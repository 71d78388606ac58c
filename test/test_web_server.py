# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every route of the page's server, asked as the page does, and as it would not."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from aiohttp import ClientResponse, WSMsgType, WSServerHandshakeError
from aiohttp.test_utils import TestClient, TestServer
from page_robot import SceneRobot
from scenes import iou

from vos_ros.drawing import colour_of
from vos_ros.web import server as server_module
from vos_ros.web.guard import HEADERS, Guard
from vos_ros.web.robot import Answer
from vos_ros.web.server import FILES, FOLDER, Server

LONG = 60.0


class Page:
    """A page in a browser, without the browser."""

    def __init__(self, client: TestClient, robot: SceneRobot) -> None:
        self.client, self.robot = client, robot

    async def post(self, path: str, body: object = None, **rest: Any) -> tuple[int, Any]:
        """The status, and the answer's JSON or bytes."""
        data = json.dumps({} if body is None else body)
        headers = {"Content-Type": "application/json", **rest}
        async with self.client.post(path, data=data, headers=headers) as response:
            return response.status, await content(response)

    async def get(self, path: str, **headers: str) -> tuple[int, Any]:
        async with self.client.get(path, headers=headers) as response:
            return response.status, await content(response)

    async def look(self) -> tuple[dict[str, Any], int, np.ndarray]:
        """The first state, the picture's number and the picture."""
        async with self.client.ws_connect("/live") as socket:
            await socket.send_str("next")
            status, picture = None, None
            while status is None or picture is None:
                message = await socket.receive(timeout=LONG)
                if message.type is WSMsgType.TEXT:
                    status = json.loads(message.data)
                else:
                    assert message.type is WSMsgType.BINARY
                    picture = message.data
            return status, int.from_bytes(picture[:8], "big"), decoded(picture[8:])

    async def freeze(self) -> dict[str, Any]:
        _, serial, _ = await self.look()
        status, answer = await self.post("/frames", {"serial": serial})
        assert status == 200, answer
        return answer


async def content(response: ClientResponse) -> Any:
    if response.content_type == "application/json":
        return await response.json()
    return await response.read()


def decoded(data: bytes) -> np.ndarray:
    """A picture, its channels in the order of OpenCV."""
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def with_page(test: Callable[[Page], Awaitable[None]]) -> Callable[[], None]:
    """Run a test with a server of its own."""

    def run() -> None:
        async def inner() -> None:
            robot = SceneRobot()
            app = Server(robot, Guard("127.0.0.1"), most_rate=100.0).application()
            async with TestClient(TestServer(app)) as client:
                await asyncio.wait_for(test(Page(client, robot)), LONG)

        asyncio.run(inner())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


def box_around(truth: np.ndarray, margin: int = 6) -> dict[str, Any]:
    x, y, width, height = cv2.boundingRect(truth)
    return {
        "kind": "box", "add": True, "x": x - margin, "y": y - margin,
        "width": width + 2 * margin, "height": height + 2 * margin,
    }  # fmt: skip


# The page itself ---------------------------------------------------------------------------------


@with_page
async def test_every_file_of_the_page_is_served(page: Page) -> None:
    for path, (name, kind) in FILES.items():
        async with page.client.get(path) as response:
            assert response.status == 200
            assert response.content_type == kind
            assert await response.read() == (FOLDER / name).read_bytes()
            assert {key: response.headers[key] for key in HEADERS} == HEADERS
            assert "Server" not in response.headers
    assert {path.name for path in FOLDER.iterdir()} == {name for name, _ in FILES.values()}


def test_the_page_asks_nobody_else_and_its_parts_are_there() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    for name, text in texts.items():
        assert not re.search(r"https?://|//[a-z0-9-]+\.[a-z]", text), name
    html = texts["index.html"]
    taken = re.findall(r'(?:src|href)="(/[^"]*)"', html)
    taken += re.findall(r'from "(/[^"]*)"', "".join(texts.values()))
    assert set(taken) <= set(FILES) and len(taken) >= 5
    ids = re.findall(r'id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    used = re.findall(r'\$\("([^"]+)"\)', texts["page.js"] + texts["objects.js"])
    assert set(used) <= set(ids)
    labelled = re.findall(r'(?:aria-describedby|aria-labelledby)="([^"]+)"', html)
    assert {name for names in labelled for name in names.split()} <= set(ids)
    # No script and no style stands in the page itself: the policy forbids both.
    assert not re.search(r"<style|style=|\son[a-z]+=|<script[^>]*>[^<]", html)


@with_page
async def test_nothing_else_is_there(page: Page) -> None:
    for path in ("/server.py", "/page", "/../robot.py", "/%2e%2e/robot.py", "/page.js/",
                 "/frames", "/frames/1", "/objects", "/reset", "/etc/passwd"):  # fmt: skip
        status, answer = await page.get(path)
        assert status in (403, 404, 405), path
        assert answer["success"] is False and answer["message"]
    for method in ("PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
        async with page.client.request(method, "/reset") as response:
            assert response.status == 405
    assert page.robot.asked == []


# Looking ------------------------------------------------------------------------------------------


@with_page
async def test_the_live_picture_shows_the_image_with_the_mask_over_it(page: Page) -> None:
    _, serial, picture = await page.look()
    image = page.robot.scene.frame(0)[..., ::-1].astype(float)
    assert serial == 1
    assert np.abs(picture - image).mean() < 5
    answer = await page.robot.follow(page.robot.view(), page.robot.scene.truth(0) * 3, "cup")
    assert answer.success
    status, serial, picture = await page.look()
    number = page.robot.number
    image, truth = page.robot.scene.frame(number).astype(float), page.robot.scene.truth(number) > 0
    inside = cv2.erode(truth.astype(np.uint8), np.ones((15, 15))) > 0
    expected = 0.6 * image[inside] + 0.4 * np.array(colour_of(3))
    assert np.abs(picture[..., ::-1][inside] - expected).mean() < 6
    (item,) = status["objects"]
    assert item["colour"] == "#{:02x}{:02x}{:02x}".format(*colour_of(3))
    assert (item["id"], item["name"], item["present"], item["score"]) == (3, "cup", True, 0.94)
    assert (status["latency"], status["dropped"], status["problems"]) == (
        0.0456, 7, ["Out of sight: 2."],
    )  # fmt: skip


@with_page
async def test_pictures_come_when_they_are_asked_for_and_the_newest_is_one_of_them(
    page: Page,
) -> None:
    async with page.client.ws_connect("/live") as socket:
        assert (await socket.receive(timeout=LONG)).type is WSMsgType.TEXT
        serials = []
        for _ in range(4):
            for _ in range(3):
                page.robot.go_on()
            await socket.send_str("next")
            while (message := await socket.receive(timeout=LONG)).type is WSMsgType.TEXT:
                pass
            serials.append(int.from_bytes(message.data[:8], "big"))
        assert serials == [4, 7, 10, 13]
        # Without being asked it sends the state alone.
        page.robot.go_on()
        for _ in range(2):
            assert (await socket.receive(timeout=LONG)).type is WSMsgType.TEXT


@with_page
async def test_images_are_taken_in_only_while_somebody_looks(page: Page) -> None:
    assert page.robot.watchers == 0
    async with page.client.ws_connect("/live") as socket:
        await socket.receive(timeout=LONG)
        assert page.robot.watchers == 1
    while page.robot.watchers:
        await asyncio.sleep(0.01)


@with_page
async def test_a_socket_that_talks_nonsense_is_closed(page: Page) -> None:
    for nonsense in ("more", "n" * 100, b"next"):
        async with page.client.ws_connect("/live") as socket:
            send = socket.send_bytes if isinstance(nonsense, bytes) else socket.send_str
            await send(nonsense)
            while (message := await socket.receive(timeout=LONG)).type is WSMsgType.TEXT:
                pass
            assert message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR)
    while page.robot.watchers:
        await asyncio.sleep(0.01)


@with_page
async def test_not_everybody_can_look_at_once(page: Page) -> None:
    sockets = [await page.client.ws_connect("/live") for _ in range(server_module._MOST_LOOKING)]
    with pytest.raises(WSServerHandshakeError) as refused:
        await page.client.ws_connect("/live")
    assert refused.value.status == 503
    for socket in sockets:
        await socket.close()


@with_page
async def test_an_object_has_a_picture_of_itself(page: Page) -> None:
    assert (await page.get("/objects/3.jpg"))[0] == 404
    await page.robot.follow(page.robot.view(), page.robot.scene.truth(0) * 3, "cup")
    await page.look()
    status, data = await page.get("/objects/3.jpg")
    assert status == 200
    number = page.robot.number
    x, y, width, height = cv2.boundingRect(page.robot.scene.truth(number))
    piece = page.robot.scene.frame(number)[y : y + height, x : x + width]
    small = decoded(data)[..., ::-1]
    expected = cv2.resize(piece, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(float) - expected).mean() < 8
    for path in ("/objects/999.jpg", "/objects/4.jpg", "/objects/x.jpg", "/objects/0.jpg"):
        assert (await page.get(path))[0] == 404


# Drawing ------------------------------------------------------------------------------------------


@with_page
async def test_what_is_drawn_is_marked_and_followed_on_the_frozen_frame(page: Page) -> None:
    page.robot.number = 5
    frozen = await page.freeze()
    truth = page.robot.scene.truth(5)
    assert (frozen["width"], frozen["height"], frozen["stamp"]) == (320, 240, str(5 * 10**9))
    for _ in range(20):  # the camera goes on meanwhile
        page.robot.go_on()
    path = f"/frames/{frozen['frame']}"
    status, data = await page.get(f"{path}.jpg")
    assert status == 200
    error = decoded(data).astype(float) - page.robot.scene.frame(5)[..., ::-1]
    assert np.abs(error).mean() < 4
    body = {"strokes": [box_around(truth)], "id": 4, "name": " cup "}
    status, data = await page.post(f"{path}/mask", body)
    layer = decoded(data)
    assert status == 200 and layer.shape == (240, 320, 4)
    assert iou(layer[..., 3] > 0, truth > 0) >= 0.9
    inside = cv2.erode(truth, np.ones((9, 9))) > 0
    assert (layer[inside][:, :3] == colour_of(4)[::-1]).all()
    status, answer = await page.post(f"{path}/follow", body)
    assert (status, answer) == (200, {"success": True, "message": "Done."})
    ((number, labels, name),) = page.robot.given
    assert (number, name, labels.dtype) == (5, "cup", np.uint8)
    assert set(np.unique(labels)) == {0, 4}
    assert iou(labels > 0, truth > 0) >= 0.9


@with_page
async def test_what_the_node_refuses_is_told(page: Page) -> None:
    frozen = await page.freeze()
    page.robot.answer = Answer(False, "At most 10 can be followed.")
    body = {"strokes": [box_around(page.robot.scene.truth(0))], "id": 1}
    status, answer = await page.post(f"/frames/{frozen['frame']}/follow", body)
    assert (status, answer["success"], answer["message"]) == (
        200, False, "At most 10 can be followed.",
    )  # fmt: skip


@with_page
async def test_nothing_marked_is_not_followed(page: Page) -> None:
    frozen = await page.freeze()
    status, data = await page.post(f"/frames/{frozen['frame']}/mask", {"strokes": [], "id": 1})
    assert status == 200 and not decoded(data)[..., 3].any()
    status, answer = await page.post(f"/frames/{frozen['frame']}/follow", {"strokes": [], "id": 1})
    assert status == 409 and "Nothing is marked" in answer["message"]
    assert page.robot.given == []


@with_page
async def test_only_the_last_few_frames_are_kept(page: Page) -> None:
    assert (await page.post("/frames", {}))[0] == 409  # nobody has seen an image yet
    numbers = [(await page.freeze())["frame"] for _ in range(6)]
    for number in numbers[-2:]:
        assert (await page.get(f"/frames/{number}.jpg"))[0] == 200
    for number in (numbers[0], 999):
        for status, answer in (
            await page.get(f"/frames/{number}.jpg"),
            await page.post(f"/frames/{number}/mask", {"strokes": [], "id": 1}),
            await page.post(f"/frames/{number}/follow", {"strokes": [], "id": 1}),
        ):
            assert status == 410 and "Go back to the live image" in answer["message"]


@with_page
async def test_a_view_that_is_long_gone_gives_the_newest_that_was_shown(page: Page) -> None:
    page.robot.number = 9
    await page.look()
    status, answer = await page.post("/frames", {"serial": 4711})
    assert (status, answer["stamp"]) == (200, str(9 * 10**9))


@with_page
async def test_masks_without_end_are_put_off(page: Page) -> None:
    frozen = await page.freeze()
    path, most = f"/frames/{frozen['frame']}/mask", server_module._MOST_WAITING
    body = {"strokes": [box_around(page.robot.scene.truth(0))], "id": 1}
    answers = await asyncio.gather(*(page.post(path, body) for _ in range(3 * most)))
    assert {status for status, _ in answers} <= {200, 503}
    assert (await page.post(path, body))[0] == 200


# Buttons ------------------------------------------------------------------------------------------


@with_page
async def test_each_button_asks_the_node(page: Page) -> None:
    for path, body in (
        ("/remove", {"id": 3}), ("/reset", {}), ("/save", {"name": "kitchen"}),
        ("/load", {"name": "kitchen", "keep": True}), ("/load", {"name": "hall"}),
    ):  # fmt: skip
        assert await page.post(path, body) == (200, {"success": True, "message": "Done."})
    assert page.robot.asked == [
        ("remove", 3), ("reset", None), ("save", "kitchen"), ("load", ("kitchen", True)),
        ("load", ("hall", False)),
    ]  # fmt: skip


@with_page
async def test_hostile_bodies_are_refused(page: Page) -> None:
    frozen = await page.freeze()
    mask = f"/frames/{frozen['frame']}/mask"
    for path, body in (
        ("/remove", {}), ("/remove", {"id": "1"}), ("/remove", {"id": 1e9}), ("/remove", []),
        ("/save", {"name": ["x"]}), ("/save", {"name": "x" * 1000}), ("/load", {"keep": 3}),
        ("/frames", {"serial": "x"}), ("/frames", {"serial": -1}), (mask, {"id": 1}),
        (mask, {"strokes": [{"kind": "box"}], "id": 1}), (mask, {"strokes": [], "id": 0}),
    ):  # fmt: skip
        status, answer = await page.post(path, body)
        assert status == 400, (path, body)
        assert answer["success"] is False and answer["message"].endswith(".")
    for data in (b"", b"{", b"\xff\xfe", b"[" * 100_000, b"nul"):
        headers = {"Content-Type": "application/json"}
        async with page.client.post("/reset", data=data, headers=headers) as response:
            assert response.status == 400
    for charset in ("nonsense", "utf-16"):
        headers = {"Content-Type": f"application/json; charset={charset}"}
        async with page.client.post("/reset", data=b"{}", headers=headers) as response:
            assert response.status == 400
    assert page.robot.asked == []


@with_page
async def test_a_large_body_is_refused(page: Page) -> None:
    headers = {"Content-Type": "application/json"}
    body = b'{"name": "' + b"x" * (server_module._LARGEST + 10) + b'"}'
    async with page.client.post("/save", data=body, headers=headers) as response:
        assert response.status == 413
    assert page.robot.asked == []


@with_page
async def test_forms_of_other_pages_are_refused(page: Page) -> None:
    """What a page elsewhere can send without asking: forms and plain text."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        async with page.client.post(
            "/reset", data=b"{}", headers={"Content-Type": kind}
        ) as response:
            assert response.status == 415
    assert page.robot.asked == []


@with_page
async def test_other_pages_are_refused_everywhere(page: Page) -> None:
    hostile = ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"},
               {"Sec-Fetch-Site": "cross-site"})  # fmt: skip
    for headers in hostile:
        for path in ("/page.js", "/live", "/frames/1.jpg", "/objects/1.jpg"):
            assert (await page.get(path, **headers))[0] == 403
        for path in ("/frames", "/frames/1/mask", "/frames/1/follow", "/remove", "/reset", "/save",
                     "/load"):  # fmt: skip
            assert (await page.post(path, {"id": 1}, **headers))[0] == 403
    for headers in hostile[:3]:
        assert (await page.get("/", **headers))[0] == 403
        with pytest.raises(WSServerHandshakeError) as refused:
            await page.client.ws_connect("/live", headers=headers)
        assert refused.value.status == 403
    assert page.robot.asked == [] and page.robot.watchers == 0


def test_the_folder_of_the_page_is_installed() -> None:
    setup = (Path(__file__).parents[1] / "setup.py").read_text()
    assert 'f"{NAME}.web": ["page/*"]' in setup
