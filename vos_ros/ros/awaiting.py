# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Awaiting a thread's result in a coroutine that an rclpy executor runs."""

from __future__ import annotations

import concurrent.futures
from contextlib import suppress
from typing import Any

from rclpy.exceptions import InvalidHandle
from rclpy.executors import Executor
from rclpy.task import Future


async def result_of(future: concurrent.futures.Future[Any], executor: Executor) -> Any:
    """Return the future's result, or raise what it carries, without holding up the executor.

    rclpy's executors look at a waiting coroutine again when something wakes them, and nothing that
    happens on another thread does that by itself. So the executor is woken, after the result is
    in place: a single-threaded executor that is woken later than it looked looks once more.
    """
    arrived: Future = Future(executor=executor)

    def wake(_: concurrent.futures.Future[Any]) -> None:
        arrived.set_result(None)
        # When the executor is gone, so is whoever waited.
        with suppress(InvalidHandle):
            executor.wake()

    future.add_done_callback(wake)
    await arrived
    return future.result()
