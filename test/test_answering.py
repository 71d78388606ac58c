# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Requests that rclpy's own services raise for are answered, and the node goes on."""

from __future__ import annotations

import pytest
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import (
    DescribeParameters,
    GetParameters,
    GetParameterTypes,
    ListParameters,
    SetParameters,
    SetParametersAtomically,
)
from stage import Stage

ODD = Parameter(name="overlay_alpha", value=ParameterValue(type=77))
REQUESTS = [
    (SetParameters, "set_parameters", SetParameters.Request(parameters=[ODD])),
    (SetParameters, "set_parameters", SetParameters.Request(parameters=[Parameter()])),
    (
        SetParametersAtomically,
        "set_parameters_atomically",
        SetParametersAtomically.Request(parameters=[ODD]),
    ),
    (GetParameters, "get_parameters", GetParameters.Request(names=["", "no such", "a.b.c"])),
    (GetParameterTypes, "get_parameter_types", GetParameterTypes.Request(names=["", "no such"])),
    (DescribeParameters, "describe_parameters", DescribeParameters.Request(names=["", "no such"])),
    (ListParameters, "list_parameters", ListParameters.Request(prefixes=["", "x"], depth=2**63)),
]


@pytest.fixture
def stage(make_stage) -> Stage:
    stage = make_stage()
    assert stage.change("configure") and stage.change("activate")
    return stage


@pytest.mark.parametrize(
    "number",
    [
        Transition.TRANSITION_CREATE,
        Transition.TRANSITION_CONFIGURE,
        Transition.TRANSITION_CLEANUP,
        Transition.TRANSITION_ACTIVATE,
        Transition.TRANSITION_INACTIVE_SHUTDOWN,
        Transition.TRANSITION_DESTROY,
        Transition.TRANSITION_ON_CONFIGURE_SUCCESS,
        99,
        255,
    ],
)
def test_a_transition_that_does_not_lead_on_is_refused_by_its_number_too(stage, number, capfd):
    request = ChangeState.Request(transition=Transition(id=number))
    assert not stage.call(request).success
    assert stage.call(GetState.Request()).current_state.id == State.PRIMARY_STATE_ACTIVE
    assert "A request to /stage" in capfd.readouterr().err
    assert stage.change("deactivate") and stage.change("activate")


@pytest.mark.parametrize("kind, name, request_", REQUESTS, ids=[r[1] for r in REQUESTS])
def test_odd_requests_about_parameters_are_answered(stage, kind, name, request_):
    client = stage.client.create_client(kind, f"vos/{name}")
    stage.until(client.service_is_ready, name)
    future = client.call_async(request_)
    stage.until(future.done, name)
    assert stage.call(GetState.Request()).current_state.id == State.PRIMARY_STATE_ACTIVE
