# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A network's state of what was once learned, checked against the network that is to go on with it.

What was learned comes from a file, and so from anybody.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vos_ros.frames import Geometry
from vos_ros.learned import Learned, lasting, unseen
from vos_ros.masks import SegmentationError
from vos_ros.models.state import FrameFeatures, ObjectState, SegmentationNetwork
from vos_ros.moment import Moment
from vos_ros.presence import PresenceTracker, Sight
from vos_ros.readout import STATISTICS
from vos_ros.region import Region
from vos_ros.targets import Targets


def state_of(
    learned: Learned, network: SegmentationNetwork[Any, Any], size: int, device: torch.device
) -> ObjectState:
    """The state of objects of which this was learned and which have been seen nowhere yet.

    Costs two frames: what the state has to look like is asked of the network itself, and one step
    is tried. Memory is asked for only when the sizes are known to be those of frames that this
    segmenter may get.

    Args:
        learned: what was learned, from wherever it comes.
        network: prepared, of the weights that it was learned with.
        size: short side of the image that this network sees, pixels.
        device: of the network.

    Raises:
        SegmentationError: when it does not fit; the message says why and what would be right.
    """
    learned.check()
    _check_size(learned, size, network.stride)
    features, template = _start(network, learned.padded, device)
    wanted = lasting(template, learned.padded)
    if learned.tensors.keys() != wanted.keys():
        odd = min(learned.tensors.keys() ^ wanted.keys())
        told = "is missing" if odd in wanted else "is none of its fields"
        raise SegmentationError(f"this is of another network: {odd} {told}")
    free = _free_sides(network, learned.padded, device, wanted)
    for name, value in wanted.items():
        _check_shape(name, learned.tensors[name], value, free[name])
        _check_type(name, learned.tensors[name].dtype, value.dtype, learned.precision)
    blank = unseen(template, learned.padded).select([0] * len(learned.ids))
    tensors = {
        name: learned.tensors[name].to(device, value.dtype) for name, value in wanted.items()
    }
    state = dataclasses.replace(blank, **tensors)
    try:
        network.step(features, state)
    except RuntimeError as error:
        raise SegmentationError(f"the network cannot go on with this: {error}") from error
    return state


def unseen_moment(
    learned: Learned, state: ObjectState, presence: PresenceTracker, geometry: Geometry | None
) -> Moment:
    """The moment before the first image in which the objects are looked for: none is present.

    Args:
        learned: tells their ids.
        state: theirs, from `state_of`.
        presence: what is remembered of objects so far.
        geometry: of the last image, seen whole; None when there was none.
    """
    if geometry is None:
        # An image of just the size of the input: what comes is fitted to, as when a camera changes.
        padded = learned.padded
        geometry = Geometry(padded, Region.whole(padded), padded, padded)
    elif geometry.padded != learned.padded:
        state = state.resized(*geometry.padded)
    presence = presence.copy()
    for object_id in learned.ids:
        presence.forget(object_id)
    nothing = Sight(learned.ids, np.zeros((len(learned.ids), STATISTICS)), 1)
    objects = tuple(sorted(presence.observe(nothing), key=lambda entry: entry.id))
    labels = np.zeros(geometry.camera, np.uint8)
    return Moment(geometry, Targets(learned.ids, state), presence, labels, objects)


def _start(
    network: SegmentationNetwork[Any, Any], padded: tuple[int, int], device: torch.device
) -> tuple[FrameFeatures, ObjectState]:
    """Features of a grey frame, and the state of one object that fills its left half."""
    features = network.encode(network.normalise(torch.full((1, 3, *padded), 128.0, device=device)))
    mask = torch.zeros(1, 1, *padded, device=device)
    mask[..., : padded[1] // 2] = 1
    return features, network.start(features, mask)


def _free_sides(
    network: SegmentationNetwork[Any, Any],
    padded: tuple[int, int],
    device: torch.device,
    wanted: Mapping[str, Tensor],
) -> dict[str, set[int]]:
    """Numbers of the dimensions that tell at which size an object began.

    They stay when the state is resized, so that objects which began at one size and are followed at
    another have others than those that begin now.
    """
    small = (network.stride, network.stride)
    if padded == small:
        small = (network.stride, 2 * network.stride)
    other = _start(network, small, device)[1].resized(*padded)
    return {
        name: {i for i in range(2, value.dim()) if getattr(other, name).shape[i] != value.shape[i]}
        for name, value in wanted.items()
    }


def _check_size(learned: Learned, size: int, stride: int) -> None:
    if learned.size != size:
        raise SegmentationError(
            f"this was learned at {learned.size} pixels on the short side, and here the network "
            f"sees {size}; use the same size, or show the objects again"
        )
    short, long = sorted(learned.padded)
    # Images have rounded sides and at most this shape: see `Geometry.of`.
    most_short, most_long = (stride * -(-(side + 4) // stride) for side in (size, 4 * size))
    if short < stride or short > most_short or long > most_long or short % stride or long % stride:
        raise SegmentationError(
            f"no image of {size} pixels on the short side is seen by the network as "
            f"{learned.padded[0]} x {learned.padded[1]}"
        )


def _check_shape(name: str, found: Tensor, wanted: Tensor, free: set[int]) -> None:
    fits = found.dim() == wanted.dim() and all(
        a == b or (i in free and a > 0)
        for i, (a, b) in enumerate(zip(found.shape[2:], wanted.shape[2:], strict=True), start=2)
    )
    if not fits:
        raise SegmentationError(
            f"{name} has the shape {list(found.shape[2:])} for each object, and the network's has "
            f"{list(wanted.shape[2:])}"
        )


def _check_type(name: str, found: torch.dtype, wanted: torch.dtype, precision: str) -> None:
    if found == wanted:
        return
    both = found.is_floating_point and wanted.is_floating_point
    if not both or torch.promote_types(found, wanted) != wanted:
        raise SegmentationError(
            f"this was learned in {precision}, and {name} cannot be turned from {_said(found)} "
            f"into {_said(wanted)} without loss; use the precision {precision}, or fp32, or show "
            "the objects again"
        )


def _said(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
