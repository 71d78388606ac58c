# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Steps of several images in one pass, against the same steps one by one."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from runtime_turns import prepared, turn_of
from tiny import add_tiny_backbone, tiny_gfddal

from vos_ros.runtimes import build_runtime, choose_runtime
from vos_ros.runtimes.eager import EagerRuntime
from vos_ros.runtimes.together import Turn, advance_together, alike

IMAGES = 4


def advanced(runtime, turns):
    """The turns one by one: the reference."""
    with torch.inference_mode():
        return [runtime.advance(turn.image, turn.state) for turn in turns]


@pytest.mark.parametrize("objects", [1, 3])
@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-4), ("bf16", 0.05)])
def test_one_pass_gives_what_single_ones_give(network, objects, precision, tolerance):
    ready = prepared(network, precision)
    runtime = EagerRuntime(ready)
    turns = [turn_of(ready, objects, seed) for seed in range(IMAGES)]
    for _ in range(3):  # what a pass leaves in the state shows in the next
        one_by_one = advanced(runtime, turns)
        with torch.inference_mode():
            at_once = advance_together(runtime, turns)
        agreeing = []
        for single, (found, after) in zip(one_by_one, at_once, strict=True):
            expected = single[0].logits.float().softmax(dim=1)
            probabilities = found.logits.float().softmax(dim=1)
            assert (probabilities - expected).abs().mean() < tolerance
            agreeing.append((probabilities.argmax(1) == expected.argmax(1)).float().mean())
            assert torch.equal(found.sound, single[0].sound)
            for name, value in single[1].tensors().items():
                torch.testing.assert_close(
                    getattr(after, name), value, rtol=0.1, atol=10 * tolerance
                )
        assert min(agreeing) >= (0.999 if precision == "fp32" else 0.98)
        turns = [
            Turn(turn_of(ready, objects, 10 + number).image, after)
            for number, (_, after) in enumerate(one_by_one)
        ]


def test_the_images_do_differ(network):
    """Else an outcome given to the wrong image would not show."""
    ready = prepared(network)
    turns = [turn_of(ready, 1, seed) for seed in range(2)]
    (one, _), (other, _) = advanced(EagerRuntime(ready), turns)
    apart = (one.logits.softmax(1) - other.logits.softmax(1)).abs().max()
    assert apart > 0.05


def test_an_image_of_which_nothing_can_be_computed_leaves_the_others_as_they_are(network):
    ready = prepared(network)
    runtime = EagerRuntime(ready)
    turns = [turn_of(ready, 2, seed) for seed in range(3)]
    expected = advanced(runtime, turns)
    broken = turns[1].state.tensors()
    name = sorted(turns[1].state.renewed)[0]
    nothing = {name: torch.full_like(broken[name], torch.nan)}
    turns[1] = Turn(turns[1].image, dataclasses.replace(turns[1].state, **nothing))
    with torch.inference_mode():
        found = advance_together(runtime, turns)
    for number in (0, 2):
        assert found[number][0].sound.all()
        torch.testing.assert_close(
            found[number][0].logits, expected[number][0].logits, rtol=1e-3, atol=1e-3
        )
    assert not found[1][0].sound.all()


def test_turns_are_alike_that_are_of_one_form(network):
    ready = prepared(network)
    turns = [
        turn_of(ready, 1, 0),
        turn_of(ready, 2, 1),
        turn_of(ready, 1, 2),
        turn_of(ready, 1, 3, size=(96, 64)),
        turn_of(ready, 2, 4),
    ]
    assert alike(turns) == [[0, 1, 2, 4], [3]]


def test_turns_with_different_numbers_of_objects_are_one_pass_of_the_backbone(network, monkeypatch):
    ready = prepared(network)
    turns = [turn_of(ready, objects, seed) for seed, objects in enumerate((1, 3, 1, 2))]
    one_by_one = advanced(EagerRuntime(ready), turns)
    passes, own = [], ready.encode
    monkeypatch.setattr(ready, "encode", lambda images: passes.append(len(images)) or own(images))
    with torch.inference_mode():
        at_once = advance_together(EagerRuntime(ready), turns)
    assert passes == [len(turns)]
    for (expected, state), (found, after) in zip(one_by_one, at_once, strict=True):
        torch.testing.assert_close(found.logits, expected.logits, rtol=1e-3, atol=1e-3)
        assert torch.equal(found.sound, expected.sound)
        assert after.count == state.count


@pytest.mark.skipif(
    choose_runtime("auto", torch.device("cpu"), "fp32") != "openvino",
    reason="OpenVINO is not installed",
)
def test_what_is_compiled_gives_the_same_for_several_at_once(monkeypatch):
    add_tiny_backbone(monkeypatch)
    ready = prepared(tiny_gfddal())
    runtime = build_runtime("openvino", ready, "fp32")
    turns = [turn_of(ready, objects, seed) for seed, objects in enumerate((1, 2, 1))]
    assert not turns[0].image.is_contiguous()  # but channels-last, as segmenters make them
    eager, one_by_one = advanced(EagerRuntime(ready), turns), advanced(runtime, turns)
    with torch.inference_mode():
        at_once = advance_together(runtime, turns)
    for (wanted, _), (expected, _), (found, _) in zip(eager, one_by_one, at_once, strict=True):
        assert torch.equal(found.logits, expected.logits)
        torch.testing.assert_close(found.logits, wanted.logits, rtol=1e-3, atol=1e-3)


def test_turns_whose_objects_began_at_different_sizes_are_stepped_apart(monkeypatch):
    """They have different numbers of kernels."""
    add_tiny_backbone(monkeypatch)
    ready = prepared(tiny_gfddal())
    small = turn_of(ready, 1, 0, size=(64, 64))
    with torch.inference_mode():
        grown = Turn(turn_of(ready, 1, 1).image, small.state.resized(64, 96))
    turns = [turn_of(ready, 1, 1), grown]
    assert turns[0].state_form != turns[1].state_form
    one_by_one = advanced(EagerRuntime(ready), turns)
    with torch.inference_mode():
        at_once = advance_together(EagerRuntime(ready), turns)
    for (expected, _), (found, _) in zip(one_by_one, at_once, strict=True):
        torch.testing.assert_close(found.logits, expected.logits, rtol=1e-3, atol=1e-3)


def test_no_state_keeps_the_memory_of_the_others(network):
    """What is held is the objects' own, as after single steps."""
    ready = prepared(network)
    turns = [turn_of(ready, 2, seed) for seed in range(IMAGES)]
    with torch.inference_mode():
        outcomes = advance_together(EagerRuntime(ready), turns)
    for turn, (_, after) in zip(turns, outcomes, strict=True):
        for name in after.renewed:
            value = getattr(after, name)
            assert value.untyped_storage().nbytes() == value.numel() * value.element_size(), name
        for name in after.tensors().keys() - after.renewed:
            assert getattr(after, name) is getattr(turn.state, name)
