# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tells on `/diagnostics`, once a second, how the node is doing (REP 107).

By diagnostic_updater where that is installed, for its parameters are what people know; otherwise
by a timer and a publisher of our own, with the same messages.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from types import ModuleType
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from vos_ros.ros.health import REPORTS
from vos_ros.ros.picture import Picture
from vos_ros.ros.statistics import Lately, RecentCounts

PERIOD_SECONDS = 1.0
TOPIC = "/diagnostics"


class Diagnostics:
    """Publishes the reports of `health` for as long as the node is there, whatever its state.

    While nobody subscribes to `/diagnostics`, all that is done is to note the counts, once a
    second. All of it belongs to the node's executor.

    Args:
        node: whose health it is. The statuses are called by its name, and by its full name in
            the field for the hardware, which tells nodes in different namespaces apart.
        counts: tells the counts of `Statistics`, by name; asked every second.
        picture: tells how the node is, given what is new; asked while somebody subscribes.
    """

    def __init__(
        self,
        node: Node,
        counts: Callable[[], Mapping[str, int]],
        picture: Callable[[Lately], Picture],
    ) -> None:
        self._node = node
        self._counts = counts
        self._picture = picture
        self._recent = RecentCounts()
        self._statuses: dict[str, DiagnosticStatus] = {}
        updating = _find_updating()
        if updating is None:
            self._publisher = node.create_publisher(DiagnosticArray, TOPIC, 1)
            steady = Clock(clock_type=ClockType.STEADY_TIME)
            node.create_timer(PERIOD_SECONDS, self._publish, clock=steady)
        else:
            self._leave_to(updating.Updater(node, PERIOD_SECONDS))

    def _leave_to(self, updater: Any) -> None:
        self._publisher = updater.publisher
        updater.setHardwareID(self._node.get_fully_qualified_name())
        for name in REPORTS:
            updater.add(name, partial(self._fill, name))

    def _fill(self, name: str, status: DiagnosticStatus) -> DiagnosticStatus:
        """Fill in a status for diagnostic_updater, which asks for all of them, one by one."""
        if name == next(iter(REPORTS)):
            self._statuses = dict(self._tick())
        made = self._statuses.get(name)
        if made is None:
            status.level, status.message = DiagnosticStatus.OK, "Nobody was listening."
        else:
            status.level, status.message, status.values = made.level, made.message, made.values
        return status

    def _publish(self) -> None:
        statuses = dict(self._tick())
        if not statuses:
            return
        for name, status in statuses.items():
            status.name = f"{self._node.get_name()}: {name}"
            status.hardware_id = self._node.get_fully_qualified_name()
        array = DiagnosticArray(status=list(statuses.values()))
        array.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(array)

    def _tick(self) -> Iterator[tuple[str, DiagnosticStatus]]:
        """Note the counts and, where somebody listens, yield each status by its name."""
        lately = self._recent.note(time.perf_counter(), self._counts())
        if not self._publisher.get_subscription_count():
            return
        picture = self._picture(lately)
        for name, make in REPORTS.items():
            report = make(picture)
            yield (
                name,
                DiagnosticStatus(
                    level=bytes([report.level]),
                    message=report.message,
                    values=[KeyValue(key=key, value=text) for key, text in report.values.items()],
                ),
            )


def _find_updating() -> ModuleType | None:
    with suppress(ImportError):
        import diagnostic_updater

        return diagnostic_updater
    return None
