# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one public class of the core: follow objects through images, given one mask."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch

from vos_ros import masks
from vos_ros.frames import Geometry, crop, pad, to_camera, to_input, to_masks
from vos_ros.identification import identified
from vos_ros.identity import IdentityWatch
from vos_ros.inference import prepare
from vos_ros.learned import Learned, learned_of
from vos_ros.masks import SegmentationError
from vos_ros.models.state import SegmentationNetwork
from vos_ros.moment import Moment, Segmentation
from vos_ros.presence import ObjectPresence, PresenceSettings, PresenceTracker, Sight
from vos_ros.readout import confidence_of, laid_out, read_out
from vos_ros.recall import state_of, unseen_moment
from vos_ros.region import DEFAULT_REGION, RegionSettings, region_around
from vos_ros.runtimes import build_runtime, choose_runtime
from vos_ros.runtimes.ready import ReadyNetwork
from vos_ros.runtimes.threads import torch_threads
from vos_ros.shortage import shortage_told
from vos_ros.step_times import StepClock, StepTimes
from vos_ros.targets import Targets

__all__ = ["Segmentation", "SegmentationError", "VideoSegmenter", "ready_network"]


class VideoSegmenter:
    """Follows objects from image to image.

    The state of the objects lives on the device, is of constant size, and is replaced as a whole
    when a call has succeeded: a call that raises changes nothing. Between the upload of an image
    and one download of labels and presence, nothing waits for the host. One thread owns a
    segmenter.

    Where the objects were in one image decides which region of the next the network sees; outside
    it there is background. An object that is not present is searched for in the whole image, and
    so is an image of another size than the one before. Such an object has no pixels and learns
    nothing; nor does one of which the network says what is no number.

    Attributes:
        with_confidence: whether results are to say how probable each label is; changed at any time.

    Args:
        network: a trained network, of which a prepared copy is used; or one that is ready, as it
            is, and then with a device, precision and runtime of its own. Several segmenters may
            share one that has a `SharedRuntime`.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        precision: ``fp32``, ``bf16`` or ``fp16``.
        size: short side of the image that the network sees, pixels; larger is slower and sharper.
        max_objects: most objects followed at a time.
        presence: when an object counts as present.
        region: how closely to look at the objects; None to see the whole image always.
        runtime: what computes the steps: ``torch``, ``openvino`` (on CPUs, several times as fast,
            see `vos_ros.runtimes`), or ``auto`` for the fastest that is to be had.
        compile_first: whether a step waits for what OpenVINO has to compile, as it must where the
            same images are to give the same masks to the last bit. If not, PyTorch computes the
            steps in the meantime.

    Raises:
        RuntimeMissingError: when the runtime is not to be had here.
        ValueError: when a value above is out of range.
    """

    def __init__(
        self,
        network: SegmentationNetwork[Any, Any] | ReadyNetwork,
        *,
        device: str = "cpu",
        precision: str = "fp32",
        size: int = 288,
        max_objects: int = 10,
        presence: PresenceSettings | None = None,
        region: RegionSettings | None = DEFAULT_REGION,
        runtime: str = "torch",
        compile_first: bool = True,
    ) -> None:
        stride = (network.network if isinstance(network, ReadyNetwork) else network).stride
        _checked_size(size, stride)
        if not 1 <= max_objects <= masks.MAX_ID:
            raise ValueError(f"max_objects must be within 1..{masks.MAX_ID}, not {max_objects}")
        if not isinstance(network, ReadyNetwork):
            network = ready_network(network, device, precision, runtime, compile_first)
        self._device, self._precision = network.device, network.precision
        self._network, self._runtime = network.network, network.runtime
        self._runtime_name = network.runtime_name
        beside = self._runtime.threads_beside
        self._threads = None if beside is None else torch.get_num_threads()
        self._size = self._shown_size = size
        self._max_objects = max_objects
        self._presence = presence
        self._region = region
        self._now: Moment | None = None
        self._clock = StepClock(self._device)
        self.with_confidence = False

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids of the followed objects, ascending; empty before `start`."""
        return () if self._now is None else self._now.targets.ids

    @property
    def runtime(self) -> str:
        """What computes the steps, a name of `RUNTIMES`."""
        return self._runtime_name

    @property
    def runtime_trouble(self) -> str:
        """Why PyTorch computes steps that were to be compiled; empty while it does not.

        From any thread.
        """
        return self._runtime.trouble

    @property
    def max_objects(self) -> int:
        """Most objects followed at a time."""
        return self._max_objects

    @property
    def size(self) -> int:
        """Short side of the image that the network sees, pixels.

        May be set to another at any time, for the images from then on; the objects are followed on.
        What is learned of them is handed out, and taken, as of the size that the segmenter was made
        with.
        """
        return self._shown_size

    @size.setter
    def size(self, size: int) -> None:
        self._shown_size = _checked_size(size, self._network.stride)

    @property
    def region(self) -> RegionSettings | None:
        """How closely the objects are looked at; None where the whole image is seen always."""
        return self._region

    @property
    def geometry(self) -> Geometry | None:
        """What the network saw of the last image, and how large; None while nothing is followed."""
        return None if self._now is None else self._now.geometry

    @property
    def state_bytes(self) -> int:
        """Bytes of device memory that the state of all followed objects takes."""
        return 0 if self._now is None else self._now.targets.state.nbytes

    @property
    def step_times(self) -> StepTimes | None:
        """How long the parts of the last step took; None before one."""
        return self._clock.last

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
            SegmentationError: when image or mask cannot be used, or memory is short; nothing has
                changed then.
        """
        labels = self._checked(image, mask, followed=())
        with shortage_told(self._device):
            return self._take(self._begun(image, labels, since, PresenceTracker(self._presence)))

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
        if self._now is None:
            return self.start(image, mask, since)
        labels = self._checked(image, mask, followed=self.ids)
        with shortage_told(self._device):
            new = self._begun(image, labels, since, self._now.presence)
            return self._take(self._now.joined(new, self._geometry_of, self._device))

    def step(self, image: np.ndarray) -> Segmentation:
        """Find the objects in the next image.

        Args:
            image: H x W x 3 uint8 RGB; H and W may differ from those of the image before.

        Raises:
            SegmentationError: before `start`, when it is not such an image, or when memory is
                short; nothing has changed then.
        """
        if self._now is None:
            raise SegmentationError("nothing is followed yet: give a mask to start with")
        with shortage_told(self._device):
            return self._take(self._advanced(image, self._now))

    def remove(self, object_id: int) -> None:
        """Stop following one object; the others, and their ids, stay as they are.

        Raises:
            SegmentationError: when no object of that id is followed.
        """
        if object_id not in self.ids:
            followed = ", ".join(map(str, self.ids)) or "none"
            raise SegmentationError(f"object {object_id} is not followed; followed are: {followed}")
        assert self._now is not None  # something is followed
        self._now = self._now.without(object_id)

    def learned(self) -> Learned:
        """What was learned of the followed objects, apart from where they are.

        Raises:
            SegmentationError: when nothing is followed.
        """
        if self._now is None:
            raise SegmentationError("nothing is followed, so that nothing was learned")
        targets, geometry = self._now.targets, self._now.geometry
        state, padded = targets.state, geometry.padded
        if geometry.scaled != geometry.camera:  # else it is of every size from that on
            padded = Geometry.of(*geometry.camera, self._size, self._network.stride).padded
        if padded != geometry.padded:
            state = state.resized(*padded)
        return learned_of(targets.slots, state, padded, self._size, self._precision)

    @torch.inference_mode()
    def recall(self, learned: Learned, keep_existing: bool = False) -> None:
        """Follow objects of which this was learned; they are searched for in the next image.

        Args:
            learned: from `learned`, of a segmenter with the same weights and the same size.
            keep_existing: whether the objects followed so far stay, less those with the same id.

        Raises:
            SegmentationError: when it does not fit; nothing has changed then.
        """
        before = self._now if keep_existing else None
        self._check_count("what was learned is of", learned.ids, self.ids if before else ())
        state = state_of(learned, self._network, self._size, self._device)
        if before is None:
            self._now = unseen_moment(learned, state, PresenceTracker(self._presence), None)
            return
        geometry = self._geometry_of(before.geometry.camera, ())
        new = unseen_moment(learned, state, before.presence, geometry)
        self._now = before.joined(new, self._geometry_of, self._device)

    def reset(self) -> None:
        """Follow nothing, as before `start`."""
        self._now = None

    def _checked(self, image: np.ndarray, mask: np.ndarray, followed: Sequence[int]) -> np.ndarray:
        masks.check_image(image)
        labels = masks.check_mask(mask, image.shape[:2])
        ids = masks.ids_of(labels)
        self._check_count("the mask holds", ids, followed)
        if self._network.needs_background and len(ids) == 1 and labels.all():
            raise SegmentationError(
                f"object {ids[0]} fills the whole image; this network tells objects from what is "
                "beside them, so give a mask with background in it"
            )
        return labels

    def _check_count(self, given: str, ids: Sequence[int], followed: Sequence[int]) -> None:
        count = len(set(ids) | set(followed))
        if count > self._max_objects:
            held = f" beside the {len(followed)} followed, which makes {count}" if followed else ""
            raise SegmentationError(
                f"{given} {len(ids)} objects{held}; "
                f"at most {self._max_objects} can be followed (max_objects)"
            )

    @torch.inference_mode()
    def _begun(
        self,
        image: np.ndarray,
        labels: np.ndarray,
        since: Iterable[np.ndarray],
        presence: PresenceTracker,
    ) -> Moment:
        """New targets from a checked mask, alone in their region, carried through later images.

        Args:
            presence: what is remembered so far.
        """
        if self._threads is not None:
            # A thread that began while another stepped has as few as that one had: `torch_threads`.
            torch.set_num_threads(self._threads)
        ids = masks.ids_of(labels)
        presence = presence.copy()
        presence.begin(ids)
        statistics = masks.statistics(labels, ids)
        seen = presence.observe(Sight(ids, statistics, labels.size))
        geometry = self._geometry_of(image.shape[:2], seen)
        soft = to_masks(labels, ids, geometry).to(self._device)
        features = self._network.encode(self._input(image, geometry))
        targets = Targets(ids, self._network.start(features, soft))
        sure = np.ones(labels.shape, np.float32) if self.with_confidence else None
        moment = Moment(geometry, targets, presence, labels, tuple(seen), sure)
        moment = self._identified(moment, image, moment.identity)
        for later in since:
            moment = self._advanced(later, moment)
        return moment

    @torch.inference_mode()
    def _advanced(self, image: np.ndarray, before: Moment) -> Moment:
        """One step: the device does everything up to one download at the end."""
        masks.check_image(image)
        with self._clock.timing(), torch_threads(self._runtime.threads_beside):
            return self._looked_at(image, before)

    def _looked_at(self, image: np.ndarray, before: Moment) -> Moment:
        camera = image.shape[:2]
        anywhere = camera != before.geometry.camera or bool(before.identity.lost)
        geometry = self._geometry_of(camera, () if anywhere else before.objects)
        frame = self._input(image, geometry)
        self._clock.next()
        targets = before.targets_in(geometry, self._device)
        prediction, after = self._runtime.advance(frame, targets.state)
        logits = crop(prediction.logits, geometry)
        shown = to_camera(logits, geometry)
        assert prediction.sound is not None  # as every runtime promises
        sound = prediction.sound[0]
        found = read_out(shown, logits, targets.slots, sound, computed=self._clock.next)
        labels, statistics = laid_out(*found, geometry.region, camera)
        questioned = before.identity.questioned
        moment = Moment.seen(
            geometry, targets, after, before.presence, labels, statistics, questioned
        )
        if self.with_confidence:
            sure = confidence_of(shown, moment.labels, targets.slots, geometry.region)
            moment = dataclasses.replace(moment, confidence=sure)
        return self._identified(moment, image, before.identity)

    def _identified(self, moment: Moment, image: np.ndarray, before: IdentityWatch) -> Moment:
        """With what is known of which object is which; on the host, which has all it takes."""
        return identified(moment, image, before)

    def _geometry_of(self, camera: tuple[int, int], objects: Sequence[ObjectPresence]) -> Geometry:
        """Of an image of the camera's size, when the objects were last seen as given."""
        region = None
        if self._region is not None and all(entry.present for entry in objects):
            region = region_around([entry.box for entry in objects], camera, self._region)
        return Geometry.of(*camera, self._shown_size, self._network.stride, region)

    def _input(self, image: np.ndarray, geometry: Geometry) -> torch.Tensor:
        frame = self._network.normalise(to_input(image, geometry, self._device))
        return pad(frame, geometry).contiguous(memory_format=torch.channels_last)

    def _take(self, moment: Moment) -> Segmentation:
        """Make the outcome of a call that has succeeded the segmenter's own."""
        self._now = moment
        return moment.segmentation


def ready_network(
    network: SegmentationNetwork[Any, Any],
    device: str,
    precision: str,
    runtime: str,
    compile_first: bool,
) -> ReadyNetwork:
    """A copy of a trained network, ready to run: all as for `VideoSegmenter`."""
    place = _device(device)
    runtime = choose_runtime(runtime, place, precision)
    prepared = prepare(network, place, precision)
    computing = build_runtime(runtime, prepared, precision, compile_first)
    return ReadyNetwork(prepared, computing, runtime, place, precision)


def _checked_size(size: int, stride: int) -> int:
    if size < stride:
        raise ValueError(f"size must be at least {stride} pixels, not {size}")
    return size


def _device(name: str) -> torch.device:
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"no device is called {name!r}: cpu, cuda or cuda:N") from error
