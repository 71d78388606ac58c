# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The live picture and the state of things, over a websocket.

The page asks for each picture with a message `next`, so that on a slow line pictures are left out
and never pile up. A picture is a binary message: the view's number in 8 bytes, the highest first,
and a JPEG. Every half second a text message tells the state in JSON.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from vos_ros.web.robot import Robot, View

_STATUS_SECONDS = 0.5
_MOST_ASKED = 4  # pictures on their way at a time
_FAREWELL = 2.0  # s
_LONGEST = 64  # bytes of a message from the page


class LiveSocket:
    """One page that looks on.

    Args:
        robot: is looked at.
        status: the state of things, ready for JSON.
        picture: makes the JPEG of a view; None when its image cannot be read.
        most_rate: pictures a second at most.
    """

    def __init__(
        self,
        robot: Robot,
        status: Callable[[], dict[str, Any]],
        picture: Callable[[View], Awaitable[bytes | None]],
        most_rate: float,
    ) -> None:
        self._robot = robot
        self._status = status
        self._picture = picture
        self._pause = 1.0 / most_rate
        self._socket = web.WebSocketResponse(heartbeat=20.0, max_msg_size=_LONGEST, compress=False)
        self._asked = asyncio.Semaphore(0)
        self._open = 0

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Send until the page goes away."""
        await self._socket.prepare(request)
        with self._robot.watching():
            senders = [asyncio.create_task(self._tell()), asyncio.create_task(self._show())]
            try:
                async for message in self._socket:
                    if message.type is not WSMsgType.TEXT or message.data != "next":
                        break  # not our page
                    if self._open < _MOST_ASKED:
                        self._open += 1
                        self._asked.release()
            finally:
                for sender in senders:
                    sender.cancel()
                await asyncio.gather(*senders, return_exceptions=True)
                await self.close()
        return self._socket

    async def close(self) -> None:
        """Say farewell, to a page that may be gone already."""
        with suppress(ConnectionError, asyncio.TimeoutError):
            await asyncio.wait_for(self._socket.close(code=WSCloseCode.GOING_AWAY), _FAREWELL)

    async def _tell(self) -> None:
        with suppress(ConnectionError):
            while not self._socket.closed:
                await self._socket.send_str(json.dumps(self._status()))
                await asyncio.sleep(_STATUS_SECONDS)

    async def _show(self) -> None:
        serial, due = 0, 0.0
        with suppress(ConnectionError):
            while not self._socket.closed:
                await self._asked.acquire()
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                jpeg = None
                while jpeg is None:
                    view = await self._robot.newer_than(serial)
                    serial = view.serial
                    jpeg = await self._picture(view)
                due = time.monotonic() + self._pause
                await self._socket.send_bytes(serial.to_bytes(8, "big") + jpeg)
                self._open -= 1
