# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The server of the page: its files, the live picture, the frames drawn on, and the buttons."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from aiohttp import web

from vos_ros.drawing import colour_of
from vos_ros.web import orders, pictures
from vos_ros.web.desk import Desk, Frozen, GoneError
from vos_ros.web.guard import HEADERS, Guard
from vos_ros.web.live import LiveSocket
from vos_ros.web.robot import Answer, Robot, View

FOLDER = Path(__file__).parent / "page"
FILES = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/live.js": ("live.js", "text/javascript"),
    "/drawing.js": ("drawing.js", "text/javascript"),
    "/strokes.js": ("strokes.js", "text/javascript"),
    "/objects.js": ("objects.js", "text/javascript"),
}
"""Path -> file and type. Nothing else is read."""

_LARGEST = 1 << 20  # bytes of a request: 64 strokes of many points each, and not much more
_MOST_LOOKING = 8  # pages
_MOST_WAITING = 8  # masks to be made
ResultT = TypeVar("ResultT")


class Server:
    """Serves one robot to people.

    Args:
        robot: camera and node.
        guard: says whose requests are answered.
        look: of the live picture.
        most_rate: live pictures a second, at most.
    """

    def __init__(
        self, robot: Robot, guard: Guard, look: pictures.Look | None = None, most_rate: float = 15.0
    ) -> None:
        self._robot = robot
        self._guard = guard
        self._look = look or pictures.Look()
        self._most_rate = most_rate
        self._desk = Desk()
        self._thumbnails = pictures.Thumbnails()
        self._sockets: set[LiveSocket] = set()
        # Two threads: a mask that takes long does not hold up the live picture.
        self._painter = ThreadPoolExecutor(1, "page_pictures")
        self._cutter = ThreadPoolExecutor(1, "page_masks")
        self._waiting = 0
        self._drawing = asyncio.Lock()
        self._drawn: tuple[int, bytes | None] = (0, None)

    def application(self) -> web.Application:
        """What aiohttp is to run."""
        app = web.Application(middlewares=[self._checked], client_max_size=_LARGEST)
        for path in FILES:
            app.router.add_get(path, self._file)
        app.router.add_get("/live", self._live)
        app.router.add_get(r"/objects/{id:\d{1,3}}.jpg", self._thumbnail)
        app.router.add_get(r"/frames/{number:\d{1,9}}.jpg", self._frame)
        app.router.add_post("/frames", self._freeze)
        app.router.add_post(r"/frames/{number:\d{1,9}}/mask", self._mask)
        app.router.add_post(r"/frames/{number:\d{1,9}}/follow", self._follow)
        for name in ("remove", "reset", "save", "load"):
            app.router.add_post(f"/{name}", self._button)
        app.on_response_prepare.append(_add_headers)
        app.on_shutdown.append(self._close)
        return app

    # What every request goes through -----------------------------------------------------------

    @web.middleware
    async def _checked(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        objection = self._guard.objection(request.method, request.path, request.headers)
        if objection is not None:
            return _said(objection, 403)
        if request.method == "POST" and request.content_type != "application/json":
            return _said("A request must be of the type application/json.", 415)
        try:
            return await handler(request)
        except orders.OrderError as error:
            return _said(str(error), 400)
        except GoneError as error:
            return _said(str(error), 410)
        except web.HTTPException as error:
            return _said(f"{error.reason}.", error.status)

    async def _close(self, _: web.Application) -> None:
        await asyncio.gather(*(socket.close() for socket in self._sockets))
        for thread in (self._painter, self._cutter):
            thread.shutdown(wait=False, cancel_futures=True)

    # Looking -----------------------------------------------------------------------------------

    async def _file(self, request: web.Request) -> web.Response:
        name, kind = FILES[request.path]
        text = (FOLDER / name).read_text(encoding="utf-8")
        return web.Response(text=text, content_type=kind)

    async def _live(self, request: web.Request) -> web.StreamResponse:
        if len(self._sockets) >= _MOST_LOOKING:
            return _said(f"{_MOST_LOOKING} pages look on already; close one.", 503)
        socket = LiveSocket(self._robot, self._status, self._picture, self._most_rate)
        self._sockets.add(socket)
        try:
            return await socket.serve(request)
        finally:
            self._sockets.discard(socket)

    def _status(self) -> dict[str, Any]:
        status = asdict(self._robot.status())
        for item in status["objects"]:
            item["colour"] = "#{:02x}{:02x}{:02x}".format(*colour_of(item["id"]))
            item["thumbnail"] = self._thumbnails.version(item["id"])
        return status

    async def _picture(self, view: View) -> bytes | None:
        """The live picture of a view, made once for all who look on."""
        async with self._drawing:
            if self._drawn[0] != view.serial:
                self._drawn = view.serial, await self._on(self._painter, self._draw, view)
            if self._drawn[1] is not None:
                self._desk.show(view)
            return self._drawn[1]

    def _draw(self, view: View) -> bytes | None:
        try:
            image = view.image()
        except ValueError:
            return None  # the node says in its diagnostics what is wrong with the camera's images
        self._thumbnails.note(view, image)
        return pictures.live_jpeg(view, image, self._look)

    async def _thumbnail(self, request: web.Request) -> web.Response:
        jpeg = self._thumbnails.jpeg(int(request.match_info["id"]))
        if jpeg is None:
            return _said("There is no picture of this object.", 404)
        return web.Response(body=jpeg, content_type="image/jpeg")

    # Drawing -----------------------------------------------------------------------------------

    async def _freeze(self, request: web.Request) -> web.Response:
        view = self._desk.shown(orders.read_serial(await _fields(request)))
        if view is None:
            return _said("There is no image yet.", 409)
        frozen = await self._on(self._painter, lambda: Frozen(view, view.image()))
        height, width = frozen.image.shape[:2]
        number = self._desk.freeze(frozen)
        # The stamp is longer than the numbers that JavaScript is exact in.
        about = {"frame": number, "width": width, "height": height, "stamp": str(view.stamp_ns)}
        return web.json_response(about)

    async def _frame(self, request: web.Request) -> web.Response:
        image = self._frozen(request).image
        jpeg = await self._on(self._painter, pictures.frozen_jpeg, image)
        return web.Response(body=jpeg, content_type="image/jpeg")

    async def _mask(self, request: web.Request) -> web.Response:
        fields = await _fields(request)
        object_id = orders.read_id(fields)
        mask = await self._made(request, fields)
        if mask is None:
            return _busy()
        png = await self._on(self._painter, pictures.mask_png, mask, object_id)
        headers = {"X-Mask-Pixels": str(np.count_nonzero(mask))}
        return web.Response(body=png, content_type="image/png", headers=headers)

    async def _follow(self, request: web.Request) -> web.Response:
        fields = await _fields(request)
        object_id, name = orders.read_id(fields), orders.read_name(fields)
        mask = await self._made(request, fields)
        if mask is None:
            return _busy()
        if not mask.any():
            return _said("Nothing is marked yet: draw on the object first.", 409)
        view = self._frozen(request).view
        return _answered(await self._robot.follow(view, mask * np.uint8(object_id), name))

    def _frozen(self, request: web.Request) -> Frozen:
        return self._desk.frozen(int(request.match_info["number"]))

    async def _made(self, request: web.Request, fields: dict[str, Any]) -> np.ndarray | None:
        """The mask of the strokes in a request; None when too many wait for theirs."""
        frozen, strokes = self._frozen(request), orders.read_strokes(fields)
        if self._waiting >= _MOST_WAITING:
            return None
        self._waiting += 1
        try:
            return await self._on(self._cutter, frozen.mask, strokes)
        finally:
            self._waiting -= 1

    async def _on(
        self, thread: ThreadPoolExecutor, work: Callable[..., ResultT], *given: Any
    ) -> ResultT:
        return await asyncio.get_running_loop().run_in_executor(thread, work, *given)

    # Buttons -----------------------------------------------------------------------------------

    async def _button(self, request: web.Request) -> web.Response:
        fields, robot = await _fields(request), self._robot
        if request.path == "/remove":
            return _answered(await robot.remove(orders.read_id(fields)))
        if request.path == "/reset":
            return _answered(await robot.reset())
        name = orders.read_name(fields)
        if request.path == "/save":
            return _answered(await robot.save(name))
        return _answered(await robot.load(name, orders.read_flag(fields, "keep")))


async def _fields(request: web.Request) -> dict[str, Any]:
    try:
        return orders.read_object(await request.json())
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError, LookupError) as error:
        raise orders.OrderError("The request is no JSON.") from error


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    response.headers.pop("Server", None)


def _answered(answer: Answer) -> web.Response:
    return web.json_response(asdict(answer))


def _said(message: str, status: int) -> web.Response:
    return web.json_response({"success": False, "message": message}, status=status)


def _busy() -> web.Response:
    return _said("Too many masks are being made at once. Wait a moment.", 503)
