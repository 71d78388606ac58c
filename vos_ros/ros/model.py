# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From parameters to a segmenter: which weights, on which device, in which number format."""

from __future__ import annotations

from pathlib import Path

import torch

from vos_ros.presence import PresenceSettings
from vos_ros.region import region_settings
from vos_ros.ros.parameters import Settings
from vos_ros.segmenter import VideoSegmenter
from vos_ros.weights import SHIPPED_WEIGHTS, ModelCard, find_weights, load_network, read_card

CPU_INFO = Path("/proc/cpuinfo")
BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})


class ModelError(ValueError):
    """The settings ask for something this machine has not got; the message says what and why."""


def build_segmenter(settings: Settings) -> tuple[VideoSegmenter, ModelCard, str]:
    """Load the weights and return a segmenter, their card, and a sentence on what it is.

    Raises:
        ModelError: the device or the precision is not to be had, or the model and the weights do
            not go together.
        WeightsError: the weights are missing, damaged or foreign.
        ValueError: a setting does not go with another, or with the network.
    """
    device = choose_device(settings.device)
    precision = choose_precision(settings.precision, device)
    path = choose_weights(settings.model, settings.weights)
    network, card = load_network(path)
    segmenter = VideoSegmenter(
        network,
        device=device,
        precision=precision,
        size=settings.internal_size,
        max_objects=settings.max_objects,
        presence=PresenceSettings(
            appear=settings.presence_appear,
            vanish=settings.presence_vanish,
            minimum_area=settings.presence_minimum_area,
        ),
        region=region_settings(settings.region_margin, settings.region_smallest),
        runtime=settings.runtime,
        compile_first=False,
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

    It is one number for the whole process, so that it is put back afterwards.

    Args:
        threads: how many; 0 leaves PyTorch's choice.
    """

    def __init__(self, threads: int) -> None:
        self._before = torch.get_num_threads() if threads else 0
        if threads:
            torch.set_num_threads(threads)

    def undo(self) -> None:
        """Put back what was there before."""
        if self._before:
            torch.set_num_threads(self._before)
            self._before = 0
