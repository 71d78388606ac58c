# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The state of DGMPM: constant in size, resized with the camera, joined and taken apart."""

import dataclasses

import pytest
import torch
from dgmpm_cases import ABLATIONS, build
from gfddal_cases import boxes, encoded, frames
from gfddal_cases import build as build_gfddal
from tiny import add_tiny_backbone
from torch import Tensor
from torch.nn import functional as F

from vos_ros.inference import prepare
from vos_ros.models import build_network
from vos_ros.models.dgmpm import DgmpmState

VARIANTS = {"whole": {}, **ABLATIONS}


@pytest.fixture(autouse=True)
def tiny_backbone(monkeypatch: pytest.MonkeyPatch) -> None:
    add_tiny_backbone(monkeypatch)
    torch.manual_seed(0)


def tensors(state: DgmpmState) -> dict[str, Tensor]:
    return {"anchors": state.anchors, "previous": state.previous}


def shapes(state: DgmpmState) -> dict[str, tuple]:
    return {name: (tuple(value.shape), value.dtype) for name, value in tensors(state).items()}


def test_its_size_is_constant_over_300_steps() -> None:
    network = build()
    features = [encoded(network, image.unsqueeze(0)) for image in frames(5, 32, 32)]
    state = network.start(features[0], boxes(2, 32, 32))
    expected, size = shapes(state), state.nbytes
    with torch.inference_mode():
        for index in range(300):
            prediction, state = network.step(features[index % 5], state)
            assert shapes(state) == expected and state.nbytes == size
    assert prediction.logits.isfinite().all()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("size", [(32, 64), (96, 64)])
@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("stride", [1, 2])
def test_its_bytes_are_those_of_the_formula(
    precision: str, size: tuple[int, int], name: str, stride: int
) -> None:
    network = build(output_stride=stride, **VARIANTS[name])
    ready = prepare(network, torch.device("cpu"), precision)
    for objects in (1, 3):
        state = ready.start(encoded(ready, frames(1, *size)), boxes(objects, *size))
        _, after = ready.step(encoded(ready, frames(1, *size)), state)
        assert state.nbytes == after.nbytes == objects * ready.state_bytes(*size)
        held = sum(value.numel() * value.element_size() for value in tensors(after).values())
        assert after.nbytes == held


def test_bytes_by_hand() -> None:
    """288 x 512 in float32: two anchors of 64 numbers and a map of every pixel."""
    with torch.device("meta"):
        network = build_network("dgmpm", {"backbone": "resnet18"})
    assert network.state_bytes(288, 512) == 4 * (2 * 64 + 288 * 512) == 590_336
    assert build().state_bytes(288, 512) == 4 * (2 * 6 + 144 * 256)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_new_resolution_is_gone_on_with(name: str) -> None:
    network = build(**VARIANTS[name])
    state = network.start(encoded(network, frames(1)), boxes())
    moved = state.resized(96, 160)
    assert torch.equal(moved.anchors, state.anchors)
    assert moved.previous.shape == ((1, 3, 0, 0) if name == "-PM" else (1, 3, 48, 80))
    prediction, after = network.step(encoded(network, frames(1, 96, 160)), moved)
    assert prediction.logits.shape == (1, 4, 48, 80) and prediction.logits.isfinite().all()
    assert shapes(after) == shapes(moved)


def test_the_same_resolution_changes_nothing() -> None:
    network = build()
    state = network.start(encoded(network, frames(1)), boxes())
    for name, value in tensors(state.resized(64, 96)).items():
        torch.testing.assert_close(value, getattr(state, name))


@pytest.mark.parametrize("name", VARIANTS)
def test_slots_follow_the_order_asked_for(name: str) -> None:
    network = build(**VARIANTS[name])
    features = encoded(network, frames(1))
    _, whole = network.step(features, network.start(features, boxes()))
    order = [2, 0]
    some = whole.select(order)
    assert some.count == 2 and some.output_stride == whole.output_stride
    for field, value in tensors(some).items():
        for place, slot in enumerate(order):
            assert torch.equal(value[:, place], tensors(whole)[field][:, slot]), field
    later = encoded(network, frames(1, seed=3))
    rest, _ = network.step(later, some)
    every, _ = network.step(later, whole)
    torch.testing.assert_close(rest.logits[:, 1:], every.logits[:, [3, 1]], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", VARIANTS)
def test_objects_of_two_resolutions_go_on_together(name: str) -> None:
    """The camera changed between their first frames: each is found as if it were alone."""
    network = build(**VARIANTS[name])
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


def test_a_step_renews_the_fields_it_says_and_no_other() -> None:
    network = build()
    start = network.start(encoded(network, frames(1)), boxes())
    _, after = network.step(encoded(network, frames(1, seed=1)), start)
    for name, value in tensors(after).items():
        assert torch.equal(value, tensors(start)[name]) != (name in DgmpmState.renewed), name


def test_nothing_is_changed_in_place() -> None:
    network = build()
    features = encoded(network, frames(1))
    state = network.start(features, boxes())
    before = {name: value.clone() for name, value in tensors(state).items()}
    network.step(features, state)
    state.select([1]).joined(state).resized(32, 32).shown(boxes(4, 32, 32))
    assert all(torch.equal(value, before[name]) for name, value in tensors(state).items())
    with pytest.raises(dataclasses.FrozenInstanceError):
        state.previous = state.previous


@pytest.mark.parametrize("make", [build, build_gfddal], ids=["dgmpm", "gfddal"])
def test_masks_that_are_shown_are_what_the_next_step_reads(make) -> None:
    """As if they had been found: the rest stays, and showing the first mask again is no change."""
    network = make()
    features = encoded(network, frames(1))
    start = network.start(features, boxes())
    _, after = network.step(features, start)
    other = boxes().flip(3)
    shown = after.shown(other)
    torch.testing.assert_close(shown.previous, F.avg_pool2d(other, network.output_stride))
    assert not torch.equal(shown.previous, after.previous)
    for name in {field.name for field in dataclasses.fields(after)} - {"previous", "coarse"}:
        assert getattr(shown, name) is getattr(after, name)
    one, _ = network.step(features, start)
    again, _ = network.step(features, start.shown(boxes()))
    torch.testing.assert_close(one.logits, again.logits)


def test_a_network_without_previous_masks_has_nothing_to_be_shown() -> None:
    network = build(previous_mask=False)
    state = network.start(encoded(network, frames(1)), boxes())
    assert state.shown(boxes()).previous.shape == (1, 3, 0, 0)


def test_what_is_switched_off_is_not_unsound() -> None:
    network = build(**ABLATIONS["-PM"])
    features = encoded(network, frames(1, 32, 32))
    _, after = network.step(features, network.start(features, boxes(2, 32, 32)))
    assert not after.previous.numel() and after.sound().tolist() == [[True, True]]
