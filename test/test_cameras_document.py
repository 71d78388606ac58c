# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The document on several cameras tells the memory that there is and names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vos_ros.frames import Geometry
from vos_ros.segmenter import ready_network
from vos_ros.weights import find_weights, load_network

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "docs" / "cameras.md").read_text(encoding="utf-8")
CAMERAS = {"4:3": (480, 640), "16:9": (720, 1280)}


def row(begin: str) -> list[str]:
    """The cells of the one row of a table that begins so."""
    (found,) = [line for line in DOCUMENT.splitlines() if line.startswith(f"| {begin}")]
    return [cell.strip() for cell in found.strip("| ").split("|")]


@pytest.mark.parametrize(("column", "precision"), [(1, "fp32"), (2, "bf16"), (2, "fp16")])
def test_the_memory_is_that_of_the_shipped_networks(column: int, precision: str) -> None:
    ready = [
        ready_network(load_network(find_weights(name))[0], "cpu", precision, "torch", True)
        for name in ("gfddal_lite0", "dgmpm_lite0")
    ]
    weights = [each.weight_bytes / 1e6 for each in ready]
    assert row("weights")[column] == "{:.1f} MB ({:.1f})".format(*weights)
    for shape, camera in CAMERAS.items():
        height, width = Geometry.of(*camera, 288, 32).padded
        told = row(f"an object, camera of {shape} ({height}x{width} inside)")[column]
        per_object = [each.network.state_bytes(height, width) / 1e6 for each in ready]
        assert told == "{:.2f} MB ({:.2f})".format(*per_object)


def test_every_test_that_is_named_exists() -> None:
    there = set()
    for path in ROOT.glob("test/test_*.py"):
        there |= set(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M))
    named = set(re.findall(r"`(test_\w+)`", DOCUMENT))
    assert len(named) > 5
    assert named <= there, named - there
