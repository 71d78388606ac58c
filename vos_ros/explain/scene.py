# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A clip gone through with one network, and frames of it at which everything is kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from vos_ros.drawing import draw_overlay
from vos_ros.explain.errors import ExplainError
from vos_ros.explain.remembered import RememberedFrame, RememberedFrames
from vos_ros.explain.watching import Step, WatchingRuntime
from vos_ros.frames import Geometry, to_input
from vos_ros.masks import MAX_ID
from vos_ros.models.aggregation import merged_probabilities
from vos_ros.moment import Segmentation
from vos_ros.region import RegionSettings
from vos_ros.runtimes.ready import ReadyNetwork
from vos_ros.segmenter import VideoSegmenter

_SHOWN_WIDTH = 360  # pixels of a final picture; a figure shows it at about that size

#: a frame of a clip: its number, counted from 0, and H x W x 3 uint8 RGB
Frame = tuple[int, np.ndarray]


@dataclass(frozen=True)
class Scene:
    """All about one object in one frame.

    Attributes:
        number: of the frame.
        image: as the camera gave it, H0 x W0 x 3 uint8 RGB.
        view: the part of it that the network saw, at the size it saw, H1 x W1 x 3 uint8 RGB.
        geometry: which part that is.
        step: what the network read and gave.
        found: the outcome.
        slot: of the object in the tensors of the step.
        names: of all objects by id; may be empty.
        remembered: frames in the network's memory, in its order; empty where it has none.
    """

    number: int
    image: np.ndarray
    view: np.ndarray
    geometry: Geometry
    step: Step
    found: Segmentation
    slot: int
    names: Mapping[int, str]
    remembered: tuple[RememberedFrame, ...] = ()

    def map_of(self, maps: Tensor) -> np.ndarray:
        """Of 1 x K x h x w maps that of the object, as an array."""
        return maps[0, self.slot].float().cpu().numpy()

    def soft_mask(self) -> np.ndarray:
        """How probable the object is, merged with the others, over the padded input."""
        return self.map_of(merged_probabilities(self.step.prediction.logits))

    def overlay(self) -> np.ndarray:
        """The image with the final labels and the objects' names, small enough to be read so."""
        height, width = self.image.shape[:2]
        size = (min(width, _SHOWN_WIDTH), round(height * min(1, _SHOWN_WIDTH / width)))
        image = cv2.resize(self.image, size, interpolation=cv2.INTER_AREA)
        labels = cv2.resize(self.found.labels, size, interpolation=cv2.INTER_NEAREST_EXACT)
        return draw_overlay(image, labels, self.found.objects, names=self.names)


@dataclass(frozen=True)
class Viewing:
    """How a clip is gone through.

    Attributes:
        wanted: numbers of the frames to keep.
        object_id: of the object that is explained; all are followed.
        size: short side of what the network sees, pixels.
        region: how closely it looks; None to see the whole image always.
        names: of the objects by id.
    """

    wanted: Collection[int]
    object_id: int
    size: int
    region: RegionSettings | None
    names: Mapping[int, str]


def scenes(
    ready: ReadyNetwork,
    parts: Mapping[str, nn.Module],
    frames: Iterable[Frame],
    mask: np.ndarray,
    viewing: Viewing,
) -> Iterator[Scene]:
    """The wanted frames of a clip, in order; no frame after the last of them is read.

    Args:
        ready: the network, prepared; PyTorch computes its steps whatever its runtime.
        parts: modules of the prepared network to listen to, by name.
        frames: of the clip, from the one that the mask belongs to.
        mask: h x w labels of the first frame.
        viewing: what is wanted.

    Raises:
        ExplainError: when the clip ends before, or its frames differ in size.
        SegmentationError: when image or mask cannot be used.
    """
    runtime = WatchingRuntime(ready.network, parts)
    segmenter = VideoSegmenter(
        ready.with_runtime(runtime),
        size=viewing.size,
        max_objects=MAX_ID,
        region=viewing.region,
    )
    remembered = RememberedFrames()
    rest = iter(frames)
    first = next(rest, None)
    if first is None:
        raise ExplainError("the clip ends before the frame that the mask belongs to")
    start, image = first
    segmenter.start(image, mask)
    remembered.begin(start, _view(image, _seen(segmenter)))
    shape, number = image.shape, start
    for number, image in rest:
        if image.shape != shape:
            raise ExplainError(f"frame {number} is of another size than frame {start}")
        found, geometry = segmenter.step(image), _seen(segmenter)
        step, view = runtime.last, _view(image, geometry)
        remembered.add(number, view, step)
        if number in viewing.wanted:
            slot = segmenter.ids.index(viewing.object_id)
            held = remembered.of(step.state, slot)
            yield Scene(number, image, view, geometry, step, found, slot, viewing.names, held)
        if number >= max(viewing.wanted):
            return
    raise ExplainError(f"the clip ends with frame {number}; there is no {max(viewing.wanted)}")


def _seen(segmenter: VideoSegmenter) -> Geometry:
    assert segmenter.geometry is not None, "objects are followed by now"
    return segmenter.geometry


def _view(image: np.ndarray, geometry: Geometry) -> np.ndarray:
    """What the network sees of an image, without padding, as RGB."""
    seen = to_input(image, geometry, torch.device("cpu"))[0].permute(1, 2, 0)
    return np.ascontiguousarray(seen.round().clamp(0, 255).to(torch.uint8).numpy())
