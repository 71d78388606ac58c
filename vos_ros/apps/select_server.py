# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the page's server and its ROS node until a signal comes."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from vos_ros.apps.node_options import OptionError
from vos_ros.apps.select import Options
from vos_ros.apps.select_robot import RosRobot
from vos_ros.ros.environment import keep_large_blocks
from vos_ros.web.guard import Guard, is_loopback
from vos_ros.web.pictures import Look
from vos_ros.web.server import Server

_SHUTDOWN_SECONDS = 3.0  # for pages that look on


def serve(defaults: Mapping[str, object], arguments: Sequence[str]) -> int:
    """Serve until SIGINT or SIGTERM.

    Args:
        defaults: the options of the command line.
        arguments: the whole command line, for the ROS arguments in it.

    Returns:
        The exit status: 0, or 2 for a bad option or a port that is taken.
    """
    keep_large_blocks()
    try:
        asyncio.run(_serve(defaults, arguments))
    except OptionError as error:
        print(f"select: {error}", file=sys.stderr)
        return 2
    return 0


async def _serve(defaults: Mapping[str, object], arguments: Sequence[str]) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with serving(defaults, arguments):
        await ended.wait()


@asynccontextmanager
async def serving(
    defaults: Mapping[str, object], arguments: Sequence[str] = ()
) -> AsyncIterator[int]:
    """Inside, the page is there, at the port this gives.

    Raises:
        OptionError: an option has an impossible value, or the address cannot be listened on.
    """
    robot = RosRobot(defaults, arguments)
    try:
        options = robot.options
        guard = Guard(options.address, [*options.host_names, *_own_names(options.address)])
        server = Server(robot, guard, Look(options.width, options.quality), options.rate)
        runner = web.AppRunner(
            server.application(), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS
        )
        await runner.setup()
        try:
            site = web.TCPSite(runner, options.address, options.port)
            try:
                await site.start()
            except OSError as error:
                raise OptionError(
                    f"cannot listen on port {options.port} of {options.address}:"
                    f" {error.strerror or error}; give another with --port or --address"
                ) from error
            port = runner.addresses[0][1]
            _announce(robot, options, port)
            yield port
        finally:
            await runner.cleanup()
    finally:
        await asyncio.to_thread(robot.close)


def _own_names(address: str) -> list[str]:
    """The names of this machine under which others may know it."""
    if is_loopback(address):
        return []
    name = socket.gethostname()
    return [name, name.partition(".")[0], f"{name.partition('.')[0]}.local"]


def _announce(robot: RosRobot, options: Options, port: int) -> None:
    if is_loopback(options.address):
        robot.say(
            f"The page is at http://localhost:{port} . From another machine: ssh -L"
            f" {port}:localhost:{port} {socket.gethostname()}, and open it there."
        )
        return
    robot.warn(
        f"The page is at http://{options.address}:{port} . Everybody who can reach this machine"
        " there sees what the camera sees, and decides what is followed: there is no password, and"
        " nothing is encrypted. --address 127.0.0.1 keeps it to this machine and to ssh."
    )
