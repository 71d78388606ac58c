# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Exported files held against the network they are of, over a whole clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from vos_ros.export.following import OnnxFollower
from vos_ros.export.pair import OnnxPair
from vos_ros.inference import prepare
from vos_ros.models.state import FrameFeatures, SegmentationNetwork

#: probabilities may differ by this much, and so many labels must be equal
MOST_DIFFERENCE, LEAST_EQUAL = 1e-3, 0.999


@dataclass(frozen=True)
class Agreement:
    """How alike the answers of both are over a clip, each going on from its own state.

    Attributes:
        objects: that were followed.
        frames: after the first.
        difference: the largest between two probabilities of the same place.
        equal: share of the places at which both have the same label, in all frames together.
        sound: whether both agreed on which objects are sound.
    """

    objects: int
    frames: int
    difference: float
    equal: float
    sound: bool

    @property
    def good(self) -> bool:
        """Whether the files may stand for the network."""
        # So written, no number is not good.
        close = self.difference <= MOST_DIFFERENCE and self.equal >= LEAST_EQUAL
        return close and self.sound

    def __str__(self) -> str:
        some = f"{self.objects} object{'s' * (self.objects != 1)}, {self.frames} frames"
        text = (
            f"{some}: probabilities differ by {self.difference:.1e} at most, "
            f"{100 * self.equal:.3f} % of the labels are equal"
        )
        return text if self.sound else f"{text}, other objects are sound"


@torch.inference_mode()
def compare(
    network: SegmentationNetwork[Any, Any],
    pair: OnnxPair,
    frames: Sequence[np.ndarray],
    mask: np.ndarray,
) -> Agreement:
    """Follow the objects of a clip by both.

    Args:
        network: that the pair was made of.
        pair: the ONNX models.
        frames: H x W x 3 uint8 RGB each, of the size of the pair.
        mask: H x W, the labels 0..K of the first.
    """
    network = prepare(network, torch.device("cpu"), "fp32")
    first, *later = (np.moveaxis(frame, 2, 0)[None].astype(np.float32) for frame in frames)
    objects = int(mask.max())
    masks = (mask == np.arange(1, objects + 1)[:, None, None])[None].astype(np.float32)
    follower = OnnxFollower(pair, torch.get_num_threads())
    follower.start(first, masks)
    state = network.start(_encoded(network, first), torch.from_numpy(masks))
    differences, equal, sound = [], [], True
    for images in later:
        logits, same = follower.step(images)
        prediction, state = network.advance(_input(network, images), state)
        found = torch.from_numpy(logits)
        apart = F.softmax(found, dim=1) - F.softmax(prediction.logits, dim=1)
        differences.append(float(apart.abs().max()))
        alike = found.argmax(dim=1) == prediction.logits.argmax(dim=1)
        equal.append(float(alike.double().mean()))
        assert prediction.sound is not None
        sound = sound and np.array_equal(same, prediction.sound.numpy())
    # Of numpy: its maximum is no number where one of them is none.
    worst, share = float(np.max(differences)), float(np.mean(equal))
    return Agreement(objects, len(later), worst, share, sound)


def _input(network: SegmentationNetwork[Any, Any], images: np.ndarray) -> torch.Tensor:
    return network.normalise(torch.from_numpy(images))


def _encoded(network: SegmentationNetwork[Any, Any], images: np.ndarray) -> FrameFeatures:
    return network.encode(_input(network, images))
