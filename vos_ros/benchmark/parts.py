# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parts of the work that are timed: the network alone, and the segmenter."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

import torch
from torch import Tensor

from vos_ros.benchmark.cases import Case, Size
from vos_ros.benchmark.clock import device_clock, host_clock
from vos_ros.benchmark.film import Film, make_film
from vos_ros.benchmark.models import Model
from vos_ros.benchmark.work import Row, Work
from vos_ros.frames import Geometry, pad, to_input, to_masks
from vos_ros.inference import prepare
from vos_ros.masks import ids_of
from vos_ros.models.state import SegmentationNetwork
from vos_ros.segmenter import VideoSegmenter

#: most films held at a time; cases of the same size and number of objects follow upon each other
_FILMS = 4


class NetworkCall:
    """Encodes the next frame and steps the objects, on the device, again and again.

    Args:
        network: prepared.
        film: what it runs on; uploaded and scaled here, once.
        geometry: of its frames.
        device: where the network is.
    """

    @torch.inference_mode()
    def __init__(
        self, network: SegmentationNetwork, film: Film, geometry: Geometry, device: torch.device
    ) -> None:
        self._network = network
        inputs = [self._input(to_input(image, geometry, device), geometry) for image in film.frames]
        masks = to_masks(film.mask, ids_of(film.mask), geometry).to(device)
        self.state = network.start(network.encode(inputs[0]), masks)
        self._inputs = itertools.cycle(inputs)

    def _input(self, frame: Tensor, geometry: Geometry) -> Tensor:
        padded = pad(self._network.normalise(frame), geometry)
        return padded.contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def __call__(self) -> None:
        features = self._network.encode(next(self._inputs))
        _, self.state = self._network.step(features, self.state)


class SegmenterCall:
    """Hands the next frame to a segmenter, again and again."""

    def __init__(self, segmenter: VideoSegmenter, film: Film) -> None:
        self.segmenter = segmenter
        segmenter.start(film.frames[0], film.mask)
        self._frames = itertools.cycle(film.frames)

    def __call__(self) -> None:
        self.segmenter.step(next(self._frames))


class Builder:
    """Makes the work of a case.

    Cases of one network and precision share one prepared copy of it in `network`; every segmenter
    has its own, as a node has.

    Args:
        models: by the name that cases give.
        device: that everything runs on.
    """

    def __init__(self, models: Mapping[str, Model], device: torch.device) -> None:
        self._models = models
        self._device = device
        self._prepared: dict[tuple[str, str], SegmentationNetwork] = {}
        self._film = lru_cache(_FILMS)(make_film)
        self._parts: dict[str, Callable[[Case, Geometry], Work]] = {
            "network": self._network_work, "segmenter": self._segmenter_work,
        }  # fmt: skip

    def work(self, case: Case) -> Work:
        """The work of a case, started and ready to be called.

        Raises:
            BenchmarkError: when the objects have no room in the image.
        """
        stride = self._models[case.weights].network.stride
        geometry = Geometry.of(case.size.height, case.size.width, case.internal_size, stride)
        return self._parts[case.what](case, geometry)

    def _network_work(self, case: Case, geometry: Geometry) -> Work:
        network, film = self._prepared_network(case), self._film(case.size, case.objects)
        call = NetworkCall(network, film, geometry, self._device)
        row = self._row(case, geometry, call.state.nbytes)
        return Work(row, call, device_clock(self._device))

    def _segmenter_work(self, case: Case, geometry: Geometry) -> Work:
        segmenter = VideoSegmenter(
            self._models[case.weights].network,
            device=str(self._device),
            precision=case.precision,
            size=case.internal_size,
            max_objects=case.objects,
        )
        call = SegmenterCall(segmenter, self._film(case.size, case.objects))
        row = self._row(case, geometry, segmenter.state_bytes)
        row = replace(row, region=segmenter.region and segmenter.region.margin)
        return Work(row, call, host_clock)  # its labels are on the host when it comes back

    def _prepared_network(self, case: Case) -> SegmentationNetwork:
        key = (case.weights, case.precision)
        if key not in self._prepared:
            network = self._models[case.weights].network
            self._prepared[key] = prepare(network, self._device, case.precision)
        return self._prepared[key]

    def _row(self, case: Case, geometry: Geometry, state_bytes: int) -> Row:
        height, width = geometry.padded
        return Row(
            what=case.what,
            model=self._models[case.weights].name,
            size=str(case.size),
            objects=case.objects,
            precision=case.precision,
            internal_size=case.internal_size,
            input=str(Size(width, height)),
            variant=case.variant or None,
            state_bytes=state_bytes // case.objects,
            state_bytes_formula=self._prepared_network(case).state_bytes(height, width),
        )
