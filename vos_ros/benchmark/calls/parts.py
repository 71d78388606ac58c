# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parts that are timed call by call: the network alone, the segmenter, and what is given."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from vos_ros.benchmark.calls.clock import device_clock, host_clock
from vos_ros.benchmark.calls.operations import count_operations
from vos_ros.benchmark.calls.work import Work
from vos_ros.benchmark.film import Film, make_film
from vos_ros.benchmark.models import Model
from vos_ros.benchmark.row import Row
from vos_ros.benchmark.settings import Case, Size, given
from vos_ros.frames import Geometry, pad, to_input, to_masks
from vos_ros.inference import prepare
from vos_ros.masks import ids_of
from vos_ros.models.state import SegmentationNetwork
from vos_ros.runtimes import Runtime, build_runtime
from vos_ros.runtimes.threads import torch_threads
from vos_ros.segmenter import VideoSegmenter

#: most films held at a time; cases of the same size and number of objects follow upon each other
_FILMS = 4


class NetworkCall:
    """Encodes the next frame and steps the objects, on the device, again and again.

    Args:
        network: prepared.
        runtime: that computes its steps.
        film: what it runs on; uploaded and scaled here, once.
        geometry: of its frames.
        device: where the network is.
    """

    @torch.inference_mode()
    def __init__(
        self,
        network: SegmentationNetwork[Any, Any],
        runtime: Runtime,
        film: Film,
        geometry: Geometry,
        device: torch.device,
    ) -> None:
        self._network, self._runtime = network, runtime
        inputs = [self._input(to_input(image, geometry, device), geometry) for image in film.frames]
        masks = to_masks(film.mask, ids_of(film.mask), geometry).to(device)
        self.state = network.start(network.encode(inputs[0]), masks)
        self._inputs = itertools.cycle(inputs)

    def _input(self, frame: Tensor, geometry: Geometry) -> Tensor:
        padded = pad(self._network.normalise(frame), geometry)
        return padded.contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def __call__(self) -> None:
        """Do a step."""
        with torch_threads(self._runtime.threads_beside):  # as a segmenter has it
            _, self.state = self._runtime.advance(next(self._inputs), self.state)


class SegmenterCall:
    """Hands the next frame to a segmenter, again and again."""

    def __init__(self, segmenter: VideoSegmenter, film: Film) -> None:
        self.segmenter = segmenter
        segmenter.start(film.frames[0], film.mask)
        self._frames = itertools.cycle(film.frames)

    def __call__(self) -> None:
        """Do a step."""
        self.segmenter.step(next(self._frames))

    def parts(self) -> dict[str, float]:
        """What the last call was made up of, milliseconds by column of a row."""
        times = self.segmenter.step_times
        assert times is not None, "nothing was called yet"
        return {
            "upload_ms": 1e3 * times.upload,
            "step_ms": 1e3 * times.network,
            "download_ms": 1e3 * times.download,
        }


class Builder:
    """Makes the work of a case.

    Cases of one network and precision share one prepared copy of it in `network`; every segmenter
    has its own, as a node has.

    Args:
        models: by the name that cases give.
        device: that everything runs on.
        others: what makes the work of further parts, by their names.
    """

    def __init__(
        self, models: Mapping[str, Model], device: torch.device,
        others: Mapping[str, Callable[[Case], Work]] | None = None,
    ) -> None:  # fmt: skip
        self._models = models
        self._device = device
        self._prepared: dict[tuple[str, str], SegmentationNetwork[Any, Any]] = {}
        self._film = lru_cache(_FILMS)(make_film)
        self._parts: dict[str, Callable[[Case], Work]] = {
            "network": self._network_work, "segmenter": self._segmenter_work, **(others or {}),
        }  # fmt: skip

    def work(self, case: Case) -> Work:
        """The work of a case, started and ready to be called.

        Raises:
            BenchmarkError: when the objects have no room in the image.
        """
        if case.threads is not None:
            torch.set_num_threads(case.threads)  # runtimes compile for as many as there are then
        return self._parts[case.what](case)

    def row(self, case: Case) -> Row:
        """What is known of a case before anything is timed."""
        row = Row(case.what, size=str(case.size), variant=case.variant or None)
        if case.weights is None:
            return row
        height, width = self._geometry(case).padded
        return replace(
            row,
            model=self._models[case.weights].name,
            objects=case.objects,
            precision=case.precision,
            internal_size=case.internal_size,
            threads=case.threads,
            runtime=case.runtime,
            cameras=case.cameras,
            input=str(Size(width, height)),
        )

    def operations(self, case: Case) -> int:
        """Of one image in a case, whatever part it is of; see `count_operations`."""
        return count_operations(self._network_call(replace(case, runtime="torch")))

    def _geometry(self, case: Case) -> Geometry:
        stride = self._models[given(case.weights)].network.stride
        return Geometry.of(case.size.height, case.size.width, given(case.internal_size), stride)

    def _network_call(self, case: Case) -> NetworkCall:
        film = self._film(case.size, given(case.objects))
        network = self._prepared_network(case)
        runtime = build_runtime(given(case.runtime), network, given(case.precision))
        return NetworkCall(network, runtime, film, self._geometry(case), self._device)

    def _network_work(self, case: Case) -> Work:
        call = self._network_call(case)
        row = self._with_state(case, call.state.nbytes)
        clock = device_clock(self._device)
        return Work(row, call, clock, operations=self._uncounted(case))

    def _segmenter_work(self, case: Case) -> Work:
        segmenter = VideoSegmenter(
            self._models[given(case.weights)].network,
            device=str(self._device),
            precision=given(case.precision),
            size=given(case.internal_size),
            max_objects=given(case.objects),
            runtime=given(case.runtime),
        )
        call = SegmenterCall(segmenter, self._film(case.size, given(case.objects)))
        row = self._with_state(case, segmenter.state_bytes)
        row = replace(row, region=segmenter.region.margin if segmenter.region else None)
        # Its labels are on the host when it comes back.
        operations = self._uncounted(case)
        return Work(row, call, host_clock, operations=operations, parts=call.parts)

    def _uncounted(self, case: Case) -> int | None:
        """The operations of what is not computed by PyTorch, which counts its own."""
        return None if case.runtime == "torch" else self.operations(case)

    def _prepared_network(self, case: Case) -> SegmentationNetwork[Any, Any]:
        key = (given(case.weights), given(case.precision))
        if key not in self._prepared:
            network = self._models[given(case.weights)].network
            self._prepared[key] = prepare(network, self._device, given(case.precision))
        return self._prepared[key]

    def _with_state(self, case: Case, state_bytes: int) -> Row:
        height, width = self._geometry(case).padded
        return replace(
            self.row(case),
            state_bytes=state_bytes // given(case.objects),
            state_bytes_formula=self._prepared_network(case).state_bytes(height, width),
        )
