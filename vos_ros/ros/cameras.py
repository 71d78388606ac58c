# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several cameras in one process: a node for each, and one network for all."""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.utilities import remove_ros_args

from vos_ros.ros.camera_choice import CameraChoice, read_cameras
from vos_ros.ros.exit_signals import ExitSignals
from vos_ros.ros.node import VosNode
from vos_ros.ros.spinning import spin

if TYPE_CHECKING:
    from vos_ros.ros.shared_networks import CameraNetwork

EXIT_SECONDS = 3.0
"""How long the cameras may take to end; each gives up a step that does not end after a second."""
WATCH_SECONDS = 1.0


class CameraNode(VosNode):
    """The node of one camera among several, which share their networks.

    Args:
        network: what it builds its segmenter with.
        rest: as for any node.
    """

    def __init__(self, network: CameraNetwork, **rest: Any) -> None:
        self._network = network
        super().__init__(network.build, **rest)

    def _release(self) -> None:
        try:
            super()._release()
        finally:
            self._network.let_go()


class CameraThread:
    """A camera's node on a thread of its own, where nothing that others do holds it up.

    Args:
        camera: whose node it is.
        network: what it builds its segmenter with.
        signals: end it.
        rest: for the node.
    """

    def __init__(
        self, camera: CameraChoice, network: CameraNetwork, signals: ExitSignals, **rest: Any
    ) -> None:
        self.node = CameraNode(network, cli_args=camera.ros_arguments, **rest)
        self._signals = signals
        self._executor = SingleThreadedExecutor(context=self.node.context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._run, name=f"vos_{camera.name}", daemon=True)

    def start(self) -> None:
        """Run the node until it is to end, and then take it down."""
        self._thread.start()

    def ended(self, timeout: float) -> bool:
        """Whether it has been taken down, within so many seconds from now."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            with suppress(ExternalShutdownException):
                spin(self._executor, self.node, self._signals)
        finally:
            self.node.destroy_node()
            self._executor.shutdown()


def run(cameras: Iterable[CameraChoice], signals: ExitSignals, **rest: Any) -> bool:
    """Run a node for each camera until the process is to end.

    Args:
        cameras: with different names.
        signals: installed; end it.
        rest: for every node.

    Returns:
        Whether all have ended; else something still runs that cannot be stopped.
    """
    # PyTorch takes a second or two to load.
    from vos_ros.ros.shared_networks import CameraNetwork, SharedNetworks

    networks = SharedNetworks()
    threads = [CameraThread(camera, CameraNetwork(networks), signals, **rest) for camera in cameras]
    for thread in threads:
        thread.start()
    while not signals.came and not all(thread.ended(WATCH_SECONDS) for thread in threads):
        pass
    end = time.monotonic() + EXIT_SECONDS
    # Of each, for this waits for them.
    ended = [thread.ended(max(0.0, end - time.monotonic())) for thread in threads]
    return all(ended)


def main(args: Sequence[str] | None = None) -> int:
    """Run the cameras named on the command line until SIGINT or SIGTERM.

    Args:
        args: command line without the program's name; the process's own by default.

    Returns:
        The exit status: 0 after a signal.
    """
    given = list(sys.argv[1:] if args is None else args)
    cameras = _read(remove_ros_args(["cameras", *given])[1:])
    signals = ExitSignals()
    signals.install()
    rclpy.init(args=given)
    try:
        all_ended = run(cameras, signals)
    finally:
        rclpy.try_shutdown()
    signals.ignore()
    if not all_ended or any(thread.name.startswith("vos_") for thread in threading.enumerate()):
        # Threads in the middle of a computation cannot be ended, and would crash in an interpreter
        # that is being taken down around them.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
    return 0


def _read(arguments: Sequence[str]) -> list[CameraChoice]:
    parser = argparse.ArgumentParser(
        prog="cameras",
        usage="cameras NAME=TOPIC [NAME=TOPIC ...] [--ros-args -p PARAMETER:=VALUE ...]",
        description="Follow objects in the images of several cameras: a node for each, called NAME,"
        " in one process that holds the network once.",
        epilog="A parameter is every camera's, -p NAME:PARAMETER:=VALUE one's. `vos --help` lists"
        " the parameters.",
    )
    parser.add_argument(
        "cameras",
        nargs="*",
        metavar="NAME=TOPIC",
        help="the name of a camera's node, and the topic of its images",
    )
    try:
        return read_cameras(parser.parse_args(arguments).cameras)
    except ValueError as error:
        parser.error(str(error))
