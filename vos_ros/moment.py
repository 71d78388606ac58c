# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a segmenter knows after an image."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from vos_ros import masks
from vos_ros.absence import state_after, without_hidden
from vos_ros.frames import Geometry
from vos_ros.identity import IdentityWatch, Pair
from vos_ros.models.maps import view_change
from vos_ros.models.state import ObjectState
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
        doubts: pairs of ids of which nobody can tell whether they have been swapped: they touched,
            or were away, and look too much alike.
        exchanged: pairs of ids that had been swapped until the image before, and are right again.
    """

    labels: np.ndarray
    objects: tuple[ObjectPresence, ...]
    confidence: np.ndarray | None = None
    doubts: tuple[Pair, ...] = ()
    exchanged: tuple[Pair, ...] = ()


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
        identity: what is known of which object is which.
        exchanged: see `Segmentation`.
    """

    geometry: Geometry
    targets: Targets[Any]
    presence: PresenceTracker
    labels: np.ndarray
    objects: tuple[ObjectPresence, ...]
    confidence: np.ndarray | None = None
    identity: IdentityWatch = field(default_factory=IdentityWatch)
    exchanged: tuple[Pair, ...] = ()

    @classmethod
    def seen(
        cls,
        geometry: Geometry,
        targets: Targets[Any],
        after: ObjectState,
        presence: PresenceTracker,
        labels: np.ndarray,
        statistics: np.ndarray,
        questioned: Collection[int] = (),
    ) -> Moment:
        """The moment of an image in which all its objects were looked for.

        Args:
            targets: as they were before it, in its geometry.
            after: their state after it, if they are in it.
            presence: what was remembered before it.
            labels: of the image; hidden objects lose theirs.
            statistics: K x 6 in the order of the slots; see `Sight`.
            questioned: ids of objects of which the image teaches nothing.
        """
        presence = presence.copy()
        found = presence.observe(Sight(targets.slots, statistics, labels.size))
        state = state_after(targets.state, after, found, questioned)
        labels = without_hidden(labels, found)
        return cls(geometry, targets.with_state(state), presence, labels, ascending(found))

    @property
    def segmentation(self) -> Segmentation:
        """For the caller, who may draw on the labels."""
        return Segmentation(
            self.labels.copy(),
            self.objects,
            self.confidence,
            self.identity.doubts,
            self.exchanged,
        )

    def with_doubts(self) -> Moment:
        """The same, where every object that is seen says whether it may be another one."""
        objects = []
        for entry in self.objects:
            pairs = [pair for pair in self.identity.doubts if entry.id in pair and entry.present]
            rivals = tuple(sorted({key for pair in pairs for key in pair} - {entry.id}))
            doubtful = bool(rivals) or entry.id in self.identity.strangers
            objects.append(dataclasses.replace(entry, doubtful=doubtful, rivals=rivals))
        return dataclasses.replace(self, objects=tuple(objects))

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
            identity=self.identity.without([object_id]),
            exchanged=(),
        ).with_doubts()

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
        objects = ascending([*new.objects, *presence.observe(_still_seen(others, labels))])
        geometry = geometry_of(camera, objects)
        mine, theirs = (moment.targets_in(geometry, device) for moment in (self, new))
        confidence = new.confidence
        if confidence is not None and self.confidence is not None and camera == self.labels.shape:
            confidence = np.where(new.labels > 0, confidence, self.confidence)
        identity = self.identity.without(ids).joined(new.identity)
        both = mine.joined(theirs)
        moment = Moment(geometry, both, presence, labels, objects, confidence, identity)
        return moment.with_doubts()

    @torch.inference_mode()
    def targets_in(self, geometry: Geometry, device: torch.device) -> Targets[Any]:
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


def ascending(objects: Iterable[ObjectPresence]) -> tuple[ObjectPresence, ...]:
    """Objects by their ids."""
    return tuple(sorted(objects, key=lambda entry: entry.id))


def _still_seen(objects: Sequence[ObjectPresence], labels: np.ndarray) -> Sight:
    """Objects as sure as they were, where labels show them now that others lie over them."""
    ids = tuple(entry.id for entry in objects)
    statistics = masks.statistics(labels, ids)
    statistics[:, 0] = [entry.score for entry in objects]
    return Sight(ids, statistics, labels.size)
