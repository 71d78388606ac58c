# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The compiled step against the eager one, which is its reference; and the choice between them."""

from __future__ import annotations

import copy
import dataclasses
import logging
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch
from networks import SMALL
from scenes import FIRST, mask_of, moving
from tiny import add_tiny_backbone

from vos_ros.inference import prepare
from vos_ros.runtimes import RuntimeMissingError, build_runtime, choose_runtime
from vos_ros.runtimes.shared import SharedRuntime
from vos_ros.segmenter import VideoSegmenter

CPU = torch.device("cpu")
SIZE = (64, 96)

needs_openvino = pytest.mark.skipif(
    choose_runtime("auto", CPU, "fp32") != "openvino", reason="OpenVINO is not installed"
)


@pytest.fixture(params=["gfddal", "dgmpm"])
def published(request, monkeypatch):
    """A small network of each published kind."""
    add_tiny_backbone(monkeypatch)
    return SMALL[request.param]()


def prepared(network, precision="fp32"):
    return prepare(network, CPU, precision)


def images_of(count, dtype=torch.float32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 3, *SIZE, generator=generator).to(dtype)


def started(network, objects, count=1):
    """A state of so many objects, side by side, in each of the images."""
    masks = torch.zeros(count, objects, *SIZE)
    width = SIZE[1] // (objects + 1)
    for number in range(objects):
        masks[:, number, 8:50, number * width : (number + 1) * width] = 1
    with torch.inference_mode():
        images = images_of(count, network.dtype)
        return network.start(network.encode(images.contiguous()), masks)


@needs_openvino
@pytest.mark.parametrize("objects", [1, 2, 3])
def test_the_compiled_step_is_the_eager_one(published, objects):
    network = prepared(published)
    eager, compiled = (build_runtime(name, network, "fp32") for name in ("torch", "openvino"))
    states = [started(network, objects)] * 2
    for seed in range(4):
        images = images_of(1, seed=seed)
        with torch.inference_mode():
            (wanted, states[0]), (found, states[1]) = (
                runtime.advance(images, state)
                for runtime, state in zip((eager, compiled), states, strict=True)
            )
        probabilities = [result.logits.softmax(dim=1) for result in (wanted, found)]
        torch.testing.assert_close(*probabilities, atol=1e-3, rtol=0)
        labels = [result.logits.argmax(dim=1) for result in (wanted, found)]
        assert (labels[0] == labels[1]).double().mean() >= 0.999
        assert found.sound.shape == (1, objects) and found.sound.all()
        for name, value in states[0].tensors().items():
            other = states[1].tensors()[name]
            assert other.dtype == value.dtype and other.shape == value.shape, name
            torch.testing.assert_close(other, value, atol=2e-3, rtol=1e-3, msg=name)


@needs_openvino
def test_a_step_in_half_precision_takes_and_gives_the_states_of_the_eager_one(published):
    network = prepared(published, "bf16")
    wide = build_runtime("torch", prepared(published), "fp32")
    state, reference = started(network, 2), started(prepared(published), 2)
    runtime = build_runtime("openvino", network, "bf16")
    with torch.inference_mode():
        found, after = runtime.advance(images_of(1, torch.bfloat16, seed=5), state)
        wanted, _ = wide.advance(images_of(1, seed=5), reference)
    assert found.logits.dtype is torch.float32
    for name, value in state.tensors().items():
        assert after.tensors()[name].dtype is value.dtype, name
    # Weights are random and contrasts high, so that pixels near a border fall on either side.
    assert (found.logits.argmax(1) == wanted.logits.argmax(1)).double().mean() > 0.9


@needs_openvino
def test_what_a_step_gave_is_not_written_over_by_the_next(published):
    network = prepared(published)
    runtime, state = build_runtime("openvino", network, "fp32"), started(network, 2)
    with torch.inference_mode():
        first, after = runtime.advance(images_of(1, seed=1), state)
        kept = first.logits.clone(), {n: v.clone() for n, v in after.tensors().items()}
        runtime.advance(images_of(1, seed=2), after)
        again, _ = runtime.advance(images_of(1, seed=1), state)
    assert torch.equal(first.logits, kept[0]) and torch.equal(again.logits, kept[0])
    assert all(torch.equal(value, kept[1][name]) for name, value in after.tensors().items())


@needs_openvino
def test_images_together_are_stepped_as_each_alone(published):
    network = prepared(published)
    runtime, state = build_runtime("openvino", network, "fp32"), started(network, 2, count=3)
    images = images_of(3, seed=3)
    with torch.inference_mode():
        together, after = runtime.advance(images, state)
        for number in range(3):
            one = slice(number, number + 1)
            alone, own = runtime.advance(images[one], state.image(number))
            assert torch.equal(together.logits[one], alone.logits)
            for name, value in own.tensors().items():
                assert torch.equal(after.tensors()[name][one], value), name


@needs_openvino
def test_an_object_first_seen_in_an_image_of_another_size_is_stepped_beside_one_that_was_not(
    published,
):
    """Of as many objects in images of one size, what is remembered may have another size."""
    network = prepared(published)
    runtime = build_runtime("openvino", network, "fp32")
    images, eager = images_of(1), build_runtime("torch", network, "fp32")
    state = started(network, 2)
    larger = state.resized(2 * SIZE[0], 2 * SIZE[1]).resized(*SIZE)
    if hasattr(state, "target_kernels"):  # of GFDDAL, as many as places of the first image
        kernels = {
            name: getattr(state, name).repeat(1, 1, 4, 1)
            for name in ("target_kernels", "background_kernels")
        }
        larger = dataclasses.replace(larger, **kernels)
    with torch.inference_mode():
        for given in (state, larger, state):
            found, wanted = (run.advance(images, given)[0] for run in (runtime, eager))
            torch.testing.assert_close(found.logits, wanted.logits, rtol=1e-3, atol=1e-3)


@needs_openvino
def test_an_object_that_is_no_number_leaves_the_others_alone(published):
    network = prepared(published)
    eager, compiled = (build_runtime(name, network, "fp32") for name in ("torch", "openvino"))
    state = started(network, 3)
    previous = state.previous.clone()
    previous[:, 1] = torch.nan
    state = dataclasses.replace(state, previous=previous)
    with torch.inference_mode():
        wanted, _ = eager.advance(images_of(1, seed=4), state)
        found, after = compiled.advance(images_of(1, seed=4), state)
    assert wanted.sound.tolist() == [[True, False, True]]
    assert found.sound[:, [0, 2]].all()
    # OpenVINO's ReLU makes a number of what is none; what it calls sound has to be numbers then.
    if found.sound[0, 1]:
        assert after.sound().all()
    assert found.logits.isfinite().all()


@needs_openvino
def test_a_network_that_gives_no_numbers_is_told(published):
    network = prepared(published)
    last = [module for module in network.modules() if isinstance(module, torch.nn.Conv2d)][-1]
    with torch.inference_mode():
        state = started(network, 2)
        last.bias.fill_(torch.nan)
        results = [
            build_runtime(name, network, "fp32").advance(images_of(1), state)
            for name in ("torch", "openvino")
        ]
    for prediction, _ in results:
        assert prediction.sound.tolist() == [[False, False]]


@needs_openvino
def test_a_segmenter_follows_with_either_as_objects_come_and_go(published):
    eager, compiled = (
        VideoSegmenter(published, size=64, runtime=name) for name in ("torch", "openvino")
    )
    agreeing = []
    for segmenter in (eager, compiled):
        segmenter.start(moving(1)[0], FIRST)
        found = [segmenter.step(image).labels for image in moving(4, start=1)]
        segmenter.add(moving(6)[5], mask_of((30, 30, 12, 9)))
        found += [segmenter.step(image).labels for image in moving(3, start=6)]
        segmenter.remove(3)
        found += [segmenter.step(image).labels for image in moving(3, start=9)]
        agreeing.append(np.stack(found))
    assert (agreeing[0] == agreeing[1]).mean() >= 0.999
    assert (eager.runtime, compiled.runtime) == ("torch", "openvino")


def test_what_is_asked_for_in_vain_is_refused_by_name():
    with pytest.raises(ValueError, match=r"no runtime is called 'onnx': auto, torch, openvino"):
        choose_runtime("onnx", CPU, "fp32")
    with pytest.raises(RuntimeMissingError, match="on the CPU only, not on cuda:1"):
        choose_runtime("openvino", torch.device("cuda:1"), "fp32")
    with pytest.raises(RuntimeMissingError, match="in fp32 or bf16, not in fp16"):
        choose_runtime("openvino", CPU, "fp16")
    assert choose_runtime("auto", torch.device("cuda:0"), "bf16") == "torch"


def test_without_the_library_torch_is_taken_and_the_other_refused(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert choose_runtime("auto", CPU, "bf16") == "torch"
    with pytest.raises(RuntimeMissingError, match="pip install openvino"):
        choose_runtime("openvino", CPU, "bf16")


@needs_openvino
def test_nothing_is_sent_to_anybody():
    code = (
        "import sys, vos_ros.runtimes.compiled\n"
        "from openvino.tools.ovc import telemetry_utils\n"
        "print(sys.modules['openvino_telemetry'], telemetry_utils.tm.__name__)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.split() == ["None", "openvino.tools.ovc.telemetry_stub"], result.stderr


@needs_openvino
def test_until_a_step_is_compiled_torch_computes_it_unless_it_is_to_wait(published):
    network = prepared(published)
    runtime = build_runtime("openvino", network, "fp32", waits=False)
    eager, state = build_runtime("torch", network, "fp32"), started(network, 2)
    runtime._compiler.translate = gate = Gate(runtime._compiler.translate)
    with torch.inference_mode():
        wanted, _ = eager.advance(images_of(1), state)
        early, _ = runtime.advance(images_of(1), state)
        assert torch.equal(early.logits, wanted.logits) and not runtime._steps
        gate.open.set()
        while not runtime._steps:  # ends, or the test's time does
            runtime.ready((1, 3, *SIZE), state)
            runtime._work.join()
        late, _ = runtime.advance(images_of(1), state)
    torch.testing.assert_close(late.logits, wanted.logits, atol=1e-3, rtol=1e-3)
    assert runtime.trouble == ""


@needs_openvino
def test_a_step_that_cannot_be_compiled_is_left_to_torch_and_told(published):
    network = prepared(published)
    runtime, state = build_runtime("openvino", network, "fp32", waits=False), started(network, 1)
    runtime._work.join()

    def refuse(*_):
        raise RuntimeError("no such operation")

    runtime._compiler.step = refuse
    with torch.inference_mode():
        runtime.advance(images_of(1), state)
        runtime._work.join()
        begun = runtime._work
        found, _ = runtime.advance(images_of(1), state)
        wanted, _ = build_runtime("torch", network, "fp32").advance(images_of(1), state)
    assert runtime.trouble == "RuntimeError: no such operation"
    shared = SharedRuntime(runtime)
    assert shared.seat(together=False).trouble == runtime.trouble
    shared.close()
    assert torch.equal(found.logits, wanted.logits) and runtime._work is begun


class Gate:
    """Calls a function once it is open."""

    def __init__(self, function):
        self.open, self._function = threading.Event(), function

    def __call__(self):
        assert self.open.wait(60)
        return self._function()


@needs_openvino
def test_a_network_is_translated_once_however_often_it_is_loaded(published, monkeypatch):
    traced, trace = [], torch.jit.trace

    def watched(*given, **named):
        traced.append(given)
        return trace(*given, **named)

    monkeypatch.setattr(torch.jit, "trace", watched)
    changed = copy.deepcopy(published)
    with torch.no_grad():
        next(changed.parameters()).mul_(1.5)
    outcomes = []
    for network in (published, copy.deepcopy(published), changed):
        ready = prepared(network)
        with torch.inference_mode():
            found, _ = build_runtime("openvino", ready, "fp32").advance(
                images_of(1), started(ready, 2)
            )
        outcomes.append(found.logits)
    assert len(traced) <= 2  # an equal network may have been translated by a test before
    assert torch.equal(outcomes[0], outcomes[1]) and not torch.equal(outcomes[0], outcomes[2])


@needs_openvino
def test_translating_leaves_the_log_as_it_is(published):
    root = logging.getLogger()
    before = root.level, list(root.handlers)
    with torch.no_grad():
        next(published.parameters()).mul_(1.25)  # not translated before
    ready = prepared(published)
    with torch.inference_mode():
        build_runtime("openvino", ready, "fp32").advance(images_of(1), started(ready, 1))
    assert (root.level, list(root.handlers)) == before
