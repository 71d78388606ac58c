# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a step costs: constant state, one transfer, no waiting, and any device or precision."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
import torch
from dgmpm_cases import tiny_dgmpm
from host_guard import HostGuard
from scene import Scene
from scenes import FIRST, RED, iou, mask_of, moving, scene
from tiny import ColourNetwork, TinyBackbone, add_tiny_backbone, tiny_gfddal

from vos_ros import readout
from vos_ros.models.gfddal import appearance
from vos_ros.segmenter import VideoSegmenter
from vos_ros.weights import find_weights, load_network


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


@pytest.mark.parametrize("objects", [1, 4])
@pytest.mark.parametrize("make", [tiny_gfddal, tiny_dgmpm])
def test_one_backbone_pass_per_frame_whatever_the_number_of_objects(make, objects, monkeypatch):
    """The first frame's pass is at the start alone."""
    add_tiny_backbone(monkeypatch)
    segmenter = VideoSegmenter(make(), size=64)
    passes = []
    forward = TinyBackbone.forward
    monkeypatch.setattr(
        TinyBackbone, "forward", lambda self, x: passes.append(tuple(x.shape)) or forward(self, x)
    )
    labels = np.zeros((64, 96), np.uint8)
    for k in range(objects):
        labels[8:40, 20 * k : 20 * k + 16] = k + 1
    image = scene(size=(64, 96))
    segmenter.start(image, labels)
    for _ in range(3):
        segmenter.step(image)
    assert passes == [(1, 3, 64, 96)] * 4


def test_nothing_in_a_step_asks_for_a_value(network, monkeypatch):
    # As on a device, whose values the host would have to wait for; the host's own are there.
    monkeypatch.setattr(readout, "_read_on_host", readout._read_on_device)
    segmenter = VideoSegmenter(network, size=64)
    segmenter.start(moving(1)[0], FIRST)
    with HostGuard("cpu") as guard:
        segmenter.step(moving(2)[1])
        segmenter.step(scene(size=(96, 128)))  # another resolution, too
    assert {"amax", "argmax"} <= guard.seen  # it did watch


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
    # Seen in a region at first and, since nothing is ever found, in the whole image later.
    segmenter.start(moving(1)[0], mask_of((4, 8, 20, 200)))
    assert transfers == []
    for count in range(1, 4):
        segmenter.step(moving(2)[1])
        assert transfers == [("meta", "meta")] * count


def test_half_precision_finds_the_same(colour):
    half = VideoSegmenter(ColourNetwork(), size=64, precision="bf16")
    for segmenter in (colour, half):
        segmenter.start(moving(1)[0], FIRST)
    for image in moving(5, start=1):
        one, two = colour.step(image), half.step(image)
        assert np.mean(one.labels == two.labels) > 0.99


SHIPPED_FRAMES = 7
#: the first of the objects, around which a region is seen that moves with it
ALONE = np.where(FIRST == 200, FIRST, 0)


@pytest.fixture(scope="module")
def shipped():
    """The network that is loaded when nothing else is named."""
    return load_network(find_weights(""))[0]


def followed(network, precision, device="cpu", steps_in=contextlib.nullcontext):
    """A made-up clip, its thing followed from the first frame's true mask; one entry a step.

    Args:
        steps_in: makes the context that every step runs in.
    """
    film = Scene(192, 144)
    segmenter = VideoSegmenter(network, device=device, precision=precision)
    segmenter.start(film.frame(0), film.truth(0))
    found = []
    for number in range(1, SHIPPED_FRAMES):
        with steps_in():
            found.append(segmenter.step(film.frame(number)))
    return found


def check_found(found, exact, agreement, score):
    """Fail unless labels are those of the thing, and labels and scores agree with exact ones."""
    assert len(found) == len(exact) == SHIPPED_FRAMES - 1
    film = Scene(192, 144)
    for number, (one, other) in enumerate(zip(found, exact, strict=True), start=1):
        assert iou(one.labels == 1, film.truth(number) == 1) >= 0.85, number
        assert np.mean(one.labels == other.labels) > agreement, number
        for a, b in zip(one.objects, other.objects, strict=True):
            assert (a.id, a.present) == (b.id, b.present) == (1, True)
            assert a.score == pytest.approx(b.score, abs=score)


def test_the_shipped_network_finds_the_same_in_half_precision(shipped):
    exact = followed(shipped, "fp32")
    check_found(exact, exact, agreement=0.99, score=0)
    check_found(followed(shipped, "bf16"), exact, agreement=0.99, score=0.02)


@contextlib.contextmanager
def waiting_is_an_error():
    """PyTorch raises for whatever makes the host wait for a CUDA device."""
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode(before)


@pytest.fixture
def downloads(monkeypatch):
    """The devices of what was downloaded, the one moment of a step when waiting is right."""
    seen = []
    own = readout._download

    def download(labels, statistics):
        if labels.is_cuda:
            seen.append(labels.device.type)
            assert torch.cuda.get_sync_debug_mode() == 2  # up to here it was an error
            torch.cuda.set_sync_debug_mode("default")
        return own(labels, statistics)

    monkeypatch.setattr(readout, "_download", download)
    return seen


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(
    ("precision", "agreement", "score"),
    [("fp32", 0.999, 0.01), ("bf16", 0.99, 0.02), ("fp16", 0.99, 0.02)],
)
def test_a_gpu_agrees_with_the_cpu_and_waits_once(shipped, downloads, precision, agreement, score):
    exact = followed(shipped, "fp32")
    found = followed(shipped, precision, "cuda", steps_in=waiting_is_an_error)
    assert downloads == ["cuda"] * (SHIPPED_FRAMES - 1)
    check_found(found, exact, agreement, score)
    assert not torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction
    assert not torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
@pytest.mark.parametrize("given", [FIRST, ALONE], ids=["whole image", "region"])
def test_every_network_waits_once_a_step_on_a_gpu(network, downloads, precision, given):
    cpu = VideoSegmenter(network, size=64)
    gpu = VideoSegmenter(network, size=64, device="cuda", precision=precision)
    for segmenter in (cpu, gpu):
        segmenter.start(moving(1)[0], given)
    for image in moving(5, start=1):
        one = cpu.step(image)
        with waiting_is_an_error():
            two = gpu.step(image)
        assert all(np.isfinite(entry.score) for entry in two.objects)
        if isinstance(network, ColourNetwork):  # the labels of the others are noise
            assert np.mean(one.labels == two.labels) > 0.99
    assert downloads == ["cuda"] * 5


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_gpu_check_sees_waiting():
    with pytest.raises(RuntimeError), waiting_is_an_error():
        torch.ones(2, device="cuda").sum().item()
