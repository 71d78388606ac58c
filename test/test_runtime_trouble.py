# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node says when its network is not compiled as it was to be."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from stage import Stage, order
from test_diagnostics import Listener
from test_node_log import heard, log_of

from vos_ros.ros import diagnostics

REASON = "RuntimeError: no such operation"


def test_steps_that_are_not_compiled_are_told_once_and_on_diagnostics(
    make_stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnostics, "PERIOD_SECONDS", 0.02)
    stage = make_stage().activate()
    said, listener = log_of(stage), Listener(stage)
    stage.send(0)
    assert stage.call(order()).success
    stage.mask_of(0)
    listener.wait("device", lambda s: (s.level, s.values["not compiled"]) == (0, "nothing"))
    stage.segmenter.runtime_trouble = REASON
    for number in (1, 2):
        stage.send(number)
        stage.mask_of(number)
    assert "runtime:=torch" in heard(stage, said, REASON)
    status = listener.wait("device", lambda s: s.level == 1)
    assert status.values["not compiled"] == REASON
    assert REASON in status.message and "runtime:=torch" in status.message
    stage.send(3)
    stage.mask_of(3)
    assert sum(REASON in line for line in said) == 1
