# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recorded steps against those computed operation by operation.

On the CPU there are no CUDA graphs: there a recording computes again, but as a graph does, from and
to the same places in memory. What is true of those is true of a graph's, and the last test runs
those, where there is a device.
"""

from __future__ import annotations

import dataclasses
from itertools import permutations

import pytest
import torch
from networks import SMALL
from scenes import FIRST, mask_of, moving
from tiny import add_tiny_backbone

from vos_ros.inference import prepare
from vos_ros.models.state import ObjectState
from vos_ros.runtimes import RuntimeMissingError, build_runtime, choose_runtime
from vos_ros.runtimes.eager import EagerRuntime
from vos_ros.runtimes.ready import ReadyNetwork
from vos_ros.runtimes.recorded import RecordedRuntime
from vos_ros.runtimes.together import Turn, advance_together
from vos_ros.segmenter import VideoSegmenter

CPU = torch.device("cpu")
SIZE = (64, 96)


class Tape:
    """Records on the CPU: what is replayed is computed again into the places of the first time."""

    def __init__(self, spoil=lambda found: None):
        self.recorded = self.replayed = 0
        self._spoil = spoil

    def __call__(self, compute):
        self.recorded += 1
        found = [value.clone() for value in compute()]

        def replay():
            self.replayed += 1
            for place, value in zip(found, compute(), strict=True):
                place.copy_(value)
            self._spoil(found)

        return found, replay


@pytest.fixture(params=["gfddal", "dgmpm"])
def network(request, monkeypatch):
    """A small network of each published kind, prepared."""
    add_tiny_backbone(monkeypatch)
    return prepare(SMALL[request.param](), CPU, "fp32")


def images_of(count, seed):
    return torch.randn(count, 3, *SIZE, generator=torch.Generator().manual_seed(seed))


def started(network, objects, count=1, seed=0):
    """A state of so many objects, side by side, in each of the images."""
    masks = torch.zeros(count, objects, *SIZE)
    width = SIZE[1] // (objects + 1)
    for number in range(objects):
        masks[:, number, 8:50, number * width : (number + 1) * width] = 1
    with torch.inference_mode():
        return network.start(network.encode(images_of(count, seed)), masks)


def assert_same(outcome, right):
    for one, other in zip(outcome, right, strict=True):
        torch.testing.assert_close(one[0].logits, other[0].logits)
        assert torch.equal(one[0].sound, other[0].sound)
        for name, value in other[1].tensors().items():
            torch.testing.assert_close(one[1].tensors()[name], value, msg=name)


def run_both(recorded, eager, images, states, others):
    """Step both through images, each from its own state."""
    for image in images:
        found = recorded.advance_groups(image, states)
        right = eager.advance_groups(image, others)
        assert_same(found, right)
        states, others = ([after for _, after in outcome] for outcome in (found, right))


@torch.inference_mode()
def test_replayed_steps_are_the_eager_ones(network):
    tape, eager = Tape(), EagerRuntime(network)
    recorded = RecordedRuntime(network, tape)
    state = started(network, 2)
    run_both(recorded, eager, [images_of(1, i) for i in range(6)], [state], [state])
    # The first is computed as it is, and one replay is to see whether the recording is right.
    assert (tape.recorded, tape.replayed) == (1, 6)
    assert recorded.trouble == ""


@torch.inference_mode()
def test_several_images_with_different_numbers_of_objects_are_one_recording(network):
    tape, eager = Tape(), EagerRuntime(network)
    recorded = RecordedRuntime(network, tape)
    states = [started(network, 2, count=2), started(network, 1, seed=5)]
    run_both(recorded, eager, [images_of(3, i) for i in range(4)], states, states)
    assert tape.recorded == 1


@torch.inference_mode()
def test_who_comes_first_does_not_make_it_another_recording(network):
    tape, eager = Tape(), EagerRuntime(network)
    recorded = RecordedRuntime(network, tape)
    turns = [Turn(images_of(1, objects), started(network, objects)) for objects in (1, 2, 1)]
    for order in permutations(turns):
        found = advance_together(recorded, order)
        assert_same(found, [eager.advance(turn.image, turn.state) for turn in order])
    assert tape.recorded == 1


@torch.inference_mode()
def test_what_a_step_gave_is_not_written_over_by_the_next(network):
    recorded = RecordedRuntime(network, Tape())
    recorded.ready((1, 3, *SIZE), started(network, 1))
    prediction, after = recorded.advance(images_of(1, 1), started(network, 1))
    values = [prediction.logits, prediction.sound, *after.tensors().values()]
    before = [value.clone() for value in values]
    recorded.advance(images_of(1, 2), after)
    assert all(torch.equal(*pair) for pair in zip(values, before, strict=True))


@torch.inference_mode()
def test_no_copy_is_of_several_types_which_pytorch_would_make_one_by_one(network, monkeypatch):
    kinds, copy = [], torch._foreach_copy_

    def counted(places, values):
        kinds.append({value.dtype for value in (*places, *values)})
        copy(places, values)

    monkeypatch.setattr(torch, "_foreach_copy_", counted)
    recorded = RecordedRuntime(network, Tape())
    for seed in range(3):
        recorded.advance(images_of(1, seed), started(network, 2))
    assert kinds and all(len(kind) == 1 for kind in kinds)


@torch.inference_mode()
def test_other_objects_of_the_same_number_are_not_taken_for_those_before(network):
    recorded, eager = RecordedRuntime(network, Tape()), EagerRuntime(network)
    image = images_of(1, 9)
    recorded.ready((1, 3, *SIZE), started(network, 2))
    for seed in (1, 2, 1):
        state = started(network, 2, seed=seed)
        assert_same([recorded.advance(image, state)], [eager.advance(image, state)])


@torch.inference_mode()
def test_each_size_is_recorded_when_it_comes_again_and_not_all_are_kept(network):
    tape = Tape()
    recorded = RecordedRuntime(network, tape)
    state = started(network, 1)
    for count in range(1, 12):
        stacked = ObjectState.stacked([state] * count)
        recorded.advance(images_of(count, count), stacked)
        assert tape.recorded == count - 1
        recorded.advance(images_of(count, count), stacked)
        assert tape.recorded == count
    assert len(recorded._recordings) == 6
    recorded.serve(4)
    for count in (1, 1):
        recorded.advance(images_of(count, count), state)
    assert len(recorded._recordings) == 7 and tape.recorded == 12


def fails(compute):
    raise RuntimeError("the stream is not to be recorded")


def spoils(found):
    found[0].add_(1.0)


def freezes(compute):
    """What was found the first time, whatever is given."""
    return [value.clone() for value in compute()], lambda: None


@torch.inference_mode()
@pytest.mark.parametrize(
    "record, words",
    [
        (fails, "RuntimeError: the stream is not to be recorded"),
        (Tape(spoils), "gives something"),
        (freezes, "gives something"),
    ],
)
def test_what_cannot_be_recorded_or_comes_out_wrong_is_computed_without_and_told(
    network, record, words
):
    recorded, eager = RecordedRuntime(network, record), EagerRuntime(network)
    state = started(network, 1)
    run_both(recorded, eager, [images_of(1, i) for i in range(4)], [state], [state])
    assert words in recorded.trouble and not recorded._recordings


@torch.inference_mode()
def test_what_is_no_number_does_not_keep_a_step_from_being_recorded(network):
    tape = Tape()
    recorded, eager = RecordedRuntime(network, tape), EagerRuntime(network)
    state = started(network, 2)
    name = sorted(state.renewed)[0]
    broken = state.tensors()[name].clone()
    broken[:, 0] = torch.nan
    state = dataclasses.replace(state, **{name: broken})
    for i in range(3):
        assert torch.equal(
            recorded.advance(images_of(1, i), state)[0].sound,
            eager.advance(images_of(1, i), state)[0].sound,
        )
    assert tape.recorded == 1 and recorded.trouble == ""


def test_a_segmenter_follows_with_it_as_objects_come_and_go(network):
    tape = Tape()
    ready = ReadyNetwork(network, RecordedRuntime(network, tape), "cudagraphs", CPU, "fp32")
    segmenters = [VideoSegmenter(ready, size=64), VideoSegmenter(network, size=64, runtime="torch")]
    labels = []
    for segmenter in segmenters:
        images = moving(9)
        found = [segmenter.start(images[0], FIRST).labels]
        found += [segmenter.step(image).labels for image in images[1:4]]
        segmenter.remove(200)
        found += [segmenter.step(image).labels for image in images[4:6]]
        found.append(segmenter.add(images[6], mask_of((20, 8, 20, 7))).labels)
        found += [segmenter.step(image).labels for image in images[7:]]
        labels.append(found)
    assert tape.recorded >= 2
    for one, other in zip(*labels, strict=True):
        assert (one == other).all()


def test_it_is_refused_where_there_is_no_such_device():
    with pytest.raises(RuntimeMissingError, match="CUDA devices only, not on cpu; use 'torch'"):
        choose_runtime("cudagraphs", CPU, "fp32")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@torch.inference_mode()
def test_graphs_of_a_device_give_what_it_computes_without_them(network):
    device = torch.device("cuda")
    network = network.to(device)
    recorded, eager = build_runtime("cudagraphs", network, "fp32"), EagerRuntime(network)
    masks = torch.zeros(1, 2, *SIZE, device=device)
    masks[:, 0, 8:50, :30] = masks[:, 1, 8:50, 40:] = 1
    images = [images_of(1, i).to(device) for i in range(5)]
    state = network.start(network.encode(images[0]), masks)
    run_both(recorded, eager, images, [state], [state])
    assert recorded.trouble == "" and len(recorded._recordings) == 1
