# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a segmenter knows after an image."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from vos_ros import masks
from vos_ros.absence import state_after, without_hidden
from vos_ros.frames import Geometry
from vos_ros.models.state import ObjectState, view_change
from vos_ros.presence import ObjectPresence, PresenceTracker, Sight
from vos_ros.targets import Targets


@dataclass(frozen=True)
class Segmentation:
    """What is known of one image.

    Attributes:
        labels: H x W uint8 at the image's own size; 0 background, else the id of the object.
        objects: one entry for every followed object, ascending by id.
        confidence: H x W float32, how probable each pixel's label is, 0 where the network did not
            look and 1 where people said it; None unless it was asked for.
    """

    labels: np.ndarray
    objects: tuple[ObjectPresence, ...]
    confidence: np.ndarray | None = None


@dataclass(frozen=True)
class Moment:
    """All that a segmenter knows after an image, and all that it needs for the next.

    Nothing is changed in place: what comes next is a moment of its own, so that a call that fails
    half way leaves what was known as it was.

    Attributes:
        geometry: of the image, with the region of it that was seen.
        targets: the objects, their state as that region shows them.
        presence: what is remembered of their coming and going.
        labels: of the image, H x W uint8.
        objects: what was found of each, ascending by id.
        confidence: of the labels, if it was asked for.
    """

    geometry: Geometry
    targets: Targets
    presence: PresenceTracker
    labels: np.ndarray
    objects: tuple[ObjectPresence, ...]
    confidence: np.ndarray | None = None

    @classmethod
    def seen(
        cls,
        geometry: Geometry,
        targets: Targets,
        after: ObjectState,
        presence: PresenceTracker,
        labels: np.ndarray,
        statistics: np.ndarray,
    ) -> Moment:
        """The moment of an image in which all its objects were looked for.

        Args:
            targets: as they were before it, in its geometry.
            after: their state after it, if they are in it.
            presence: what was remembered before it.
            labels: of the image; hidden objects lose theirs.
            statistics: K x 6 in the order of the slots; see `Sight`.
        """
        presence = presence.copy()
        found = presence.observe(Sight(targets.slots, statistics, labels.size))
        state = state_after(targets.state, after, found)
        labels = without_hidden(labels, found)
        return cls(geometry, targets.with_state(state), presence, labels, _ascending(found))

    @property
    def segmentation(self) -> Segmentation:
        """For the caller, who may draw on the labels."""
        return Segmentation(self.labels.copy(), self.objects, self.confidence)

    def without(self, object_id: int) -> Moment | None:
        """As if one object had not been followed; None when it was the only one."""
        targets = self.targets.without([object_id])
        if targets is None:
            return None
        presence = self.presence.copy()
        presence.forget(object_id)
        return dataclasses.replace(
            self,
            targets=targets,
            presence=presence,
            labels=np.where(self.labels == object_id, 0, self.labels).astype(np.uint8),
            objects=tuple(entry for entry in self.objects if entry.id != object_id),
        )

    def joined(
        self,
        new: Moment,
        geometry_of: Callable[[tuple[int, int], Sequence[ObjectPresence]], Geometry],
        device: torch.device,
    ) -> Moment:
        """The moment of a newer one's image in which both are followed, the new over the old.

        Args:
            new: its objects were seen for themselves, in a region of their own; one replaces the
                object here with the same id. What it remembers began with what is remembered here.
            geometry_of: chooses the region that shows all, from the camera's height and width and
                the objects.
            device: where the state lives.
        """
        camera, ids = new.geometry.camera, new.targets.slots
        kept = masks.resize(self.labels, camera)
        kept = np.where(np.isin(kept, ids), 0, kept)
        labels = np.where(new.labels > 0, new.labels, kept).astype(np.uint8)
        presence = new.presence.copy()
        others = [entry for entry in self.objects if entry.id not in ids]
        objects = _ascending([*new.objects, *presence.observe(_still_seen(others, labels))])
        geometry = geometry_of(camera, objects)
        mine, theirs = (moment.targets_in(geometry, device) for moment in (self, new))
        confidence = new.confidence
        if confidence is not None and self.confidence is not None and camera == self.labels.shape:
            confidence = np.where(new.labels > 0, confidence, self.confidence)
        return Moment(geometry, mine.joined(theirs), presence, labels, objects, confidence)

    @torch.inference_mode()
    def targets_in(self, geometry: Geometry, device: torch.device) -> Targets:
        """The targets carried over to another view of the scene.

        Args:
            geometry: of the other view.
            device: where the state lives.
        """
        state = self.targets.state
        if geometry.padded != self.geometry.padded:
            state = state.resized(*geometry.padded)
        if geometry.view != self.geometry.view:
            change = view_change(np.array(self.geometry.view), np.array([geometry.view]))
            state = state.reframed(change.to(device, non_blocking=True))
        return self.targets.with_state(state)


def _ascending(objects: Iterable[ObjectPresence]) -> tuple[ObjectPresence, ...]:
    return tuple(sorted(objects, key=lambda entry: entry.id))


def _still_seen(objects: Sequence[ObjectPresence], labels: np.ndarray) -> Sight:
    """Objects as sure as they were, where labels show them now that others lie over them."""
    ids = tuple(entry.id for entry in objects)
    statistics = masks.statistics(labels, ids)
    statistics[:, 0] = [entry.score for entry in objects]
    return Sight(ids, statistics, labels.size)
