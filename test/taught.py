# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Taught objects made up, and files of them written by hand."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vos_ros.learned import Learned
from vos_ros.target_file import TaughtObjects
from vos_ros.weights import ModelCard

CARD = ModelCard("gfddal", {}, sha256="c0ffee" * 10)
IDS = (200, 3)


def some_learned(ids: tuple[int, ...] = IDS, **changes: Any) -> Learned:
    """Numbers of every kind that a state may hold."""
    generator = torch.Generator().manual_seed(5)
    count = len(ids)
    whole = torch.randn(1, count, 4, 7, generator=generator)
    values = {
        "ids": ids,
        "tensors": {
            "means": whole,
            "kernels": whole[..., :3].to(torch.bfloat16),
            "maps": whole.unsqueeze(-1).to(torch.float16),
            "age": torch.arange(count).unsqueeze(0),
            "seen": whole[..., 0] > 0,
            "nothing": torch.zeros(1, count, 0, 7),
        },
        "padded": (96, 128),
        "size": 72,
        "precision": "bf16",
    }
    return Learned(**{**values, **changes})


def some_taught(**changes: Any) -> TaughtObjects:
    """Two objects, one of them with a name and a thumbnail."""
    picture = np.random.default_rng(1).integers(0, 256, (5, 9, 3), dtype=np.uint8)
    return TaughtObjects(some_learned(**changes), {3: "Tasse ☕"}, {3: picture})


def same_tensors(one: Learned, other: Learned) -> None:
    """Fail unless both hold the same bits."""
    assert one.tensors.keys() == other.tensors.keys()
    for name, value in one.tensors.items():
        found = other.tensors[name]
        assert found.dtype == value.dtype and found.shape == value.shape, name
        bits = (x.contiguous().reshape(-1).view(torch.uint8) for x in (found, value))
        assert torch.equal(*bits), name


def parts_of(path: Path) -> tuple[dict, bytes]:
    """The header and the numbers of a safetensors file."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def put_together(path: Path, header: dict | bytes, numbers: bytes) -> Path:
    """Write such a file, whatever it says of itself."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + numbers)
    return path


def described_as(path: Path, **changes: Any) -> Path:
    """Write a file anew with other entries in its description."""
    header, numbers = parts_of(path)
    objects = json.loads(header["__metadata__"]["objects"])
    header["__metadata__"]["objects"] = json.dumps({**objects, **changes})
    return put_together(path, header, numbers)
