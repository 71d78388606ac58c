# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network compiled by OpenVINO for the CPU at hand: the same step in about half the time."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import logging
import sys
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor

from vos_ros.models.state import ObjectState, Prediction, SegmentationNetwork
from vos_ros.runtimes.base import portions
from vos_ros.runtimes.eager import EagerRuntime
from vos_ros.runtimes.flat_step import RESULTS, FlatStep, blank_state
from vos_ros.runtimes.threads import torch_threads

# A robot does not phone home: where this package is not to be had, OpenVINO goes without.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # as Python has it
import openvino as ov  # noqa: E402

COMPILER_THREAD = "vos_compiler"
"""What the thread is called that compiles while others go on."""

_TYPES = {
    torch.float32: ov.Type.f32,
    torch.bfloat16: ov.Type.bf16,
    torch.bool: ov.Type.boolean,
}

#: OpenVINO's names of the precisions
_HINTS = {"fp32": "f32", "bf16": "bf16"}

#: as many steps are kept compiled for one segmenter, and one more for each further; each step holds
#: the network's weights
_KEPT_STEPS = 4

#: the network is translated by an example of this height and width, whatever the images are
_EXAMPLE = (96, 160)

#: translations that are kept, by fingerprint; one is made at a time
_TRANSLATED: OrderedDict[str, ov.Model] = OrderedDict()
_TRANSLATING = threading.Lock()
_KEPT_TRANSLATIONS = 3

#: height and width of the input, and the shapes of an object's state: of how many there are, and of
#: where they were first seen, for they may have been in an image of another size
_Key = tuple[tuple[int, ...], ...]


class CompiledRuntime:
    """Computes steps on the CPU.

    The network is translated once, which takes seconds, and compiled for every size of the input
    and number of objects in it, which takes some tenths of one; when first needed. States are those
    of the eager network, of the same types, so that either may take over from the other at any
    time. All that a step returns is memory of its own. A ReLU makes 0 of what is no number, so that
    `sound` tells of what came out, not of what was met on the way.

    One thread at a time may step.

    Args:
        network: prepared for inference on the CPU.
        precision: ``fp32`` or ``bf16``, as it was prepared for.
        waits: whether a step waits until it is compiled. If not, PyTorch computes steps until that
            is done, so that none takes long; what comes of them differs by rounding. Translating
            begins at once then.
    """

    def __init__(
        self, network: SegmentationNetwork[Any, Any], precision: str, waits: bool = True
    ) -> None:
        self._eager = EagerRuntime(network)
        self._threads = torch.get_num_threads()
        self._compiler = _Compiler(network, precision, self._threads)
        self._waits = waits
        self._steps: OrderedDict[_Key, _Step] = OrderedDict()
        self._most_steps = _KEPT_STEPS
        self._lock = threading.Lock()
        self._failed: dict[_Key, str] = {}
        self._work: threading.Thread | None = None
        if not waits:
            self._begin(self._compiler.translate)

    @property
    def trouble(self) -> str:
        """Why some step could not be compiled, which PyTorch computes instead; empty if all could.

        Where steps wait, they raise it.
        """
        failed = list(self._failed.values())  # a copy: another thread may be adding to them
        return failed[0] if failed else ""

    @property
    def threads_beside(self) -> int:
        """One: PyTorch's threads stay awake for a while after their work, on OpenVINO's cores."""
        return 1

    def advance(self, images: Tensor, state: ObjectState) -> tuple[Prediction, ObjectState]:
        """See `Runtime`; one image after the other, each with all threads."""
        step = self._step(tuple(images.shape), state)
        if step is None:
            with torch_threads(self._threads):
                return self._eager.advance(images, state)
        if images.shape[0] == 1:
            return step(images, state)
        each = [step(images[i : i + 1], state.image(i)) for i in range(images.shape[0])]
        logits, sound = (
            torch.cat([getattr(prediction, name) for prediction, _ in each]) for name in RESULTS
        )
        return Prediction(logits, None, sound), ObjectState.stacked([after for _, after in each])

    def advance_groups(
        self, images: Tensor, states: Sequence[ObjectState]
    ) -> list[tuple[Prediction, ObjectState]]:
        """See `Runtime`; one image after the other."""
        return [
            self.advance(images[begin:end], state)
            for (begin, end), state in zip(portions(states), states, strict=True)
        ]

    def serve(self, segmenters: int) -> None:
        """See `Runtime`; else several would drive out each other's steps."""
        self._most_steps = max(self._most_steps, _KEPT_STEPS + segmenters - 1)

    def ready(self, images: tuple[int, ...], state: ObjectState) -> None:
        """Translate and compile what such a step needs, unless it is there; begin to, at least."""
        self._step(images, state)

    def _step(self, images: tuple[int, ...], state: ObjectState) -> _Step | None:
        """The compiled step; None where PyTorch is to compute it."""
        shapes = (tuple(value.shape[1:]) for value in state.tensors().values())
        key = (tuple(images[-2:]), *shapes)
        step = self._kept(key)
        if step is None:
            if self._waits:
                self._compile(key, state)
            elif key not in self._failed:
                self._begin(partial(self._try_to_compile, key, state))
            step = self._kept(key)
        return step

    def _kept(self, key: _Key) -> _Step | None:
        with self._lock:  # compiled steps come, and old ones go, on another thread
            step = self._steps.get(key)
            if step is not None:
                self._steps.move_to_end(key)
            return step

    def _begin(self, work: Callable[[], object]) -> None:
        """Have it done, unless something is being done already."""
        if self._work is None or not self._work.is_alive():
            # No daemon: compiling cannot be interrupted, and would crash in an interpreter that is
            # being taken down around it. A process that cannot wait has to end by itself.
            self._work = threading.Thread(target=work, name=COMPILER_THREAD)
            self._work.start()

    def _try_to_compile(self, key: _Key, state: ObjectState) -> None:
        try:
            self._compile(key, state)
        except Exception as error:
            self._failed[key] = f"{type(error).__name__}: {error}"

    def _compile(self, key: _Key, state: ObjectState) -> None:
        self._keep(key, self._compiler.step(key, state))

    def _keep(self, key: _Key, step: _Step) -> None:
        with self._lock:
            self._steps[key] = step
            while len(self._steps) > self._most_steps:
                self._steps.popitem(last=False)


class _Compiler:
    """From a network to compiled steps; one thread at a time."""

    def __init__(
        self, network: SegmentationNetwork[Any, Any], precision: str, threads: int
    ) -> None:
        self._network = network
        self._threads = threads
        self._hint = _HINTS[precision]
        self._core = ov.Core()
        self._model: ov.Model | None = None

    def translate(self) -> ov.Model:
        """OpenVINO's form of a step, of any size and number of objects; made once."""
        if self._model is None:
            self._model = _translation_of(self._network)
        return self._model

    def step(self, key: _Key, state: ObjectState) -> _Step:
        """The step of images of a height and width, and of such a state."""
        height, width = key[0]
        model = self.translate().clone()
        shapes = [(1, *value.shape[1:]) for value in state.tensors().values()]
        inputs = enumerate([(1, height, width, 3), *shapes])
        model.reshape({number: ov.PartialShape(shape) for number, shape in inputs})
        settings = {
            "INFERENCE_PRECISION_HINT": self._hint,
            "INFERENCE_NUM_THREADS": self._threads,
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
        # OpenVINO only borrows this memory: what is made here has to live until it is done.
        inputs = [images.permute(0, 2, 3, 1).contiguous(), *given.values()]
        for number, value in enumerate(inputs):
            self._request.set_input_tensor(number, _shared(value))
        found = [torch.empty(s, dtype=t) for s, t in zip(self._shapes, self._types, strict=True)]
        for number, value in enumerate(found):
            self._request.set_output_tensor(number, _shared(value))
        self._request.infer()
        del inputs
        renewed = dict(zip(self._renewed, found[len(RESULTS) :], strict=True))
        # With what had to be laid out anew, so that the next step finds it so.
        return Prediction(found[0], None, found[1]), dataclasses.replace(state, **given | renewed)


def _translation_of(network: SegmentationNetwork[Any, Any]) -> ov.Model:
    """A step, translated once in a process for networks that are equal, as after each configuring.

    PyTorch keeps the weights of whatever it has traced for good, so that it must not be done often.
    """
    name = _fingerprint(network)
    with _TRANSLATING:
        if name not in _TRANSLATED:
            _TRANSLATED[name] = _translated(network)
        _TRANSLATED.move_to_end(name)
        while len(_TRANSLATED) > _KEPT_TRANSLATIONS:
            _TRANSLATED.popitem(last=False)
        return _TRANSLATED[name]


def _fingerprint(network: SegmentationNetwork[Any, Any]) -> str:
    """The same for networks that compute the same from the same."""
    digest = hashlib.sha256(f"{type(network).__qualname__} {network.config}".encode())
    for name, value in network.state_dict().items():
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


@contextmanager
def _log_as_it_is() -> Iterator[None]:
    """OpenVINO's translator sets up the log of the whole process, so that warnings are lost."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers


def _translated(network: SegmentationNetwork[Any, Any]) -> ov.Model:
    """A step, from and to tensors of the types that the network's states have."""
    # In full precision: which operations keep it is for the compiler to choose.
    wide = copy.deepcopy(network).float()
    wide.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # see `prepare`
    step, like = FlatStep.of(wide, *_EXAMPLE), blank_state(network, *_EXAMPLE).tensors()
    # What it complains of depends on sizes that tests vary. Not `catch_warnings`: it changes what
    # other threads are warned of, too.
    tracing = torch.jit.TracerWarning  # type: ignore[attr-defined]  # not declared
    warnings.filterwarnings("ignore", category=tracing)
    # A trace and not an export: all sizes stay open in it, and it is this thread's alone, where an
    # export puts itself in the place of every module's call in the whole process.
    with torch.no_grad():
        traced = torch.jit.trace(step, step.example, check_trace=False)
        with _log_as_it_is():
            model = ov.convert_model(traced, example_input=step.example)
    ends = ov.preprocess.PrePostProcessor(model)
    for number, name in enumerate(step.given, start=1):
        ends.input(number).tensor().set_element_type(_TYPES[like[name].dtype])
    # Images come channels-last and are convolved so: in another order they would be turned twice.
    ends.input(0).tensor().set_element_type(_TYPES[network.dtype]).set_layout(ov.Layout("NHWC"))
    ends.input(0).model().set_layout(ov.Layout("NCHW"))
    for number, name in enumerate(step.renewed, start=len(RESULTS)):
        ends.output(number).tensor().set_element_type(_TYPES[like[name].dtype])
    return ends.build()


def _shared(value: Tensor) -> ov.Tensor:
    """The same memory as OpenVINO sees it; numpy has no bfloat16, hence the detour by integers."""
    kind = _TYPES[value.dtype]
    if value.dtype is torch.bfloat16:
        value = value.view(torch.uint16)
    return ov.Tensor(value.numpy(), ov.Shape(list(value.shape)), kind)


def _torch_type(kind: ov.Type) -> torch.dtype:
    return next(dtype for dtype, known in _TYPES.items() if known == kind)
