# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Regions of full precision, on devices that have mixed precision and on those that have not."""

from __future__ import annotations

import torch

from vos_ros.models.precision import full_precision


def product(device: str) -> torch.dtype:
    one = torch.ones(2, 2, device=device)
    with full_precision(one):
        return (one @ one).dtype


def test_autocast_does_not_narrow_what_is_in_the_region():
    one = torch.ones(2, 2)
    with torch.autocast("cpu", torch.bfloat16):
        assert (one @ one).dtype == torch.bfloat16
        assert product("cpu") == torch.float32


def test_a_device_without_autocast_is_no_error():
    assert product("meta") == torch.float32


def test_a_pytorch_that_cannot_say_which_devices_have_it_is_no_error(monkeypatch):
    """As those before 2.4."""
    monkeypatch.delattr(torch.amp, "is_autocast_available", raising=False)
    assert product("cpu") == product("meta") == torch.float32
