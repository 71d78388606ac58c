# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What fails inside the node is reported and does not end it, whichever callback it is in."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.impl.implementation_singleton import rclpy_implementation
from stage import Stage, order, truth
from test_diagnostics import Listener
from test_node_log import heard, log_of

from vos_ros.ros import diagnostics, surviving
from vos_ros.ros.spinning import spin
from vos_ros.ros.surviving import FAILED

WRONG = "the cat is on the keyboard"
AS_TOLD = "The cat is on the keyboard."


def breaking(*_: object, **__: object) -> None:
    raise RuntimeError(WRONG)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many a second, so that no test waits for long."""
    monkeypatch.setattr(diagnostics, "PERIOD_SECONDS", 0.02)
    monkeypatch.setattr(surviving, "_TICK_SECONDS", 0.02)


@pytest.fixture
def stage(make_stage: Callable[..., Stage]) -> Stage:
    """An active node that follows something."""
    stage = make_stage().activate()
    stage.send(0)
    assert stage.call(order()).success
    stage.mask_of(0)
    return stage


def check_it_goes_on(stage: Stage, what: str, number: int = 1) -> None:
    """Fail unless the node has told of what failed, and follows the next image."""
    stage.until(lambda: stage.node.bounded.total(FAILED), "the failure to be noticed")
    trouble = stage.node.troubles.last
    assert (trouble.text, trouble.serious) == (f"{what} failed, and the node goes on. {AS_TOLD}", 1)
    stage.send(number)
    np.testing.assert_array_equal(stage.mask_of(number), truth())
    assert stage.state == "active"


def test_a_timer_that_fails_is_reported_in_the_log_and_on_diagnostics(stage):
    said, listener = log_of(stage), Listener(stage)
    timer = stage.node.create_timer(0.01, breaking)
    line = heard(stage, said, "A timer failed, and the node goes on.")
    assert AS_TOLD in line and "Traceback" in line and "in breaking" in line
    stage.until(lambda: stage.node.bounded.total(FAILED) > 8)  # it is called again
    stage.node.destroy_timer(timer)
    count = stage.node.bounded.total(FAILED)
    status = listener.wait("node", lambda s: s.values["callbacks failed"] == str(count))
    assert status.level == 2
    assert status.message == f"A timer failed, and the node goes on. {AS_TOLD}"
    check_it_goes_on(stage, "A timer")
    assert sum("A timer failed" in line for line in said) == 5  # and no more, however many


@pytest.mark.parametrize(
    ("place", "attribute", "what"),
    [
        ("_pipeline.camera._watch", "came", "Taking in a message on image"),
        ("_pipeline.camera._watch", "check", "A timer"),
        ("_pipeline.camera", "_deliver", "Taking in a message on image"),
        ("_diagnostics", "_picture", "A timer"),
    ],
)
def test_the_nodes_own_callbacks_may_fail(stage, monkeypatch, place, attribute, what):
    if attribute == "_picture":
        Listener(stage)  # else nothing is worked out
    owner = stage.node
    for name in place.split("."):
        owner = getattr(owner, name)
    with monkeypatch.context() as broken:
        broken.setattr(owner, attribute, breaking)
        if what != "A timer":
            stage.send(1)
        stage.until(lambda: stage.node.bounded.total(FAILED), "the failure to be noticed")
    check_it_goes_on(stage, what, number=2)


def test_an_event_that_cannot_be_handled_is_survived(stage, monkeypatch):
    camera = stage.node._pipeline.camera
    monkeypatch.setattr(camera._counter, "count", breaking)
    subscription = next(s for s in stage.node.subscriptions if s.topic_name == camera.topic)
    callbacks = [handler.callback for handler in subscription.event_handlers]
    (lost,) = [c for c in callbacks if getattr(c, "__name__", "") == "_lost"]
    lost(SimpleNamespace(total_count_change=1))
    monkeypatch.undo()
    check_it_goes_on(stage, "An event of image")


def test_events_of_the_results_are_guarded_too(stage):
    """Whoever asks too much of them is looked for, which may go wrong."""
    publisher = next(p for p in stage.node.publishers if p.topic_name.endswith("/vos/mask"))
    callbacks = [handler.callback for handler in publisher.event_handlers]
    (notice,) = [c for c in callbacks if getattr(c, "__name__", "") == "notice"]
    notice(SimpleNamespace())  # has nothing of what an event has
    assert stage.node.bounded.total(FAILED) == 1
    assert stage.node.troubles.last.text.startswith("An event of ~/mask failed, and the node goes")


def test_a_request_that_fails_inside_the_node_is_answered(stage, monkeypatch):
    said = log_of(stage)
    # After the request itself: where the answer is completed.
    with monkeypatch.context() as broken:
        broken.setattr(type(stage.node._pipeline), "ids", property(breaking))
        answer = stage.call(order())
    assert (answer.success, list(answer.ids)) == (False, [])
    assert answer.message == f"The request failed inside the node. {AS_TOLD}"
    assert "Traceback" in heard(stage, said, "init_mask failed, and the node goes on.")
    with monkeypatch.context() as broken:
        broken.setattr(stage.segmenter, "start", breaking)
        answer = stage.call(order())
    assert answer.message == f"The request failed inside the node. {AS_TOLD}"
    assert list(answer.ids) == [1, 2, 3]
    check_it_goes_on(stage, "A request")


def test_refusals_and_failures_are_both_said_whichever_comes_first(stage, monkeypatch):
    said = log_of(stage)
    for number in range(2):
        assert not stage.call(order(())).success
        with monkeypatch.context() as broken:
            broken.setattr(stage.segmenter, "start", breaking)
            assert AS_TOLD in stage.call(order()).message
        stage.until(lambda n=number: sum("A request was refused." in s for s in said) == n + 1)
        stage.until(lambda n=number: sum("A request failed," in s for s in said) == n + 1)


def test_a_task_that_fails_is_survived(make_stage, monkeypatch):
    stage = make_stage(on_time_jump="reset").activate()
    stage.send(5)
    assert stage.call(order()).success
    stage.mask_of(5)
    with monkeypatch.context() as broken:
        broken.setattr(stage.node._pipeline, "sync_topics", breaking)
        stage.send(1)  # back in time
        stage.until(lambda: stage.node.bounded.total(FAILED))
    assert stage.node.troubles.last.text == f"A task failed, and the node goes on. {AS_TOLD}"
    stage.send(2)
    assert stage.call(order()).success


@pytest.mark.parametrize("transition", ["deactivate", "cleanup"])
def test_a_transition_that_fails_is_told_and_leaves_a_node_that_can_start_anew(
    stage, monkeypatch, transition
):
    said = log_of(stage)
    if transition == "cleanup":
        assert stage.change("deactivate")
    needed = {
        "deactivate": (stage.node._pipeline, "stop"),
        "cleanup": (stage.node, "destroy_lifecycle_publisher"),
    }
    with monkeypatch.context() as broken:
        broken.setattr(*needed[transition], breaking)
        assert not stage.change(transition)
    doing = {"deactivate": "Deactivating", "cleanup": "Cleaning up"}[transition]
    assert AS_TOLD in heard(stage, said, f"{doing} failed, and the node goes on.")
    assert stage.state == "unconfigured"
    assert stage.change("configure") and stage.change("activate")
    stage.send(7)
    assert stage.call(order()).success


class Executor:
    """Raises what it is given, one after the other, and then has a signal come."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.signals = SimpleNamespace(came=False)

    def spin_once(self, timeout_sec: float) -> None:
        self.signals.came = len(self.errors) <= 1
        if self.errors:
            raise self.errors.pop(0)


def test_what_the_transport_raises_does_not_end_the_node(make_stage, monkeypatch):
    """A message that cannot be taken, an answer to somebody who has gone."""
    monkeypatch.setattr(rclpy, "ok", lambda: True)
    stage = make_stage()
    executor = Executor(
        rclpy_implementation.RCLError(WRONG), RuntimeError(WRONG), ValueError(WRONG)
    )
    spin(executor, stage.node, executor.signals)
    assert executor.errors == []
    assert stage.node.bounded.total(FAILED) == 3
    assert stage.node.troubles.last.text == (
        f"Taking or sending a message failed, and the node goes on. {AS_TOLD}"
    )


@pytest.mark.parametrize("way", [KeyboardInterrupt, ExternalShutdownException])
def test_what_is_to_end_the_node_does(make_stage, monkeypatch, way):
    monkeypatch.setattr(rclpy, "ok", lambda: True)
    stage = make_stage()
    executor = Executor(RuntimeError(WRONG), way(), RuntimeError(WRONG))
    with pytest.raises(way):
        spin(executor, stage.node, executor.signals)
    assert stage.node.bounded.total(FAILED) == 1


def test_after_a_shutdown_nothing_is_said(make_stage, capfd):
    stage = make_stage()
    node = SimpleNamespace(context=SimpleNamespace(ok=lambda: False), bounded=stage.node.bounded)
    surviving.SurvivingNode.survived(node, "A timer", RuntimeError(WRONG))
    assert stage.node.bounded.total(FAILED) == 0
    assert WRONG not in capfd.readouterr().err


def test_a_thousand_refused_requests_write_six_lines_and_each_is_told_why(make_stage):
    stage = make_stage().activate()
    said = log_of(stage)
    listener = Listener(stage)
    stage.node.bounded._seconds = 1e9  # however long the calls take here
    stage.send(0)
    futures = [stage.ask(order((), ids=[number + 1])) for number in range(1000)]
    for future in futures:
        stage.until(future.done, "one of a thousand answers")
        assert not future.result().success
        assert future.result().message.startswith("The mask holds no object: every pixel is 0.")
    listener.wait("node", lambda s: s.values["requests refused"] == "1000")
    stage.node.bounded._seconds = 0.0  # the span is over
    last = heard(stage, said, "more requests were refused")
    assert re.fullmatch(
        r"995 more requests were refused in \S+ s\. The last of them: A request was refused\. The"
        r" mask holds no object: .*",
        last,
    )
    assert sum("A request was refused." in line for line in said) == 5 + 1
    assert stage.call(order()).success
