# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node's life: every transition, in every order, and nothing left behind."""

from __future__ import annotations

import gc
import threading
import weakref
from types import SimpleNamespace

import pytest
from rclpy.parameter import Parameter
from stage import Stage, header, order, transition
from std_srvs.srv import Trigger

from vos_ros.ros import results
from vos_ros.ros.frame_buffer import FrameBuffer
from vos_ros.ros.frame_failures import FrameFailures
from vos_ros.ros.statistics import Counter, Statistics
from vos_ros.ros.troubles import Troubles
from vos_ros.weights import WeightsError


def entities(stage: Stage) -> tuple[set[str], set[str], int, int]:
    """The node's topics out and in, and how many timers and worker threads there are."""
    namespace = stage.node.get_namespace()
    outs = stage.node.get_publisher_names_and_types_by_node("vos", namespace)
    ins = stage.node.get_subscriber_names_and_types_by_node("vos", namespace)
    workers = [thread for thread in threading.enumerate() if thread.name == "vos_worker"]
    return (
        {name for name, _ in outs},
        {name for name, _ in ins},
        len(list(stage.node.timers)),
        len(workers),
    )


def test_it_becomes_active_by_itself(make_stage):
    stage = make_stage(autostart=True)
    assert stage.state == "active"


def test_it_waits_for_a_manager_when_told_to(make_stage):
    stage = make_stage(autostart=False)
    assert stage.state == "unconfigured"
    for label, state in (
        ("configure", "inactive"),
        ("activate", "active"),
        ("deactivate", "inactive"),
        ("cleanup", "unconfigured"),
    ):
        assert stage.change(label)
        assert stage.state == state


def test_nothing_is_built_before_it_is_spun(make_stage):
    stage = make_stage(autostart=True)
    assert not any(name.endswith("/mask") for name in entities(stage)[0])


def test_each_transition_undoes_its_counterpart(make_stage):
    stage = make_stage()
    unconfigured = entities(stage)
    base = stage.node.get_namespace()
    for _ in range(5):
        assert stage.change("configure")
        configured = entities(stage)
        names = ("mask", "presence", "confidence", "camera_info", "overlay", "overlay/compressed")
        results = {f"{base}/vos/{name}" for name in names}
        assert configured[0] - unconfigured[0] == results
        assert configured[1:] == unconfigured[1:]
        assert stage.change("activate")
        active = entities(stage)
        assert active[0] == configured[0]
        assert active[1] - configured[1] == {f"{base}/image"}
        assert (active[2], active[3]) == (configured[2] + 1, configured[3] + 1)
        assert stage.change("deactivate")
        assert entities(stage) == configured
        assert stage.change("cleanup")
        assert entities(stage) == unconfigured


def test_cycles_while_following_leave_nothing(make_stage):
    stage = make_stage()
    unconfigured = entities(stage)
    for _ in range(3):
        stage.activate()
        stage.send(1)
        assert stage.call(order()).success
        assert stage.presence_topics() == {1, 2, 3}
        assert stage.change("deactivate")
        assert stage.change("cleanup")
        assert entities(stage) == unconfigured
        assert stage.node.statistics == Statistics()


def test_cleaning_up_frees_memory_at_once(make_stage):
    stage = make_stage()
    gc.collect()
    others = [it for it in gc.get_objects() if isinstance(it, FrameBuffer)]
    gc.disable()  # which may not come for minutes otherwise
    try:
        stage.activate()
        stage.send(1)
        assert stage.call(order()).success
        there = [it for it in gc.get_objects() if isinstance(it, FrameBuffer)]
        held = [weakref.ref(it) for it in there if not any(it is other for other in others)]
        del there
        assert held
        assert stage.change("deactivate")
        assert stage.change("cleanup")
        assert not any(buffer() for buffer in held)
    finally:
        gc.enable()


def test_what_is_followed_outlives_a_pause_but_not_a_cleanup(make_stage):
    stage = make_stage().activate()
    stage.send(1)
    assert stage.call(order((1, 2), names=["cup", "ball"])).success
    stage.mask_of(1)
    assert stage.change("deactivate")
    assert stage.presence_topics() == {1, 2}
    assert stage.change("activate")
    stage.until(stage.camera.get_subscription_count)
    # What was seen before the pause is no frame that a mask could refer to.
    assert "No image has come on" in stage.call(order()).message
    stage.send(2)
    stage.mask_of(2)
    stage.until(lambda: stage.presences[-1].header == header(2))
    assert [o.name for o in stage.presences[-1].objects] == ["cup", "ball"]
    assert stage.node.statistics.received == 2
    assert stage.change("deactivate")
    assert stage.change("cleanup")
    stage.segmenter.reset()
    stage.activate()
    stage.send(3)
    assert stage.call(Trigger.Request()).message == "Nothing was being followed."


@pytest.mark.parametrize("state", ["unconfigured", "inactive", "active"])
def test_it_can_be_shut_down_from_any_state(make_stage, state: str):
    stage = make_stage()
    before = entities(stage)
    steps = {"unconfigured": 0, "inactive": 1, "active": 2}[state]
    for label in ("configure", "activate")[:steps]:
        assert stage.change(label)
    if state == "active":
        stage.until(stage.camera.get_subscription_count)
        stage.send(1)
        assert stage.call(order()).success
    request = transition("")
    request.transition.id = {"unconfigured": 5, "inactive": 6, "active": 7}[state]
    assert stage.call(request).success
    assert stage.state == "finalized"
    assert entities(stage) == before


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (WeightsError("there is no weight file x"), "There is no weight file x."),
        (RuntimeError("broken inside"), "Broken inside.\nTraceback"),
    ],
)
def test_a_failed_configuration_says_why_and_leaves_nothing(make_stage, capfd, error, words):
    stage = make_stage()
    before = entities(stage)
    stage.make_error = error
    assert not stage.change("configure")
    assert stage.state == "unconfigured"
    assert entities(stage) == before
    assert f"Cannot be configured. {words}" in capfd.readouterr().err
    stage.make_error = None
    stage.activate()
    assert stage.state == "active"


def test_a_configuration_that_fails_half_way_takes_back_the_first_half(make_stage, monkeypatch):
    stage = make_stage()
    before = entities(stage)

    def fail(*_, **__):
        raise RuntimeError("no presence topics today")

    with monkeypatch.context() as patch:
        patch.setattr(results, "PresenceTopics", fail)
        assert not stage.change("configure")
    assert entities(stage) == before
    assert stage.change("configure")


def test_an_activation_that_fails_half_way_takes_back_the_first_half(make_stage, monkeypatch):
    stage = make_stage()
    assert stage.change("configure")
    before = entities(stage)

    def fail(*_, **__):
        raise RuntimeError("no subscriptions today")

    with monkeypatch.context() as patch:
        patch.setattr(stage.node, "create_subscription", fail)
        assert not stage.change("activate")
    assert stage.state == "inactive"
    assert entities(stage) == before
    assert stage.change("activate")
    assert stage.state == "active"


def test_a_wrong_starting_value_fails_the_configuration_until_it_is_put_right(make_stage, capfd):
    stage = make_stage(internal_size=7, autostart=True)
    assert stage.state == "unconfigured"
    said = capfd.readouterr().err
    assert "Parameter 'internal_size' must be from 64 to 1440, and was given 7." in said
    stage.node.set_parameters([Parameter("internal_size", value=128)])
    assert stage.change("configure")


def test_calls_are_answered_in_every_state(make_stage):
    stage = make_stage()
    answer = stage.call(order())
    assert not answer.success
    assert answer.message == "The node is not configured; configure and activate it first."
    assert stage.change("configure")
    for request in (order(), Trigger.Request()):
        answer = stage.call(request)
        assert not answer.success
        assert answer.message == "The node is configured but not active; activate it first."


def test_a_wrong_transition_is_refused(make_stage):
    stage = make_stage()
    assert stage.change("configure")
    with pytest.raises(AssertionError):
        assert stage.change("cleanup_everything")
    assert stage.state == "inactive"


def test_destroying_the_node_at_work_ends_its_thread(context):
    others = set(threading.enumerate())
    stage = Stage(context, "/life").activate()
    stage.send(1)
    assert stage.call(order()).success
    stage.close()
    assert not any(t.name == "vos_worker" for t in set(threading.enumerate()) - others)


def test_a_frame_in_hand_when_a_signal_comes_is_no_failure(make_stage):
    node, counter = make_stage().node, Counter()
    failures = FrameFailures(node, counter, Troubles())
    failures.failed(RuntimeError("the network broke"))
    assert counter.counts()["failed"] == 1
    over = SimpleNamespace(context=SimpleNamespace(ok=lambda: False), get_logger=node.get_logger)
    after = FrameFailures(over, counter, Troubles())
    after.failed(RuntimeError("publisher's context is invalid"))
    assert counter.counts()["failed"] == 1
