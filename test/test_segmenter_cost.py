# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a step costs: constant state, one transfer, no waiting, and any device or precision."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
import torch
from scenes import FIRST, RED, mask_of, moving, scene
from tiny import ColourNetwork, add_tiny_backbone, tiny_gfddal
from torch.utils._python_dispatch import TorchDispatchMode

from vos_ros import readout
from vos_ros.models.gfddal import appearance
from vos_ros.segmenter import VideoSegmenter


def test_the_state_keeps_its_size_over_500_steps(monkeypatch):
    add_tiny_backbone(monkeypatch)
    segmenter = VideoSegmenter(tiny_gfddal(contrast=40), size=32)
    images = [scene((4 + i, 8, 16, RED), size=(32, 48), seed=i) for i in range(5)]
    segmenter.start(images[0], mask_of((4, 8, 16, 1), (28, 4, 10, 9), size=(32, 48)))
    size = segmenter.state_bytes
    assert size == 2 * segmenter._network.state_bytes(32, 64) > 0
    for index in range(500):
        segmenter.step(images[index % 5])
        assert segmenter.state_bytes == size
    segmenter.remove(9)
    assert segmenter.state_bytes == size / 2


class NoWaiting(TorchDispatchMode):
    """Fails on every operation that has to know a value, which on a GPU waits for it."""

    WAITING = ("_local_scalar_dense", "item", "nonzero", "is_nonzero", "equal", "masked_select",
               "unique", "_unique2", "unique_dim", "bincount", "histc")

    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        self.seen.add(name)
        assert name not in self.WAITING, f"{name} waits for the device"
        if name in ("index", "index_put", "index_put_"):  # a boolean index is a nonzero in disguise
            assert all(i is None or i.dtype != torch.bool for i in args[1])
        return func(*args, **(kwargs or {}))


def test_nothing_in_a_step_asks_for_a_value(network):
    segmenter = VideoSegmenter(network, size=64)
    segmenter.start(moving(1)[0], FIRST)
    with NoWaiting() as guard:
        segmenter.step(moving(2)[1])
        segmenter.step(scene(size=(96, 128)))  # another resolution, too
    assert {"amax", "argmax"} <= guard.seen  # it did watch
    with pytest.raises(AssertionError, match="waits"), NoWaiting():
        torch.ones(2).sum().item()


def test_a_step_reads_nothing_back_but_one_transfer(network, monkeypatch):
    """On the meta device there are no values at all: whatever reads one raises."""
    transfers = []

    def download(labels, statistics):
        transfers.append((labels.device.type, statistics.device.type))
        assert readout._packed(labels, statistics).dtype == torch.uint8
        return np.zeros(tuple(labels.shape), np.uint8), np.zeros(tuple(statistics.shape), "f4")

    monkeypatch.setattr(readout, "_download", download)
    # There is no mixed precision to switch off on this device.
    monkeypatch.setattr(appearance, "_float32", lambda like: contextlib.nullcontext())
    segmenter = VideoSegmenter(network, size=64, device="meta")
    segmenter.start(moving(1)[0], FIRST)
    assert transfers == []
    for count in range(1, 4):
        segmenter.step(moving(2)[1])
        assert transfers == [("meta", "meta")] * count


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_agrees_with_the_cpu(network):
    cpu, gpu = (VideoSegmenter(network, size=64, device=device) for device in ("cpu", "cuda"))
    for segmenter in (cpu, gpu):
        segmenter.start(moving(1)[0], FIRST)
    for image in moving(5, start=1):
        one, two = cpu.step(image), gpu.step(image)
        if isinstance(network, ColourNetwork):
            assert np.mean(one.labels == two.labels) > 0.995
            for a, b in zip(one.objects, two.objects, strict=True):
                assert a.score == pytest.approx(b.score, abs=0.01)


def test_half_precision_finds_the_same(colour):
    half = VideoSegmenter(ColourNetwork(), size=64, precision="bf16")
    for segmenter in (colour, half):
        segmenter.start(moving(1)[0], FIRST)
    for image in moving(5, start=1):
        one, two = colour.step(image), half.step(image)
        assert np.mean(one.labels == two.labels) > 0.99
