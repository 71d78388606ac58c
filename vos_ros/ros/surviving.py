# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node that goes on when one of its callbacks fails.

rclpy raises what a callback raises wherever the node is spun, which ends the process. A robot is
better off with a node that says what failed and goes on with the rest. Services are another
matter, for somebody waits for their answer: see `answering`.
"""

from __future__ import annotations

import functools
import inspect
import traceback
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.lifecycle import LifecycleNode, LifecyclePublisher
from rclpy.publisher import Publisher
from rclpy.subscription import Subscription
from rclpy.timer import Timer

from vos_ros.ros.bounded_log import BoundedLog
from vos_ros.ros.requests import sentence
from vos_ros.ros.troubles import Troubles

FAILED = "callbacks failed"
REFUSED = "requests were refused"
"""Kinds of lines that are bounded."""
_TICK_SECONDS = 1.0


class SurvivingNode(LifecycleNode):
    """A lifecycle node whose timers, subscriptions and events may fail without ending it.

    Attributes:
        troubles: told what failed.
        bounded: says so in the log, so often and no more.

    Args:
        name: of the node.
        rest: as for any node.
    """

    def __init__(self, name: str, **rest: Any) -> None:
        # Before rclpy's own part, which makes callbacks already.
        self.troubles = Troubles()
        self.bounded = BoundedLog()
        super().__init__(name, **rest)
        self.create_timer(_TICK_SECONDS, self._tick, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _tick(self) -> None:
        self.bounded.tick()
        # rclpy keeps a reference for everything that it ever made, which grows with every object
        # that is followed for a while, and every activation.
        known = self.default_callback_group.entities
        known.difference_update([reference for reference in list(known) if reference() is None])

    # A logger of rclpy wants one severity for each line of the program that calls it.

    def warn(self, text: str) -> None:
        """Say a warning in the log, from any place."""
        self.get_logger().warning(text)

    def error(self, text: str) -> None:
        """Say an error in the log, from any place."""
        self.get_logger().error(text)

    def survived(self, what: str, error: BaseException) -> None:
        """Report that something failed, with its traceback; never raises."""
        with suppress(Exception):
            if not self.context.ok():
                return  # after a shutdown everything fails, and nobody can be told
            text = f"{what} failed, and the node goes on. {sentence(error)}"
            self.troubles.note(text, serious=True)
            trace = "".join(traceback.format_exception(error))
            self.bounded.say(FAILED, f"{text}\n{trace}", self.error)

    @contextmanager
    def reporting(self, what: str) -> Iterator[None]:
        """Report what the block raises, and let it go on its way.

        For transitions: rclpy takes what they raise for an error of theirs, and says nothing.
        """
        try:
            yield
        except Exception as error:
            self.survived(what, error)
            raise

    def guarded(self, callback: Callable[..., Any], what: str) -> Callable[..., Any]:
        """A callback, of either kind, that reports what it raises and returns None then.

        Args:
            callback: a function or a coroutine function.
            what: what it is, to begin a sentence with.
        """
        if inspect.iscoroutinefunction(callback):

            @functools.wraps(callback)
            async def waiting(*given: Any, **named: Any) -> Any:
                try:
                    return await callback(*given, **named)
                except Exception as error:
                    self.survived(what, error)

            return waiting

        @functools.wraps(callback)
        def called(*given: Any, **named: Any) -> Any:
            try:
                return callback(*given, **named)
            except Exception as error:
                self.survived(what, error)

        return called

    def run_later(self, task: Callable[..., Coroutine[Any, Any, Any]], *given: Any) -> None:
        """Have the executor run a coroutine function."""
        assert self.executor is not None  # nothing happens in a node that nobody spins
        self.executor.create_task(self.guarded(task, "A task"), *given)

    # What rclpy makes callbacks of --------------------------------------------------------------

    def create_timer(
        self, timer_period_sec: float, callback: Callable[..., Any], *args: Any, **rest: Any
    ) -> Timer:
        """As a node's; the callback may fail."""
        guarded = self.guarded(callback, "A timer")
        return super().create_timer(timer_period_sec, guarded, *args, **rest)

    def create_subscription(
        self, msg_type: type, topic: str, callback: Callable[..., Any], *args: Any, **rest: Any
    ) -> Subscription:
        """As a node's; the callback and those for events may fail."""
        what = f"Taking in a message on {topic}"
        rest = self._with_guarded_events(rest, topic)
        guarded = self.guarded(callback, what)
        return super().create_subscription(msg_type, topic, guarded, *args, **rest)

    def create_publisher(self, msg_type: type, topic: str, *args: Any, **rest: Any) -> Publisher:
        """As a node's; callbacks for events may fail."""
        rest = self._with_guarded_events(rest, topic)
        return super().create_publisher(msg_type, topic, *args, **rest)

    def create_lifecycle_publisher(
        self, msg_type: type, topic: str, *args: Any, **rest: Any
    ) -> LifecyclePublisher:
        """As a lifecycle node's; callbacks for events may fail."""
        rest = self._with_guarded_events(rest, topic)
        return super().create_lifecycle_publisher(msg_type, topic, *args, **rest)

    def _with_guarded_events(self, rest: dict[str, Any], topic: str) -> dict[str, Any]:
        events: PublisherEventCallbacks | SubscriptionEventCallbacks | None
        events = rest.get("event_callbacks")
        if events is None:
            return rest
        for name, callback in vars(events).items():
            if callable(callback):
                setattr(events, name, self.guarded(callback, f"An event of {topic}"))
        return rest
