# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""With how many threads PyTorch computes, alone and beside another runtime."""

from __future__ import annotations

import threading

import pytest
import torch
from networks import SMALL
from scenes import FIRST, moving
from tiny import add_tiny_backbone

from vos_ros.runtimes import build_runtime, choose_runtime
from vos_ros.runtimes.threads import torch_threads
from vos_ros.segmenter import VideoSegmenter

needs_openvino = pytest.mark.skipif(
    choose_runtime("auto", torch.device("cpu"), "fp32") != "openvino",
    reason="OpenVINO is not installed",
)


@pytest.fixture(autouse=True)
def three_threads():
    """More than one, and another number than the machine's own."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def network(monkeypatch):
    add_tiny_backbone(monkeypatch)
    return SMALL["gfddal"]().eval()


def test_they_are_as_many_as_before_afterwards_whatever_happened():
    with torch_threads(2):
        assert torch.get_num_threads() == 2
        with torch_threads(None):
            assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == 3
    with pytest.raises(KeyError), torch_threads(1):
        raise KeyError
    assert torch.get_num_threads() == 3


def threads_seen(segmenter, monkeypatch) -> list[int]:
    """With how many threads PyTorch reads out what a step gave."""
    from vos_ros import segmenter as module

    seen, read_out = [], module.read_out

    def looked_at(*arguments, **rest):
        seen.append(torch.get_num_threads())
        return read_out(*arguments, **rest)

    monkeypatch.setattr(module, "read_out", looked_at)
    images = moving(3)
    segmenter.start(images[0], FIRST)
    for image in images[1:]:
        segmenter.step(image)
    return seen


def test_alone_it_keeps_all(network, monkeypatch):
    assert threads_seen(VideoSegmenter(network, size=32, runtime="torch"), monkeypatch) == [3, 3]
    assert torch.get_num_threads() == 3


@needs_openvino
def test_beside_openvino_it_keeps_one_and_openvino_all(network, monkeypatch):
    segmenter = VideoSegmenter(network, size=32, runtime="openvino")
    assert threads_seen(segmenter, monkeypatch) == [1, 1]
    assert torch.get_num_threads() == 3


@needs_openvino
def test_objects_are_begun_with_all_on_a_thread_that_began_while_another_stepped(
    network, monkeypatch
):
    segmenter = VideoSegmenter(network, size=32, runtime="openvino")
    seen, encode = [], segmenter._network.encode

    def counted(images):
        seen.append(torch.get_num_threads())
        return encode(images)

    monkeypatch.setattr(segmenter._network, "encode", counted)
    thread = threading.Thread(target=segmenter.start, args=(moving(1)[0], FIRST))
    with torch_threads(1):
        thread.start()
        thread.join()
    assert seen == [3]


@needs_openvino
def test_what_pytorch_computes_in_the_place_of_openvino_has_all_threads(network, monkeypatch):
    seen, advance = [], network.advance

    def counted(*arguments):
        seen.append(torch.get_num_threads())
        return advance(*arguments)

    runtime = build_runtime("openvino", network, "fp32", waits=False)
    runtime._work.join()
    monkeypatch.setattr(runtime, "_step", lambda *_: None)  # nothing is compiled yet
    monkeypatch.setattr(network, "advance", counted)
    images = torch.zeros(1, 3, 64, 96)
    state = network.start(network.encode(images), torch.ones(1, 1, 64, 96))
    with torch_threads(runtime.threads_beside):
        runtime.advance(images, state)
    assert seen == [3]
