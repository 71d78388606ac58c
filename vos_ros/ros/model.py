# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From parameters to a segmenter: which weights, on which device, in which number format."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch

from vos_ros.presence import PresenceSettings
from vos_ros.region import region_settings
from vos_ros.ros.parameters import Settings
from vos_ros.runtimes.ready import ReadyNetwork
from vos_ros.segmenter import VideoSegmenter, ready_network
from vos_ros.weights import SHIPPED_WEIGHTS, ModelCard, find_weights, load_network, read_card

CPU_INFO = Path("/proc/cpuinfo")
BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})


class ModelError(ValueError):
    """The settings ask for something this machine has not got; the message says what and why."""


@dataclass(frozen=True)
class NetworkChoice:
    """Which network is to be used, and how: what cameras that share one have in common.

    Attributes:
        path: of the weights.
        device: cpu, cuda or cuda:N.
        precision: fp32, bf16 or fp16.
        runtime: a name of `runtimes.RUNTIMES`, or auto.
    """

    path: Path
    device: str
    precision: str
    runtime: str


Opener = Callable[[NetworkChoice], "tuple[ReadyNetwork, ModelCard]"]
"""Makes a network ready, and tells the card of its weights."""


def open_network(
    choice: NetworkChoice, compile_first: bool = False
) -> tuple[ReadyNetwork, ModelCard]:
    """Load a network and make it ready; what has to be compiled is, while it computes already.

    Args:
        choice: which, and how.
        compile_first: whether it waits for that instead, and computes in one way from the start.

    Raises:
        WeightsError: the weights are damaged or foreign.
        ValueError: the runtime is not to be had.
    """
    network, card = load_network(choice.path)
    ready = ready_network(network, choice.device, choice.precision, choice.runtime, compile_first)
    return ready, card


def build_segmenter(
    settings: Settings, open_network: Opener = open_network
) -> tuple[VideoSegmenter, ModelCard, str]:
    """Load the weights and return a segmenter, their card, and a sentence on what it is.

    Args:
        settings: what to build.
        open_network: where the network comes from.

    Raises:
        ModelError: the device or the precision is not to be had, or the model and the weights do
            not go together.
        WeightsError: the weights are missing, damaged or foreign.
        ValueError: a setting does not go with another, or with the network.
    """
    device = choose_device(settings.device)
    precision = choose_precision(settings.precision, device)
    path = choose_weights(settings.model, settings.weights)
    ready, card = open_network(NetworkChoice(path, device, precision, settings.runtime))
    segmenter = VideoSegmenter(
        ready,
        size=settings.internal_size,
        max_objects=settings.max_objects,
        presence=PresenceSettings(
            appear=settings.presence_appear,
            vanish=settings.presence_vanish,
            minimum_area=settings.presence_minimum_area,
        ),
        region=region_settings(settings.region_margin, settings.region_smallest),
    )
    by = "" if segmenter.runtime == "torch" else f" by {segmenter.runtime}"
    words = f"{path.stem} on {device}{by} in {precision}, {settings.internal_size} pixels"
    return segmenter, card, f"{words} on the short side"


def choose_weights(model: str, weights: str) -> Path:
    """Return the weight file that the two settings mean together.

    Raises:
        ModelError: the weights are of another network than the one asked for.
        WeightsError: there is no such file, or it is damaged.
    """
    if model == "auto":
        return find_weights(weights)
    path = find_weights(weights or SHIPPED_WEIGHTS[model])
    found = read_card(path).model
    if found != model:
        raise ModelError(
            f"Model is '{model}', but the weights '{path.stem}' are of {found}; leave out one of"
            " the two, or name weights that go with the model."
        )
    return path


def choose_device(wanted: str) -> str:
    """Return a device of this machine.

    Raises:
        ModelError: a CUDA device is asked for that is not there.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "auto":
        return "cuda" if count else "cpu"
    if wanted == "cpu":
        return wanted
    index = int(wanted.partition(":")[2] or 0)
    if index >= count:
        there = f"{count} CUDA devices" if count else "no CUDA device that PyTorch can use"
        raise ModelError(f"Device is '{wanted}', but there is {there}; use 'auto' or 'cpu'.")
    return wanted


def choose_precision(wanted: str, device: str) -> str:
    """Return the number format to calculate in on a device.

    Raises:
        ModelError: fp16 on a CPU, which has no arithmetic for it.
    """
    on_cpu = device == "cpu"
    if wanted == "fp16" and on_cpu:
        raise ModelError(
            "Precision 'fp16' is for CUDA devices; on the CPU use 'auto', 'bf16' or 'fp32'."
        )
    if wanted != "auto":
        return wanted
    fast = cpu_has_bf16() if on_cpu else torch.cuda.is_bf16_supported()
    return "bf16" if fast else "fp32"


def cpu_has_bf16(cpu_info: Path = CPU_INFO) -> bool:
    """Whether the CPU calculates in bfloat16 itself; False where nothing says so."""
    try:
        lines = cpu_info.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.startswith("flags")), "")
    return not BF16_FLAGS.isdisjoint(flags.split())


class ThreadSetting:
    """PyTorch's number of threads, set for as long as the node is configured.

    It is one number for the whole process: of several settings the newest that is not undone holds,
    and with the last of them goes back what was there before the first.

    Args:
        threads: how many; 0 leaves things as they are.
    """

    _lock: ClassVar[threading.Lock] = threading.Lock()
    _made: ClassVar[list[ThreadSetting]] = []
    _before: int

    def __init__(self, threads: int) -> None:
        self._threads = threads
        if threads:
            with self._lock:
                self._before = self._made[0]._before if self._made else torch.get_num_threads()
                self._made.append(self)
                torch.set_num_threads(threads)

    def undo(self) -> None:
        """Take it back. Safe to call twice."""
        with self._lock:
            if self in self._made:
                self._made.remove(self)
                torch.set_num_threads(self._made[-1]._threads if self._made else self._before)
