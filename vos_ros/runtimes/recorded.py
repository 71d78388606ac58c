# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Steps recorded once and then replayed whole, so that the host need not launch them anew.

On a GPU a step is some hundreds of small operations, and launching them takes the host longer than
the GPU needs to compute them. A recording is launched at once.

Letters: N images, K objects in each.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from vos_ros.models.state import ObjectState, Prediction, SegmentationNetwork
from vos_ros.runtimes.base import portions
from vos_ros.runtimes.eager import EagerRuntime

Outcome = tuple[Prediction, ObjectState]
Compute = Callable[[], list[Tensor]]
Recorder = Callable[[Compute], tuple[list[Tensor], Callable[[], None]]]
"""Records a function of no arguments that reads and writes memory at fixed places: returns what it
gave, which stays where it is, and what computes it there again."""

#: as many recordings are kept for one segmenter, and one more for each further
_KEPT_RECORDINGS = 6

#: as many sizes of images and objects are remembered as having come once
_KEPT_SIGHTS = 64

#: a recording is only used if it gives what was computed without it, as far as rounding goes
_TOLERANCE = 2e-2

_Key = tuple[tuple[int, ...], ...]


class RecordedRuntime:
    """Computes steps by replaying them.

    Sizes of images and objects that come for the second time are recorded; those that come once
    are computed operation by operation, as is all of which a recording fails or gives something
    else. All that a step returns is memory of its own.

    One thread at a time may step.

    Args:
        network: prepared for inference, on the device that the recorder is for.
        record: see `Recorder`; `CudaRecorder` is one.
    """

    def __init__(self, network: SegmentationNetwork[Any, Any], record: Recorder) -> None:
        self._network = network
        self._eager = EagerRuntime(network)
        self._record = record
        self._recordings: OrderedDict[_Key, _Recording] = OrderedDict()
        self._most = _KEPT_RECORDINGS
        self._came_once: OrderedDict[_Key, None] = OrderedDict()
        self._failed: dict[_Key, str] = {}

    @property
    def trouble(self) -> str:
        """Why some step is not replayed; empty if all that came again are."""
        failed = list(self._failed.values())  # a copy: another thread may be adding to them
        return failed[0] if failed else ""

    @property
    def threads_beside(self) -> None:
        """As many as there are: the host is idle."""
        return None

    def advance(self, images: Tensor, state: ObjectState) -> Outcome:
        """See `Runtime`; nothing waits for the host, but for a recording."""
        (outcome,) = self.advance_groups(images, [state])
        return outcome

    def advance_groups(self, images: Tensor, states: Sequence[ObjectState]) -> list[Outcome]:
        """See `Runtime`; all in one recording."""
        key = _key(tuple(images.shape), states)
        recording = self._recordings.get(key)
        if recording is None and key not in self._failed and self._comes_again(key):
            recording = self._try_to_record(key, images, states)
        if recording is None:
            return self._eager.advance_groups(images, states)
        self._recordings.move_to_end(key)
        return recording(images, states)

    def serve(self, segmenters: int) -> None:
        """See `Runtime`; else several would drive out each other's recordings."""
        self._most = max(self._most, _KEPT_RECORDINGS + segmenters - 1)

    def ready(self, images: tuple[int, ...], state: ObjectState) -> None:
        """Record what such a step needs, unless it is there."""
        key = _key(images, [state])
        if key not in self._recordings and key not in self._failed:
            device = next(self._network.parameters()).device
            blank = torch.zeros(images, dtype=self._network.dtype, device=device)
            self._try_to_record(key, blank, [state])

    def _comes_again(self, key: _Key) -> bool:
        if key in self._came_once:
            del self._came_once[key]
            return True
        self._came_once[key] = None
        while len(self._came_once) > _KEPT_SIGHTS:
            self._came_once.popitem(last=False)
        return False

    def _try_to_record(
        self, key: _Key, images: Tensor, states: Sequence[ObjectState]
    ) -> _Recording | None:
        try:
            recording = _Recording(self._eager, self._record, images, states)
            recording.check(self._eager, images, states)
        except Exception as error:  # whatever it is, the step can be computed without it
            self._failed[key] = f"{type(error).__name__}: {error}"
            return None
        self._recordings[key] = recording
        while len(self._recordings) > self._most:
            self._recordings.popitem(last=False)
        return recording


class _Recording:
    """One recorded step, and the memory that it reads and writes."""

    def __init__(
        self,
        eager: EagerRuntime,
        record: Recorder,
        images: Tensor,
        states: Sequence[ObjectState],
    ) -> None:
        self._images = torch.empty_like(images).copy_(images)
        self._places = [
            {name: torch.empty_like(value).copy_(value) for name, value in state.tensors().items()}
            for state in states
        ]
        #: what lies in the places that no step renews: it is only copied when it is another
        self._constants: dict[tuple[int, str], Tensor] = {}
        standing = [
            dataclasses.replace(state, **places)
            for state, places in zip(states, self._places, strict=True)
        ]
        self._found, self._replay = record(
            lambda: [
                value
                for outcome in eager.advance_groups(self._images, standing)
                for value in _given(outcome)
            ]
        )

    def __call__(self, images: Tensor, states: Sequence[ObjectState]) -> list[Outcome]:
        self._give(images, states)
        self._replay()
        own = [torch.empty_like(value) for value in self._found]
        _copy(own, self._found)
        return _outcomes(own, states)

    def check(self, eager: EagerRuntime, images: Tensor, states: Sequence[ObjectState]) -> None:
        """Raise RuntimeError when it gives something else than is right. Waits for the device."""
        # Of other images than were recorded: what does not read them would be right about those.
        images = images.flip(-1) + 1
        expected = eager.advance_groups(images, states)
        for found, right in zip(self(images, states), expected, strict=True):
            pairs = zip(_given(found), _given(right), strict=True)
            for one, other in pairs:
                near = torch.isclose(
                    one.float(), other.float(), _TOLERANCE, _TOLERANCE, equal_nan=True
                )
                if near.float().mean() < 0.999:
                    raise RuntimeError("what was recorded gives something else when it is replayed")

    def _give(self, images: Tensor, states: Sequence[ObjectState]) -> None:
        """Lay what is given where the recording reads it, as few copies as may be."""
        places, values = [self._images], [images]
        new: dict[tuple[int, str], Tensor] = {}
        for number, (state, standing) in enumerate(zip(states, self._places, strict=True)):
            for name, value in state.tensors().items():
                if name not in state.renewed:
                    # States are never changed in place: the same tensor holds the same numbers.
                    if self._constants.get((number, name)) is value:
                        continue
                    new[number, name] = value
                if value.numel():
                    places.append(standing[name])
                    values.append(value)
        _copy(places, values)
        self._constants |= new  # now that they lie there


def _given(outcome: Outcome) -> list[Tensor]:
    """What a step gives that is new: logits, soundness, and what it renews of the state."""
    prediction, after = outcome
    if prediction.sound is None:
        raise RuntimeError("the network does not say whether what it computed is numbers")
    tensors = after.tensors()
    return [prediction.logits, prediction.sound, *(tensors[name] for name in _renewed(after))]


def _renewed(state: ObjectState) -> list[str]:
    return [name for name in state.tensors() if name in state.renewed]


def _outcomes(found: Sequence[Tensor], states: Sequence[ObjectState]) -> list[Outcome]:
    """What was found, in the order of `_given`, as outcomes of these states."""
    coming = iter(found)
    outcomes = []
    for state in states:
        logits, sound = next(coming), next(coming)
        renewed = {name: next(coming) for name in _renewed(state)}
        outcomes.append((Prediction(logits, None, sound), dataclasses.replace(state, **renewed)))
    return outcomes


def _copy(places: Sequence[Tensor], values: Sequence[Tensor]) -> None:
    """Copy values of the same types to their places: those of one type at once, as PyTorch can."""
    kinds: dict[torch.dtype, tuple[list[Tensor], list[Tensor]]] = {}
    for place, value in zip(places, values, strict=True):
        into, from_ = kinds.setdefault(value.dtype, ([], []))
        into.append(place)
        from_.append(value)
    for into, from_ in kinds.values():
        torch._foreach_copy_(into, from_)


def _key(images: tuple[int, ...], states: Sequence[ObjectState]) -> _Key:
    shapes = (tuple(value.shape) for state in states for value in state.tensors().values())
    counts = tuple(end - begin for begin, end in portions(states))
    return (images, counts, *shapes)
