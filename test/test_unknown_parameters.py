# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters that were given but do not exist."""

from __future__ import annotations

import pytest
from test_node_log import heard, log_of

from vos_ros.ros.parameters import BY_NAME
from vos_ros.ros.unknown_parameters import unknown_sentences


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("interal_size", "internal_size"),
        ("Device", "device"),
        ("buffer-frames", "buffer_frames"),
        ("max_object", "max_objects"),
        ("latency_warn", "latency_warning"),
    ],
)
def test_the_nearest_name_is_suggested(given: str, meant: str):
    assert unknown_sentences([given], BY_NAME) == (
        f"There is no parameter '{given}', so it changes nothing; did you mean '{meant}'?",
    )


def test_all_are_named_where_none_is_near():
    (sentence,) = unknown_sentences(["xyzzy"], BY_NAME)
    assert sentence.startswith("There is no parameter 'xyzzy', so it changes nothing; there are ")
    assert all(name in sentence for name in BY_NAME)


def test_known_names_and_those_of_ros_are_let_alone():
    ros = ["use_sim_time", "qos_overrides./tf.reliability", "diagnostic_updater.period"]
    assert unknown_sentences([*BY_NAME, *ros], BY_NAME) == ()


def test_the_node_says_so_when_it_starts(make_stage):
    stage = make_stage(interal_size=128, internal_size=256, use_sim_time=False)
    said = log_of(stage)
    heard(stage, said, "There is no parameter 'interal_size', so it changes nothing;")
    assert stage.change("configure")
    assert len([line for line in said if "There is no parameter" in line]) == 1
