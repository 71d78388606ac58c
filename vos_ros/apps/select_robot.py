# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Camera and node, as the page's server wants them: ROS on one thread, asyncio on another."""

from __future__ import annotations

import asyncio
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import rclpy
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from std_srvs.srv import Trigger

from vos_msgs.srv import InitMask, LoadTargets, RemoveObject, SaveTargets
from vos_ros.apps.node_options import declared_options
from vos_ros.apps.select import Options
from vos_ros.ros.frames import CameraFrame, to_rgb
from vos_ros.ros.images import ImageError, mask_to_labels
from vos_ros.ros.onlooker import Onlooker
from vos_ros.ros.sights import Sight
from vos_ros.ros.vos_client import init_request, with_image
from vos_ros.web.robot import Answer, SeenObject, Status, View

_LINGER = 5.0  # s for which images are still taken in when the last page has gone
_POLL = 0.5  # s after which the executor looks whether it is to end


class RosRobot:
    """A `vos_ros.web.robot.Robot`. Made and used on the thread of a running event loop.

    Args:
        defaults: value of each field of `Options` where no ROS parameter is given.
        arguments: the command line, for the ROS arguments in it.

    Raises:
        OptionError: a parameter has an impossible value.
    """

    def __init__(self, defaults: Mapping[str, object], arguments: Sequence[str] = ()) -> None:
        self._loop = asyncio.get_running_loop()
        self._fresh = asyncio.Condition()
        self._watchers = 0
        self._view: View | None = None
        self._ended = False
        self._context = Context()
        rclpy.init(
            args=list(arguments),
            context=self._context,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        try:
            self.options = options = _read_options(defaults, self._context)
            self._node = Onlooker(
                options.node, options.image, options.compressed, self._show, context=self._context
            )
        except BaseException:
            rclpy.try_shutdown(context=self._context)
            raise
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, name="select_ros", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Leave ROS."""
        self._ended = True
        self._executor.wake()
        self._thread.join()
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def say(self, text: str) -> None:
        """Write a line to the log."""
        self._node.get_logger().info(text)

    def warn(self, text: str) -> None:
        """Write a warning to the log."""
        self._node.get_logger().warning(text)

    # Looking -----------------------------------------------------------------------------------

    @contextmanager
    def watching(self) -> Iterator[None]:
        """See `Robot`."""
        self._watchers += 1
        self._node.wanted = True
        try:
            yield
        finally:
            self._watchers -= 1
            self._loop.call_later(_LINGER, self._rest)

    def _rest(self) -> None:
        self._node.wanted = self._watchers > 0

    async def newer_than(self, serial: int) -> View:
        """See `Robot`."""
        async with self._fresh:
            await self._fresh.wait_for(lambda: self._view and self._view.serial > serial)
            assert self._view is not None
            return self._view

    def status(self) -> Status:
        """See `Robot`."""
        known = self._node.sees()
        presence = known.pop("presence")
        return Status(**known, objects=_objects(presence))

    # Asking ------------------------------------------------------------------------------------

    async def follow(self, view: View, labels: np.ndarray, name: str) -> Answer:
        """See `Robot`."""
        frame = _Reader.frame_of(view)
        request = init_request(labels, frame.header, [name], keep_existing=True)
        answer = await self._ask(request)
        if answer.success or not self._node.client.is_ready:
            return answer
        # Drawing takes a while: the node may not hold that image any more.
        with_its_image = await asyncio.to_thread(with_image, request, frame.message)
        return await self._ask(with_its_image)

    async def remove(self, object_id: int) -> Answer:
        """See `Robot`."""
        return await self._ask(RemoveObject.Request(id=object_id))

    async def reset(self) -> Answer:
        """See `Robot`."""
        return await self._ask(Trigger.Request())

    async def save(self, name: str) -> Answer:
        """See `Robot`."""
        return await self._ask(SaveTargets.Request(name=name))

    async def load(self, name: str, keep_existing: bool) -> Answer:
        """See `Robot`."""
        return await self._ask(LoadTargets.Request(name=name, keep_existing=keep_existing))

    async def _ask(self, request: InitMask.Request | Any) -> Answer:
        client = self._node.client
        if not client.is_ready:
            return Answer(False, f"There is no node {client.node_name}. Start it, and try again.")
        done = self._loop.create_future()
        # In its own thread, for sending an image takes time.
        future = await asyncio.to_thread(client.ask, request)
        future.add_done_callback(lambda _: self._from_ros(_settle, done))
        try:
            await asyncio.wait_for(done, self.options.timeout)
        except asyncio.TimeoutError:
            client.forget(request, future)
            waited = f"{self.options.timeout:g} s"
            return Answer(False, f"{client.node_name} did not answer within {waited}.")
        response = future.result()
        return Answer(bool(response.success), str(response.message))

    # From ROS's thread -------------------------------------------------------------------------

    def _spin(self) -> None:
        while self._context.ok() and not self._ended:
            try:
                self._executor.spin_once(timeout_sec=_POLL)
            except ExternalShutdownException:
                return
            except Exception:
                if self._context.ok():
                    self._node.get_logger().error(traceback.format_exc())

    def _show(self, sight: Sight) -> None:
        self._from_ros(self._take, sight)

    def _from_ros(self, callback: Callable[..., object], *given: Any) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(callback, *given)

    def _take(self, sight: Sight) -> None:
        self._view = _view_of(sight)
        self._loop.create_task(self._tell())

    async def _tell(self) -> None:
        async with self._fresh:
            self._fresh.notify_all()


class _Reader:
    """Reads a view's image; remembers the message it is in."""

    def __init__(self, frame: CameraFrame) -> None:
        self.frame = frame

    def __call__(self) -> np.ndarray:
        return to_rgb(self.frame.message)

    @staticmethod
    def frame_of(view: View) -> CameraFrame:
        assert isinstance(view.image, _Reader)
        return view.image.frame


def _settle(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)


def _view_of(sight: Sight) -> View:
    labels = None
    if sight.mask is not None:
        with suppress(ImageError):
            labels = mask_to_labels(sight.mask).astype(np.uint8, copy=False)
    reader = _Reader(sight.frame)
    return View(sight.serial, sight.frame.stamp_ns, reader, labels, _objects(sight.presence))


def _objects(presence: Any) -> tuple[SeenObject, ...]:
    return tuple(
        SeenObject(item.id, item.name, item.present, round(item.score, 3), item.doubtful)
        for item in (presence.objects if presence is not None else ())
    )


def _read_options(defaults: Mapping[str, object], context: Context) -> Options:
    """The options, by their ROS parameters where those are given."""
    # The node that is made of the options must exist to be asked for them.
    node = Node("vos_select", context=context)
    try:
        return declared_options(node, Options, defaults)
    finally:
        node.destroy_node()
