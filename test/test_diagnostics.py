# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the node tells on /diagnostics: by itself, and by diagnostic_updater."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from document_tables import table_rows
from stage import Stage, order
from std_srvs.srv import Trigger

from vos_ros.ros import diagnostics
from vos_ros.ros.health import REPORTS
from vos_ros.weights import WeightsError

DOCUMENT = Path(__file__).parents[1] / "docs" / "diagnostics.md"


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many a second, so that no test waits for long."""
    monkeypatch.setattr(diagnostics, "PERIOD_SECONDS", 0.02)


class StandInUpdater:
    """The part of diagnostic_updater's Updater that is used here, as its documentation has it."""

    def __init__(self, node: Any, period: float = 1.0) -> None:
        self._node, self._tasks, self._hardware = node, [], ""
        self.publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 1)
        self.timer = node.create_timer(period, self.update)

    def setHardwareID(self, name: str) -> None:  # noqa: N802
        self._hardware = name

    def add(self, name: str, task: Callable[[DiagnosticStatus], DiagnosticStatus]) -> None:
        self._tasks.append((name, task))

    def update(self) -> None:
        array = DiagnosticArray()
        array.header.stamp = self._node.get_clock().now().to_msg()
        for name, task in self._tasks:
            status = task(DiagnosticStatus(level=DiagnosticStatus.ERROR, name=name))
            status.name = f"{self._node.get_name()}: {status.name}"
            status.hardware_id = self._hardware
            array.status.append(status)
        self.publisher.publish(array)


def stand_in() -> ModuleType:
    module = ModuleType("diagnostic_updater")
    module.Updater = StandInUpdater
    return module


@pytest.fixture(params=["own", "stand-in", "installed"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each way to publish; the installed updater only where it is."""
    if request.param == "installed":
        pytest.importorskip("diagnostic_updater")
    else:
        module = stand_in() if request.param == "stand-in" else None
        monkeypatch.setitem(sys.modules, "diagnostic_updater", module)
    return request.param


class Listener:
    """Keeps what a stage's node says on /diagnostics."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._own = stage.node.get_fully_qualified_name()
        self.arrays: list[DiagnosticArray] = []
        self.subscription = stage.client.create_subscription(
            DiagnosticArray, "/diagnostics", self._keep, 10
        )

    def _keep(self, array: DiagnosticArray) -> None:
        # Other nodes of this process are heard here too.
        if array.status[0].hardware_id == self._own and len(array.status) == len(REPORTS):
            self.arrays.append(array)

    def wait(self, name: str, condition: Callable[[SimpleNamespace], bool]) -> SimpleNamespace:
        """Wait for a status that was so at any time, and return the last such."""
        place = list(REPORTS).index(name)

        def found() -> bool:
            return any(condition(_read(array.status[place])) for array in self.arrays)

        self._stage.until(found, f"the status '{name}' to be so")
        return next(
            status
            for array in reversed(self.arrays)
            if condition(status := _read(array.status[place]))
        )


def _read(status: DiagnosticStatus) -> SimpleNamespace:
    return SimpleNamespace(
        level=status.level[0],
        message=status.message,
        values={entry.key: entry.value for entry in status.values},
    )


def test_the_node_tells_how_it_is_from_beginning_to_end(make_stage, way):
    stage = make_stage()
    listener = Listener(stage)
    listener.wait("node", lambda s: s.values.get("state") == "unconfigured")
    stage.activate()
    listener.wait("node", lambda s: s.values["configured as"] == "colours")
    listener.wait("device", lambda s: "(MB)" in "".join(s.values))
    stage.send(0)
    assert stage.call(order((1, 2))).success
    for number in range(1, 5):
        stage.send(number, (1,))
        stage.mask_of(number)
    masks = listener.wait("masks", lambda s: s.values["processed"] == "5")
    parts = ["wait", "convert", "upload", "step", "download", "inference", "publish"]
    assert all(float(masks.values[f"{part} (ms)"]) >= 0 for part in parts)
    # As the stand-in for the network says that they were.
    said = [masks.values[f"{part} (ms)"] for part in ("upload", "step", "download")]
    assert [float(value) for value in said] == pytest.approx([1, 4, 2], rel=1e-3)
    objects = listener.wait("objects", lambda s: s.values["lost"] == "2")
    assert (objects.level, objects.values["present"]) == (1, "1")
    camera = listener.wait("camera", lambda s: s.values.get("received") == "5")
    assert camera.values["topic"] == f"{stage.node.get_namespace()}/image"
    assert (camera.values["size"], camera.values["encoding"]) == ("64 x 48", "bgr8")
    assert camera.level == 0
    heard = listener.arrays.copy()
    listener.arrays.clear()  # before it was active, no images were taken in either
    assert stage.change("deactivate")
    listener.wait("camera", lambda s: s.message == "No images are taken in.")
    assert [status.name for status in listener.arrays[-1].status] == [
        f"vos: {name}" for name in REPORTS
    ]
    stamps = [a.header.stamp.sec + a.header.stamp.nanosec / 1e9 for a in heard + listener.arrays]
    assert stamps == sorted(stamps) and stamps[0] > 1e9


def test_a_refused_request_and_a_failed_frame_are_told(make_stage):
    stage = make_stage().activate()
    listener = Listener(stage)
    assert not stage.call(order(())).success
    status = listener.wait("node", lambda s: s.level == 1)
    assert status.message.startswith("A request was refused. The mask holds no object:")
    assert status.values["last error"] == status.message
    stage.send(0)
    assert stage.call(order()).success
    stage.segmenter.error = RuntimeError("out of luck")
    stage.send(1)
    status = listener.wait("node", lambda s: s.level == 2)
    assert status.message == "A frame failed. Out of luck."
    listener.wait("masks", lambda s: "that failed lately: 1." in s.message)
    broken = stage.node.statistics.rejected
    stage.send_message(type(stage.masks[0])(width=3, height=3, encoding="smoke"))
    assert stage.node.statistics.rejected == broken + 1
    listener.wait("camera", lambda s: s.level == 1 and "1 of the last" in s.message)


def test_a_failed_configuration_is_an_error_until_it_succeeds(make_stage):
    stage = make_stage()
    stage.make_error = WeightsError("there is no weight file x")
    listener = Listener(stage)
    assert not stage.change("configure")
    words = "Cannot be configured. There is no weight file x."
    listener.wait("node", lambda s: (s.level, s.message) == (2, words))
    stage.call(Trigger.Request())
    listener.arrays.clear()
    listener.wait("node", lambda s: (s.level, s.message) == (2, words))
    stage.make_error = None
    stage.activate()
    status = listener.wait("node", lambda s: s.values["state"] == "active")
    assert status.values["last error"] == words


def test_nothing_is_worked_out_while_nobody_listens(make_stage, monkeypatch, way):
    stage = make_stage()
    notes: list[float] = []
    taken: list[object] = []
    note, picture = stage.node._diagnostics._recent.note, stage.node._diagnostics._picture

    def spy_note(now, counts):
        notes.append(now)
        return note(now, counts)

    def spy_picture(lately):
        taken.append(lately)
        return picture(lately)

    monkeypatch.setattr(stage.node._diagnostics._recent, "note", spy_note)
    monkeypatch.setattr(stage.node._diagnostics, "_picture", spy_picture)
    # Earlier tests' listeners may take a moment to be gone.
    publisher = stage.node._diagnostics._publisher
    stage.until(lambda: publisher.get_subscription_count() == 0)
    taken.clear()
    stage.until(lambda: len(notes) > 3)
    assert taken == []
    listener = Listener(stage)
    stage.until(lambda: listener.arrays and taken)
    stage.client.destroy_subscription(listener.subscription)
    stage.until(lambda: publisher.get_subscription_count() == 0)
    count, seen = len(notes), len(taken)
    stage.until(lambda: len(notes) > count + 3)
    assert len(taken) <= seen + 1


def test_the_document_has_every_status_and_every_key(make_stage):
    stage = make_stage().activate()
    listener = Listener(stage)
    stage.send(0)
    assert stage.call(order()).success
    listener.wait("masks", lambda s: s.values["processed"] == "1")
    text = DOCUMENT.read_text(encoding="utf-8")
    for status in listener.arrays[-1].status:
        name = status.name.removeprefix("vos: ")
        section = re.search(rf"^## `vos: {name}`\n(.*?)(?=^## |\Z)", text, re.M | re.S)
        assert section, name
        assert list(table_rows(section[1], "key")) == [entry.key for entry in status.values]
