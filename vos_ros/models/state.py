# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every network of this package promises: features in, state in, prediction and state out."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import Tensor, nn

from vos_ros.models.backbones.base import Backbone
from vos_ros.models.normalisation import InputNormalisation

Features = TypeVar("Features", bound="FrameFeatures")
S = TypeVar("S", bound="ObjectState")


@dataclass(frozen=True)
class FrameFeatures:
    """What a network computes of N frames once, for all their objects.

    Subclasses are dataclasses of tensors N x ..., or of dictionaries of such tensors.
    """

    def frame(self: Features, index: int, length: int) -> Features:
        """The features of frame `index` of every clip.

        Args:
            index: 0..T-1.
            length: T; the N = B T frames are those of B clips, clip after clip.
        """
        return self._map(lambda value: value.unflatten(0, (-1, length))[:, index])

    def only(self: Features, numbers: Tensor) -> Features:
        """The features of the frames with the given numbers 0..N-1, in the given order."""
        return self._map(lambda value: value[numbers])

    def slice(self: Features, begin: int, end: int) -> Features:
        """The features of the frames with the numbers from `begin` to before `end`: views."""
        return self._map(lambda value: value[begin:end])

    def _map(self: Features, function: Callable[[Tensor], Tensor]) -> Features:
        def mapped(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: mapped(part) for key, part in value.items()}
            return function(value)

        parts = {f.name: mapped(getattr(self, f.name)) for f in dataclasses.fields(self)}
        return type(self)(**parts)


@dataclass(frozen=True)
class ObjectState:
    """What a network remembers of N x K objects: K in each of N images.

    Subclasses are dataclasses of tensors, each N x K x ..., of a size that depends on the number of
    objects and the resolution alone, never on how many frames were seen; a field that is no tensor
    is a constant of the network. Nothing is changed in place: every method and every network
    returns a new state.

    Attributes:
        renewed: names of the fields that every step renews; the others stay as `start` made them.
        learned: those among them that say what objects look like, as against where they are.
    """

    renewed: ClassVar[frozenset[str]]
    learned: ClassVar[frozenset[str]]

    def tensors(self) -> dict[str, Tensor]:
        """The tensors by their names, in the order of the fields."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, Tensor)}

    def _map(self: S, function: Callable[[str, Tensor], Tensor]) -> S:
        changed = {name: function(name, value) for name, value in self.tensors().items()}
        return dataclasses.replace(self, **changed)

    @property
    def count(self) -> int:
        """K, the number of objects in each image."""
        return next(iter(self.tensors().values())).shape[1]

    @property
    def nbytes(self) -> int:
        """Bytes held by all tensors of the state."""
        return sum(t.numel() * t.element_size() for t in self.tensors().values())

    def select(self: S, slots: list[int]) -> S:
        """The state of the objects in the given slots only, in the given order."""
        return self._map(lambda _, value: value[:, slots])

    def joined(self: S, other: S) -> S:
        """This state with the objects of `other` in further slots at the end."""
        return self._map(lambda name, value: torch.cat([value, getattr(other, name)], dim=1))

    def image(self: S, index: int) -> S:
        """The state of the objects in one of the N images, alone."""
        return self._map(lambda _, value: value[index : index + 1])

    @staticmethod
    def stacked(states: Sequence[S]) -> S:
        """One state of several images, from states with equally many objects at one resolution."""
        tensors = [state.tensors() for state in states]
        return states[0]._map(lambda name, _: torch.cat([each[name] for each in tensors]))

    def kept(self: S, before: S, slots: Sequence[int], names: frozenset[str]) -> S:
        """This state, with some fields of some objects as they were in another state.

        Args:
            before: of the same objects, at the same resolution.
            slots: of the objects that are to be as they were.
            names: of the fields.
        """
        if not slots:
            return self

        def choose(name: str, value: Tensor) -> Tensor:
            if name not in names:
                return value
            value, old = value.clone(), getattr(before, name)
            for slot in slots:  # one by one: a list of indices would have to be uploaded
                value[:, slot] = old[:, slot]
            return value

        return self._map(choose)

    def exchanged(self: S, one: int, other: int) -> S:
        """This state, where two objects have had each other's places and are put right.

        What an object looked like when it was first seen stays with it; all that was found since
        goes to the other.

        Args:
            one: slot of an object.
            other: that of the other.
        """

        def swap(name: str, value: Tensor) -> Tensor:
            return _swapped(value, one, other) if name in self.renewed else value

        return self._map(swap)

    def sound(self) -> Tensor:
        """Whether all that a step renews of an object is numbers, N x K booleans."""
        values = self.tensors()
        # Of a part that is switched off there is nothing to be said, nor could ONNX say it.
        renewed = [v for name, v in values.items() if name in self.renewed and v.numel()]
        if not renewed:
            some = next(iter(values.values()))
            return some.new_ones(some.shape[:2], dtype=torch.bool)
        # A sum is a number only if all its parts are, and is quicker than to look at each.
        sums = [_flat(value).sum(dim=2, dtype=torch.float32) for value in renewed]
        return torch.stack(sums).isfinite().all(dim=0)

    def detached(self: S) -> S:
        """The same values cut off from the graph of gradients."""
        return self._map(lambda _, value: value.detach())

    def feedback_detached(self: S) -> S:
        """The same values, without gradients to the steps that made them.

        Gradients to the first frame, by way of what `start` made, still flow.
        """
        return self._map(lambda name, value: value.detach() if name in self.renewed else value)

    def resized(self: S, height: int, width: int) -> S:
        """The state fitted to a padded input of height x width pixels (a new camera resolution)."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it is resized")

    def shown(self: S, masks: Tensor) -> S:
        """The state as if given masks had been found in the frame before.

        Args:
            masks: N x K x H x W, soft masks in 0..1 at the size of the padded input.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say where its masks are")

    def reframed(self: S, change: Tensor) -> S:
        """The state where the next frames show another part of the scene, larger or smaller.

        What was found last is moved to where the new view shows it; beyond the old view it is
        unknown, and nothing is taken to be there. What the first frame left stays as it is.

        Args:
            change: N x 2 x 3 float32, the affine map from a place in the new padded input to the
                same in the old one; places are (x, y), -1 and 1 at the outer borders.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say where its masks are")


def _swapped(value: Tensor, one: int, other: int) -> Tensor:
    """N x K x ... with two of the K in each other's place."""
    value, before = value.clone(), value
    value[:, one], value[:, other] = before[:, other], before[:, one]
    return value


def _flat(value: Tensor) -> Tensor:
    """N x K x ... as N x K x E, be it that nothing follows K."""
    return value.unsqueeze(-1).flatten(2)


@dataclass(frozen=True)
class Prediction:
    """What one step says of N images with K objects each.

    Attributes:
        logits: N x (1 + K) x H' x W' at the network's output stride, after soft aggregation;
            channel 0 is the background. A softmax over channels gives merged probabilities.
        coarse_logits: the same at the coarse stride, for the auxiliary loss, or None.
        sound: N x K booleans: whether all that was computed of an object is numbers; one of which
            it is not is left out of `logits`. None where nobody looked, as in training.
    """

    logits: Tensor
    coarse_logits: Tensor | None
    sound: Tensor | None = None


class SegmentationNetwork(nn.Module, abc.ABC, Generic[Features, S]):
    """A network that follows objects: encode a frame once, start objects on it, step them.

    Input frames are N x 3 x H x W, normalised by `normalise`, with H and W multiples of
    `stride`. One call of `encode` serves every object of the frame.
    """

    #: height and width of the input are multiples of this, in pixels
    stride: int = 32
    #: whether an object that fills the image cannot be started: there must be a background, too
    needs_background: bool = False
    #: what training may freeze; what it gives is the input of `project`
    backbone: Backbone
    #: from bytes to what the backbone was trained on
    normalisation: InputNormalisation

    @property
    @abc.abstractmethod
    def config(self) -> dict[str, Any]:
        """The keyword arguments that build this network again."""

    def state_bytes(self, height: int, width: int) -> int:
        """Bytes of state per object at a padded input of height x width pixels, by a formula."""
        raise NotImplementedError(f"{type(self).__name__} has no formula for the size of its state")

    def take_over(self, start: SegmentationNetwork[Any, Any]) -> None:
        """Start training from the weights of another network that this one agrees with.

        Raises:
            RuntimeError: when they do not fit.
        """
        self.load_state_dict(start.state_dict())

    @property
    def dtype(self) -> torch.dtype:
        """The type of the numbers that go in."""
        return next(self.backbone.parameters()).dtype

    def normalise(self, images: Tensor) -> Tensor:
        """N x 3 x H x W RGB in 0..255, of any type, to the input of `encode`."""
        return self.normalisation(images).to(self.dtype)

    def encode(self, images: Tensor) -> Features:
        """The features of N frames N x 3 x H x W, shared by all their objects."""
        return self.project(self.backbone(images))

    @abc.abstractmethod
    def project(self, features: dict[int, Tensor]) -> Features:
        """The part of `encode` after the backbone (apart, so that training can freeze one)."""

    @abc.abstractmethod
    def start(self, features: Features, masks: Tensor) -> S:
        """The state of K new objects, from soft masks N x K x H x W in 0..1."""

    @abc.abstractmethod
    def step(self, features: Features, state: S) -> tuple[Prediction, S]:
        """The objects in the next frame, and the state after it. Nothing waits for the host."""

    def advance(self, images: Tensor, state: S) -> tuple[Prediction, S]:
        """`step` of the features of the frames N x 3 x H x W, told whether all of it is numbers.

        Returns:
            A prediction whose `sound` says so of the state, too; and the state after the frame.
        """
        return self.advance_features(self.encode(images), state)

    def advance_features(self, features: Features, state: S) -> tuple[Prediction, S]:
        """`advance`, of frames that were encoded already."""
        prediction, after = self.step(features, state)
        sound = after.sound() if prediction.sound is None else prediction.sound & after.sound()
        return dataclasses.replace(prediction, sound=sound), after
