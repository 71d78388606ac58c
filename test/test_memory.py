# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""GFDDAL's memory of a few frames, against loops and against what each frame ought to leave."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from gfddal_cases import boxes, build, encoded, frames
from references import convolved, random, relu, unit_vectors
from tiny import add_tiny_backbone

from vos_ros.models.gfddal.memory import FrameMemory, Remembered

N, K, D, C, H, W, PATCH = 2, 3, 6, 5, 3, 4, 2
MEMORY = {"memory": 4, "memory_interval": 2}


@pytest.fixture(autouse=True)
def tiny_backbone(monkeypatch: pytest.MonkeyPatch) -> None:
    add_tiny_backbone(monkeypatch)
    torch.manual_seed(0)


def module(frames: int = 4, interval: int = 2) -> FrameMemory:
    return FrameMemory(frames, interval, D, C, PATCH).requires_grad_(False)


def seen(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Directions, context and masks of one frame; every object is seen."""
    masks = random(N, K, H * PATCH, W * PATCH, seed=seed + 2)
    masks[:, :, 0, 0] = 1
    return unit_vectors(N, D, H, W, seed=seed), random(N, C, H, W, seed=seed + 1), masks


def written(part: FrameMemory, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Keys and values that a frame leaves, N x K x L x D."""
    memory = part.start(*seen(seed))
    return memory.keys[:, :, 0], memory.values[:, :, 0]


def test_reading_is_a_mean_by_likeness() -> None:
    """Softmax of factor times cosine over all places of all frames, by loops."""
    part = module()
    keys = unit_vectors(N, K, 4, H * W, D, dim=-1, seed=3)
    values = random(N, K, 4, H * W, D, seed=4)
    directions = unit_vectors(N, D, H, W, seed=5)
    read = part(Remembered(keys, values, torch.zeros(N, K)), directions)
    factor = float(part.log_sharpness.exp())
    for n in range(N):
        for k in range(K):
            flat_keys = keys[n, k].reshape(-1, D).double().numpy()
            flat_values = values[n, k].reshape(-1, D).double().numpy()
            for y in range(H):
                for x in range(W):
                    likeness = factor * flat_keys @ directions[n, :, y, x].double().numpy()
                    weights = np.exp(likeness - likeness.max())
                    expected = weights @ flat_values / weights.sum()
                    got = read[n * K + k, :, y, x].numpy()
                    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_a_value_is_of_the_look_and_of_the_mask_there() -> None:
    part = module()
    directions, context, masks = seen(1)
    memory = part.start(directions, context, masks)
    look = convolved(context[1].double().numpy(), part.context)
    weight = part.mask.weight.double().numpy()[:, 0]
    drawn = np.zeros((D, H, W))
    for y in range(H):
        for x in range(W):
            there = masks[1, 2, y * PATCH : (y + 1) * PATCH, x * PATCH : (x + 1) * PATCH]
            drawn[:, y, x] = (weight * there.double().numpy()).sum(axis=(1, 2))
    drawn += part.mask.bias.double().numpy()[:, None, None]
    expected = convolved(relu(look + drawn), part.value).reshape(D, -1).T
    np.testing.assert_allclose(memory.values[1, 2, 0].numpy(), expected, atol=1e-5)
    expected = directions[1].flatten(1).T
    assert torch.equal(memory.keys[1, 2, 0], expected)


def test_which_frames_are_kept() -> None:
    """Numbers of the frames in the memory after each frame, with every second one kept."""
    part, memory = module(), None
    kept = [0, 0, 0, 0]
    expected = {
        0: [0, 0, 0, 0], 1: [0, 0, 0, 1], 2: [0, 0, 2, 2], 3: [0, 0, 2, 3], 4: [0, 2, 4, 4],
        5: [0, 2, 4, 5], 6: [0, 4, 6, 6], 7: [0, 4, 6, 7],
    }  # fmt: skip
    for number, kept in expected.items():
        frame = seen(10 * number)
        memory = part.start(*frame) if memory is None else part.update(memory, *frame)
        for slot, source in enumerate(kept):
            keys, values = written(part, 10 * source)
            assert torch.equal(memory.keys[:, :, slot], keys), (number, slot)
            assert torch.equal(memory.values[:, :, slot], values), (number, slot)


def test_the_first_and_the_last_alone() -> None:
    part = module(frames=2)
    memory = part.update(part.update(part.start(*seen(0)), *seen(10)), *seen(20))
    assert memory.keys.shape[2] == 2
    assert torch.equal(memory.keys[:, :, 0], written(part, 0)[0])
    assert torch.equal(memory.keys[:, :, 1], written(part, 20)[0])


def test_a_frame_without_the_object_leaves_its_memory_as_it_was() -> None:
    part = module()
    before = part.update(part.start(*seen(0)), *seen(10))
    directions, context, masks = seen(20)
    masks[0, 1] = 0.49
    after = part.update(before, directions, context, masks)
    for old, new in zip(dataclasses.astuple(before), dataclasses.astuple(after), strict=True):
        assert torch.equal(old[0, 1], new[0, 1])
        assert not torch.equal(old[0, 0], new[0, 0])


def test_the_network_reads_it() -> None:
    """The same last mask, another memory: another result."""
    network = build(**MEMORY)
    features = [encoded(network, image[None]) for image in frames(3)]
    state = network.start(features[0], boxes())
    prediction, _ = network.step(features[1], state)
    other = state.remembering(dataclasses.replace(
        state.remembered, values=state.memory_values.roll(1, dims=3)
    ))  # fmt: skip
    changed, _ = network.step(features[1], other)
    assert not torch.allclose(prediction.logits, changed.logits)


def test_its_places_follow_the_resolution() -> None:
    network = build(**MEMORY)
    state = network.start(encoded(network, frames(1)), boxes())
    moved = state.resized(96, 160)
    assert moved.memory_keys.shape == (1, 3, 4, 6 * 10, state.memory_keys.shape[-1])
    torch.testing.assert_close(moved.memory_keys.norm(dim=-1), torch.ones(1, 3, 4, 60))
    _, after = network.step(encoded(network, frames(1, 96, 160)), moved)
    assert after.memory_values.shape == moved.memory_values.shape


def test_a_network_without_memory_starts_one_that_has_it() -> None:
    """At first it does what the other did, and then it is trained."""
    plain, network = build(), build(**MEMORY)
    network.take_over(plain)
    features = [encoded(network, image[None]) for image in frames(3)]
    states = [net.start(features[0], boxes()) for net in (plain, network)]
    for seen_next in features[1:]:
        steps = [
            net.step(seen_next, state) for net, state in zip((plain, network), states, strict=True)
        ]
        states = [state for _, state in steps]
        torch.testing.assert_close(steps[0][0].logits, steps[1][0].logits)
    network.merge.first.weight.requires_grad_(True)
    _, state = network.step(features[1], network.start(features[0], boxes()))
    state.previous.sum().backward()
    assert network.merge.first.weight.grad[:, -build().config["direction_channels"] :].any()


def test_a_network_with_a_memory_starts_none_without() -> None:
    with pytest.raises(RuntimeError, match="merge"):
        build().take_over(build(**MEMORY))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"memory": 1}, "memory must be 0"),
        ({"memory": 65}, "memory must be 0"),
        ({"memory": 2.0}, "whole number"),
        ({"memory": 3, "memory_interval": 0}, "memory_interval must be 1"),
    ],
)
def test_what_cannot_be_remembered_is_refused(options: dict, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        build(**options)
