# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network compiled by OpenVINO for the CPU at hand: the same step in about half the time."""

from __future__ import annotations

import copy
import dataclasses
import sys
import warnings

import torch
from torch import Tensor

from vos_ros.models.state import ObjectState, Prediction, SegmentationNetwork
from vos_ros.runtimes.flat_step import RESULTS, FlatStep

# A robot does not phone home: where this package is not to be had, OpenVINO goes without.
sys.modules.setdefault("openvino_telemetry", None)
import openvino as ov  # noqa: E402

_TYPES = {
    torch.float32: ov.Type.f32,
    torch.bfloat16: ov.Type.bf16,
    torch.bool: ov.Type.boolean,
}

#: OpenVINO's names of the precisions
_HINTS = {"fp32": "f32", "bf16": "bf16"}


class CompiledRuntime:
    """Computes steps on the CPU.

    The network is translated once for every size of the input, which takes seconds, and compiled
    for every number of objects in it, which takes some tenths of one; both when first needed.
    States are those of the eager network, of the same types, so that it may take over at any time.
    All that a step returns is memory of its own. A ReLU makes 0 of what is no number, so that
    `sound` tells of what came out, not of what was met on the way.

    Args:
        network: prepared for inference on the CPU.
        precision: ``fp32`` or ``bf16``, as it was prepared for.
    """

    def __init__(self, network: SegmentationNetwork, precision: str) -> None:
        self._network = network
        self._hint = _HINTS[precision]
        self._core = ov.Core()
        self._models: dict[tuple[int, int], ov.Model] = {}
        self._steps: dict[tuple[int, int, int], _Step] = {}

    def advance(self, images: Tensor, state: ObjectState) -> tuple[Prediction, ObjectState]:
        """See `Runtime`; one image after the other, each with all threads."""
        step = self._step(tuple(images.shape), state)
        if images.shape[0] == 1:
            return step(images, state)
        each = [step(images[i : i + 1], state.image(i)) for i in range(images.shape[0])]
        logits, sound = (
            torch.cat([getattr(prediction, name) for prediction, _ in each]) for name in RESULTS
        )
        return Prediction(logits, None, sound), ObjectState.stacked([after for _, after in each])

    def ready(self, images: tuple[int, ...], state: ObjectState) -> None:
        """Translate and compile what such a step needs, unless it is there."""
        self._step(images, state)

    def _step(self, images: tuple[int, ...], state: ObjectState) -> _Step:
        height, width = images[-2:]
        key = (height, width, state.count)
        if key not in self._steps:
            self._steps[key] = self._compiled(height, width, state)
        return self._steps[key]

    def _compiled(self, height: int, width: int, state: ObjectState) -> _Step:
        size = (height, width)
        if size not in self._models:
            self._models[size] = _translated(self._network, state, height, width)
        model = self._models[size].clone()
        tensors = state.tensors()
        shapes = [(1, 3, height, width), *((1, *value.shape[1:]) for value in tensors.values())]
        model.reshape({number: ov.PartialShape(shape) for number, shape in enumerate(shapes)})
        settings = {
            "INFERENCE_PRECISION_HINT": self._hint,
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "PERFORMANCE_HINT": "LATENCY",
        }
        return _Step(self._core.compile_model(model, "CPU", settings), state)


class _Step:
    """One compiled step: of so many objects, in images of one size."""

    def __init__(self, compiled: ov.CompiledModel, state: ObjectState) -> None:
        self._request = compiled.create_infer_request()
        self._renewed = [name for name in state.tensors() if name in state.renewed]
        self._shapes = [tuple(output.shape) for output in compiled.outputs]
        self._types = [_torch_type(output.element_type) for output in compiled.outputs]

    def __call__(self, images: Tensor, state: ObjectState) -> tuple[Prediction, ObjectState]:
        given = {name: value.contiguous() for name, value in state.tensors().items()}
        for number, value in enumerate([images.contiguous(), *given.values()]):
            self._request.set_input_tensor(number, _shared(value))
        found = [torch.empty(s, dtype=t) for s, t in zip(self._shapes, self._types, strict=True)]
        for number, value in enumerate(found):
            self._request.set_output_tensor(number, _shared(value))
        self._request.infer()
        renewed = dict(zip(self._renewed, found[2:], strict=True))
        # With what had to be laid out anew, so that the next step finds it so.
        return Prediction(found[0], None, found[1]), dataclasses.replace(state, **given | renewed)


def _translated(
    network: SegmentationNetwork, state: ObjectState, height: int, width: int
) -> ov.Model:
    """OpenVINO's form of a step, from and to tensors of the types that the state has."""
    # In full precision: which operations keep it is for the compiler to choose.
    wide = copy.deepcopy(network).float().to(memory_format=torch.contiguous_format)
    step = FlatStep(wide, state)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of PyTorch's own making
        model = ov.convert_model(step.exported(height, width))
    ends = ov.preprocess.PrePostProcessor(model)
    tensors = state.tensors()
    given = [network.dtype, *(tensors[name].dtype for name in step.given)]
    for number, dtype in enumerate(given):
        ends.input(number).tensor().set_element_type(_TYPES[dtype])
    for number, name in enumerate(step.renewed, start=2):
        ends.output(number).tensor().set_element_type(_TYPES[tensors[name].dtype])
    return ends.build()


def _shared(value: Tensor) -> ov.Tensor:
    """The same memory as OpenVINO sees it; numpy has no bfloat16, hence the detour by integers."""
    kind = _TYPES[value.dtype]
    if value.dtype is torch.bfloat16:
        value = value.view(torch.uint16)
    return ov.Tensor(value.numpy(), ov.Shape(list(value.shape)), kind)


def _torch_type(kind: ov.Type) -> torch.dtype:
    return next(dtype for dtype, known in _TYPES.items() if known == kind)
