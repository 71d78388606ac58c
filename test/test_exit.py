# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node as a process: it ends cleanly on SIGINT and SIGTERM, whatever it is doing."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from node_process import LONG, NodeProcess
from rclpy.node import Node
from stage import header, order, picture

from vos_msgs.srv import InitMask
from vos_ros.ros.images import rgb_to_message

PROGRAM = """
import sys
from fake_segmenter import ColourSegmenter
from stage import CARD
from vos_ros.ros import node
node._build_segmenter = lambda settings: (ColourSegmenter(), CARD, "colours")
sys.exit(node.main(sys.argv[1:]))
"""
SLOW = """
import sys, time
from vos_ros.ros import node
def build(settings):
    print("building", flush=True)
    time.sleep(600)
node._build_segmenter = build
sys.exit(node.main(sys.argv[1:]))
"""

STUCK = """
import sys, time
from fake_segmenter import ColourSegmenter
from stage import CARD
from vos_ros.ros import node

class Stuck(ColourSegmenter):
    def start(self, *_, **__):
        print("stuck", flush=True)
        time.sleep(600)

node._build_segmenter = lambda settings: (Stuck(), CARD, "nothing that ends")
sys.exit(node.main(sys.argv[1:]))
"""


@pytest.fixture
def start() -> Iterator:
    started: list[NodeProcess] = []

    def make(*arguments: str, **rest: str) -> NodeProcess:
        started.append(NodeProcess(*arguments, **rest))
        return started[-1]

    yield make
    for process in started:
        process.kill()


@pytest.mark.parametrize(
    ("words", "signals"),
    [
        ("images from /camera/image_raw.", (signal.SIGINT, signal.SIGINT)),
        ("images from /camera/image_raw.", (signal.SIGTERM,)),
        ("Configured: colours.", (signal.SIGINT,)),
        ("Configured: colours.", (signal.SIGINT, signal.SIGTERM)),
    ],
    ids=["active, SIGINT twice", "active, SIGTERM", "inactive, SIGINT", "inactive, both"],
)
def test_a_signal_ends_the_node_cleanly(start, words, signals):
    node = start("-r", "image:=/camera/image_raw", program=PROGRAM)
    node.wait_for(words)
    assert node.end(*signals) == 0, node.said
    assert "Traceback" not in node.said
    assert "Error" not in node.said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_breaks_off_the_loading_of_the_weights(start, number):
    node = start(program=SLOW)
    node.wait_for("building")
    assert node.end(number) == 0, node.said
    assert "Traceback" not in node.said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_node_whose_step_does_not_end(start, context, number):
    node = start(program=STUCK)
    node.wait_for("Active: taking images")
    client = Node("client", context=context)
    try:
        requests = client.create_client(InitMask, "vos/init_mask")
        assert requests.wait_for_service(LONG)
        requests.call_async(order((1,), image=rgb_to_message(picture(0), header(0))))
        node.wait_for("stuck")
        assert node.end(number) == 0, node.said
        assert "Traceback" not in node.said
    finally:
        client.destroy_node()


def test_a_node_that_could_not_be_configured_lives_on_and_ends_cleanly(start):
    node = start("-p", "internal_size:=3", program=PROGRAM)
    node.wait_for("Parameter 'internal_size' must be from 64 to 1440, and was given 3.")
    assert node.end(signal.SIGTERM) == 0, node.said
    assert "Traceback" not in node.said


def test_missing_weights_are_named(start):
    node = start("-p", "weights:=/no/such/file.safetensors")
    node.wait_for("Cannot be configured. No weight file '/no/such/file.safetensors'")
    assert node.end(signal.SIGINT) == 0, node.said


def test_help_lists_the_parameters():
    done = subprocess.run(
        [sys.executable, "-m", "vos_ros", "node", "--help"],
        capture_output=True,
        text=True,
        timeout=LONG,
        check=True,
    )
    assert "internal_size (int, 288): Short side, in pixels" in done.stdout


def test_an_unknown_argument_is_refused():
    done = subprocess.run(
        [sys.executable, "-m", "vos_ros", "node", "--fast"],
        capture_output=True,
        text=True,
        timeout=LONG,
    )
    assert done.returncode == 2
    assert "--fast" in done.stderr
