# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node says aloud which objects may have been taken for one another, and which were."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from stage import Stage, order, picture
from test_diagnostics import Listener
from test_node_log import heard, log_of

from vos_ros.ros import diagnostics


@pytest.fixture
def stage(make_stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch) -> Stage:
    """An active node that follows three objects."""
    monkeypatch.setattr(diagnostics, "PERIOD_SECONDS", 0.02)
    stage = make_stage().activate()
    stage.send(0)
    assert stage.call(order()).success
    stage.mask_of(0)
    return stage


def test_objects_in_doubt_and_those_put_right_are_told_once(stage: Stage):
    said, listener = log_of(stage), Listener(stage)
    segment, result = stage.segmenter._segment, {}
    stage.segmenter._segment = lambda image: dataclasses.replace(segment(image), **result)
    listener.wait("objects", lambda s: (s.level, s.values["may be swapped"]) == (0, "none"))
    result["doubts"] = ((1, 3),)
    for number in (1, 2):
        stage.send(number)
        stage.mask_of(number)
    assert "keep_existing" in heard(stage, said, "Objects 1 and 3 met or were out of sight")
    status = listener.wait("objects", lambda s: s.values["may be swapped"] == "1 and 3")
    assert (status.level, status.message) == (1, "Objects 1 and 3 may have been swapped.")
    result.update(doubts=(), exchanged=((1, 3),))
    stage.send(3)
    stage.mask_of(3)
    heard(stage, said, "Objects 1 and 3 had been taken for one another")
    result["exchanged"] = ()
    stage.send(4)
    stage.mask_of(4)
    status = listener.wait("objects", lambda s: s.values["swaps undone"] == "1")
    assert (status.level, status.values["may be swapped"]) == (0, "none")
    objects = segment(picture(5)).objects
    odd = dataclasses.replace(objects[1], doubtful=True)
    result["objects"] = (objects[0], odd, objects[2])
    for number in (5, 6):
        stage.send(number)
        stage.mask_of(number)
    assert "keep_existing" in heard(stage, said, "What is taken for object 2")
    status = listener.wait("objects", lambda s: s.values["may be something else"] == "2")
    assert (status.level, status.message) == (1, "May be something else: 2.")
    told = stage.presences[-1].objects[1]
    assert (told.id, told.doubtful, list(told.rivals)) == (2, True, [])
    swapped = dataclasses.replace(odd, rivals=(1, 3))
    result["objects"] = (objects[0], swapped, objects[2])
    stage.send(7)
    stage.mask_of(7)
    stage.until(lambda: list(stage.presences[-1].objects[1].rivals) == [1, 3], "the rivals")
    assert [item.doubtful for item in stage.presences[-1].objects] == [False, True, False]
    result.pop("objects")
    reports = (
        "does not look like it",
        "met or were out of sight",
        "had been taken for one another",
    )
    for words in reports:
        assert sum(words in line for line in said) == 1
    assert stage.call(order((1, 2))).success
    listener.wait("objects", lambda s: s.values["followed"] == "1, 2" and s.level == 0)
