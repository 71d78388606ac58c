# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one public class of the core: follow objects through images, given one mask."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from vos_ros import masks
from vos_ros.frames import Geometry, crop, pad, to_camera, to_input, to_masks
from vos_ros.inference import prepare
from vos_ros.masks import SegmentationError
from vos_ros.models.state import SegmentationNetwork
from vos_ros.presence import ObjectPresence, PresenceSettings, PresenceTracker, Sight
from vos_ros.readout import read_out
from vos_ros.targets import Targets

__all__ = ["Segmentation", "SegmentationError", "VideoSegmenter"]


@dataclass(frozen=True)
class Segmentation:
    """What is known of one image.

    Attributes:
        labels: H x W uint8 at the image's own size; 0 background, else the id of the object.
        objects: one entry for every followed object, ascending by id.
    """

    labels: np.ndarray
    objects: tuple[ObjectPresence, ...]


class VideoSegmenter:
    """Follows objects from image to image.

    The state of the objects lives on the device, is of constant size, and is replaced as a whole
    when a call has succeeded: a call that raises changes nothing. Between the upload of an image
    and one download of labels and presence, nothing waits for the host. One thread owns a
    segmenter.

    Args:
        network: a trained network; a prepared copy of it is used.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        precision: ``fp32``, ``bf16`` or ``fp16``.
        size: short side of the image that the network sees, pixels; larger is slower and sharper.
        max_objects: most objects followed at a time.
        presence: when an object counts as present.

    Raises:
        ValueError: when a value above is out of range.
    """

    def __init__(
        self,
        network: SegmentationNetwork,
        *,
        device: str = "cpu",
        precision: str = "fp32",
        size: int = 288,
        max_objects: int = 10,
        presence: PresenceSettings | None = None,
    ) -> None:
        if size < network.stride:
            raise ValueError(f"size must be at least {network.stride} pixels, not {size}")
        if not 1 <= max_objects <= masks.MAX_ID:
            raise ValueError(f"max_objects must be within 1..{masks.MAX_ID}, not {max_objects}")
        self._device = _device(device)
        self._network = prepare(network, self._device, precision)
        self._size = size
        self._max_objects = max_objects
        self._presence = PresenceTracker(presence)
        self._targets: Targets | None = None
        self._geometry: Geometry | None = None
        self._last: Segmentation | None = None

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids of the followed objects, ascending; empty before `start`."""
        return () if self._targets is None else self._targets.ids

    @property
    def max_objects(self) -> int:
        """Most objects followed at a time."""
        return self._max_objects

    @property
    def state_bytes(self) -> int:
        """Bytes of device memory that the state of all followed objects takes."""
        return 0 if self._targets is None else self._targets.state.nbytes

    def start(
        self, image: np.ndarray, mask: np.ndarray, since: Iterable[np.ndarray] = ()
    ) -> Segmentation:
        """Forget everything and follow the objects of a mask.

        Args:
            image: H x W x 3 uint8 RGB, the image that the mask belongs to.
            mask: h x w integers, 0 background, else ids 1..255 (they need not be 1..n). A mask of
                another size than the image is resized if its aspect ratio agrees to 1 %.
            since: later images, oldest first, to carry the objects through before returning.

        Returns:
            The segmentation of the last image of `since`, or of `image` if there is none.

        Raises:
            SegmentationError: when image or mask cannot be used; nothing has changed then.
        """
        labels = self._checked(image, mask, followed=())
        geometry, targets, labels, sights = self._begin(image, labels, since)
        self._presence.clear()
        return self._take(geometry, targets, labels, sights)

    def add(
        self, image: np.ndarray, mask: np.ndarray, since: Iterable[np.ndarray] = ()
    ) -> Segmentation:
        """Follow the objects of a mask too; one that is followed already is learned anew.

        The other objects stay in the state of the last image they were stepped through, which
        should be the last of `since`, or `image` itself.

        Args, raises: as for `start`.

        Returns:
            The last labels with those of the new objects over them.
        """
        if self._targets is None:
            return self.start(image, mask, since)
        labels = self._checked(image, mask, followed=self.ids)
        geometry, new, labels, sights = self._begin(image, labels, since)
        targets = _fitted(self._targets, self._geometry, geometry).joined(new)
        kept = masks.resize(self._last.labels, geometry.camera)
        kept = np.where(np.isin(kept, new.ids), 0, kept)
        labels = np.where(labels > 0, labels, kept).astype(np.uint8)
        others = [entry for entry in self._last.objects if entry.id not in new.slots]
        return self._take(geometry, targets, labels, [*sights, _still_seen(others, labels)])

    def step(self, image: np.ndarray) -> Segmentation:
        """Find the objects in the next image.

        Args:
            image: H x W x 3 uint8 RGB; H and W may differ from those of the image before.

        Raises:
            SegmentationError: before `start`, or when it is not such an image.
        """
        if self._targets is None:
            raise SegmentationError("nothing is followed yet: give a mask to start with")
        masks.check_image(image)
        geometry, targets, labels, sight = self._advance(image, self._targets, self._geometry)
        return self._take(geometry, targets, labels, [sight], begin=False)

    def remove(self, object_id: int) -> None:
        """Stop following one object; the others, and their ids, stay as they are.

        Raises:
            SegmentationError: when no object of that id is followed.
        """
        if self._targets is None or object_id not in self._targets.slots:
            followed = ", ".join(map(str, self.ids)) or "none"
            raise SegmentationError(
                f"object {object_id} is not followed; followed are: {followed}"
            )
        self._targets = self._targets.without([object_id])
        self._presence.forget(object_id)
        labels = np.where(self._last.labels == object_id, 0, self._last.labels).astype(np.uint8)
        kept = tuple(entry for entry in self._last.objects if entry.id != object_id)
        self._last = Segmentation(labels, kept)

    def reset(self) -> None:
        """Follow nothing, as before `start`."""
        self._targets = None
        self._geometry = None
        self._last = None
        self._presence.clear()

    def _checked(
        self, image: np.ndarray, mask: np.ndarray, followed: Sequence[int]
    ) -> np.ndarray:
        masks.check_image(image)
        labels = masks.check_mask(mask, image.shape[:2])
        ids = masks.ids_of(labels)
        count = len(set(ids) | set(followed))
        if count > self._max_objects:
            held = f" beside the {len(followed)} followed" if followed else ""
            raise SegmentationError(
                f"the mask holds {len(ids)} objects{held}, which makes {count}; "
                f"at most {self._max_objects} can be followed (max_objects)"
            )
        if self._network.needs_background and len(ids) == 1 and labels.all():
            raise SegmentationError(
                f"object {ids[0]} fills the whole image; this network tells objects from what is "
                "beside them, so give a mask with background in it"
            )
        return labels

    @torch.inference_mode()
    def _begin(
        self, image: np.ndarray, labels: np.ndarray, since: Iterable[np.ndarray]
    ) -> tuple[Geometry, Targets, np.ndarray, list[Sight]]:
        """New targets from a checked mask, carried through later images, and what was seen."""
        ids = masks.ids_of(labels)
        geometry = self._geometry_of(image)
        soft = to_masks(labels, ids, geometry).to(self._device)
        features = self._network.encode(self._input(image, geometry))
        targets = Targets(ids, self._network.start(features, soft))
        sights = [Sight(ids, masks.statistics(labels, ids), labels.size)]
        for later in since:
            masks.check_image(later)
            geometry, targets, labels, sight = self._advance(later, targets, geometry)
            sights.append(sight)
        return geometry, targets, labels, sights

    @torch.inference_mode()
    def _advance(
        self, image: np.ndarray, targets: Targets, before: Geometry
    ) -> tuple[Geometry, Targets, np.ndarray, Sight]:
        """One step: the device does everything up to one download at the end."""
        geometry = self._geometry_of(image)
        targets = _fitted(targets, before, geometry)
        features = self._network.encode(self._input(image, geometry))
        prediction, state = self._network.step(features, targets.state)
        logits = crop(prediction.logits, geometry)
        labels, statistics = read_out(to_camera(logits, geometry), logits, targets.slots)
        sight = Sight(targets.slots, statistics, labels.size)
        return geometry, targets.with_state(state), labels, sight

    def _geometry_of(self, image: np.ndarray) -> Geometry:
        return Geometry.of(*image.shape[:2], self._size, self._network.stride)

    def _input(self, image: np.ndarray, geometry: Geometry) -> torch.Tensor:
        frame = self._network.normalise(to_input(image, geometry, self._device))
        return pad(frame, geometry).contiguous(memory_format=torch.channels_last)

    def _take(
        self,
        geometry: Geometry,
        targets: Targets,
        labels: np.ndarray,
        sights: Sequence[Sight],
        begin: bool = True,
    ) -> Segmentation:
        """Make the outcome of a call that has succeeded the segmenter's own.

        Args:
            geometry: of the image it ends with.
            targets: the objects followed from now on.
            labels: of that image, H x W uint8.
            sights: what was seen on the way, oldest first; the last of each object counts.
            begin: whether the objects of the first sight were just shown by a mask.
        """
        self._geometry, self._targets = geometry, targets
        if begin:
            self._presence.begin(sights[0].ids)
        found = {entry.id: entry for sight in sights for entry in self._presence.observe(sight)}
        objects = tuple(found[object_id] for object_id in targets.ids)
        self._last = Segmentation(labels, objects)
        # The caller may draw on its labels; these are needed for the next `add`.
        return Segmentation(labels.copy(), objects)


def _device(name: str) -> torch.device:
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"no device is called {name!r}: cpu, cuda or cuda:N") from error


@torch.inference_mode()
def _fitted(targets: Targets, before: Geometry, now: Geometry) -> Targets:
    """Targets of an image of one geometry, made to fit an image of another."""
    if before.padded == now.padded:
        return targets
    return targets.with_state(targets.state.resized(*now.padded))


def _still_seen(objects: Sequence[ObjectPresence], labels: np.ndarray) -> Sight:
    """Objects as sure as they were, where labels show them now that others lie over them."""
    ids = tuple(entry.id for entry in objects)
    statistics = masks.statistics(labels, ids)
    statistics[:, 0] = [entry.score for entry in objects]
    return Sight(ids, statistics, labels.size)
