# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The state of GFDDAL: constant in size, resized with the camera, joined and taken apart."""

import dataclasses

import numpy as np
import pytest
import torch
from gfddal_cases import SWITCHES, boxes, build, encoded, frames
from references import resized
from tiny import add_tiny_backbone

from vos_ros.inference import prepare
from vos_ros.models.gfddal import GfddalState
from vos_ros.models.maps import resize_maps


@pytest.fixture(autouse=True)
def tiny_backbone(monkeypatch: pytest.MonkeyPatch) -> None:
    add_tiny_backbone(monkeypatch)
    torch.manual_seed(0)


def shapes(state: GfddalState) -> dict[str, tuple]:
    return {name: (tuple(value.shape), value.dtype) for name, value in vars(state).items()}


@pytest.mark.parametrize("memory", [0, 3])
def test_its_size_is_constant_over_500_steps(memory: int) -> None:
    network = build(memory=memory)
    features = [encoded(network, image.unsqueeze(0)) for image in frames(5, 32, 32)]
    state = network.start(features[0], boxes(2, 32, 32))
    expected, size = shapes(state), state.nbytes
    with torch.inference_mode():
        for index in range(500):
            prediction, state = network.step(features[index % 5], state)
            assert shapes(state) == expected and state.nbytes == size
    assert prediction.logits.isfinite().all()
    torch.testing.assert_close(state.means.norm(dim=-1), torch.ones(1, 2, 4))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("size", [(32, 64), (96, 64)])
@pytest.mark.parametrize("memory", [0, 3])
@pytest.mark.parametrize("switch", [None, *SWITCHES])
def test_its_bytes_are_those_of_the_formula(
    precision: str, size: tuple[int, int], switch: str | None, memory: int
) -> None:
    network = build(memory=memory, **({switch: False} if switch else {}))
    ready = prepare(network, torch.device("cpu"), precision)
    for objects in (1, 3):
        state = ready.start(encoded(ready, frames(1, *size)), boxes(objects, *size))
        _, after = ready.step(encoded(ready, frames(1, *size)), state)
        assert state.nbytes == after.nbytes == objects * ready.state_bytes(*size)
        held = sum(value.numel() * value.element_size() for value in vars(after).values())
        assert after.nbytes == held


def test_bytes_by_hand() -> None:
    """288 x 512, D 8, C 8, float32, output stride 2: 576 places, 36864 pixels."""
    kernels, guided, coarse, maps, components = 2 * 576 * 8, 576 * 8, 576, 2 * 36864, 4 * 8 + 4
    assert build().state_bytes(288, 512) == 4 * (kernels + guided + coarse + maps + components)


@pytest.mark.parametrize("shape", [(1, 2, 4, 6), (1, 2, 3, 4, 6), (2, 1, 5, 4, 6)])
def test_maps_are_resized_one_by_one(shape: tuple[int, ...]) -> None:
    maps = torch.rand(shape)
    result = resize_maps(maps, 7, 5)
    assert result.shape == (*shape[:-2], 7, 5)
    expected = resized(maps.flatten(0, -3).double().numpy(), 7, 5)
    np.testing.assert_allclose(result.flatten(0, -3), expected, atol=1e-6)


@pytest.mark.parametrize("switch", [None, *SWITCHES])
def test_a_new_resolution_is_gone_on_with(switch: str | None) -> None:
    network = build(**({switch: False} if switch else {}))
    state = network.start(encoded(network, frames(1)), boxes())
    moved = state.resized(96, 160)
    assert moved.coarse.shape == (1, 3, 6, 10)
    assert moved.first.shape == moved.previous.shape == (1, 3, 48, 80)
    assert moved.guided_first.shape == (1, 3, state.guided_first.shape[2], 6, 10)
    for name in ("means", "log_normalisers", "target_kernels", "background_kernels"):
        assert torch.equal(getattr(moved, name), getattr(state, name)), name
    prediction, after = network.step(encoded(network, frames(1, 96, 160)), moved)
    assert prediction.logits.shape == (1, 4, 48, 80) and prediction.logits.isfinite().all()
    assert shapes(after) == shapes(moved)


def test_the_same_resolution_changes_nothing() -> None:
    network = build()
    state = network.start(encoded(network, frames(1)), boxes())
    for name, value in vars(state.resized(64, 96)).items():
        torch.testing.assert_close(value, getattr(state, name))


def test_slots_follow_the_order_asked_for() -> None:
    network = build()
    features = encoded(network, frames(1))
    prediction, whole = network.step(features, network.start(features, boxes()))
    order = [2, 0]
    for name, value in vars(whole.select(order)).items():
        for place, slot in enumerate(order):
            assert torch.equal(value[:, place], getattr(whole, name)[:, slot]), name
    later = encoded(network, frames(1, seed=3))
    rest, _ = network.step(later, whole.select(order))
    every, _ = network.step(later, whole)
    torch.testing.assert_close(rest.logits[:, 1:], every.logits[:, [3, 1]], atol=1e-4, rtol=1e-4)


def test_joined_parts_are_the_whole() -> None:
    network = build()
    state = network.start(encoded(network, frames(1)), boxes())
    joined = state.select([0]).joined(state.select([1, 2]))
    assert joined.count == 3
    assert all(torch.equal(value, getattr(state, name)) for name, value in vars(joined).items())


@pytest.mark.parametrize("switch", [None, *SWITCHES])
def test_objects_of_two_resolutions_go_on_together(switch: str | None) -> None:
    """The camera changed between their first frames: each is found as if it were alone."""
    network = build(**({switch: False} if switch else {}))
    early = network.start(encoded(network, frames(1)), boxes(2)).resized(96, 128)
    late = network.start(encoded(network, frames(1, 96, 128, seed=5)), boxes(1, 96, 128))
    features = encoded(network, frames(1, 96, 128, seed=6))
    for states in ((early, late), (late, early)):
        parts = [network.step(features, state)[0].logits[:, 1:] for state in states]
        prediction, after = network.step(features, states[0].joined(states[1]))
        torch.testing.assert_close(
            prediction.logits[:, 1:], torch.cat(parts, dim=1), atol=1e-4, rtol=1e-4
        )
        assert after.count == 3


def test_nothing_is_changed_in_place() -> None:
    network = build()
    features = encoded(network, frames(1))
    state = network.start(features, boxes())
    before = {name: value.clone() for name, value in vars(state).items()}
    network.step(features, state)
    state.select([1]).joined(state).resized(32, 32)
    assert all(torch.equal(value, before[name]) for name, value in vars(state).items())
    with pytest.raises(dataclasses.FrozenInstanceError):
        state.coarse = state.coarse
