# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Nothing in `encode`, `start` and `step` waits for the host.

No GPU is needed to tell. On PyTorch's meta device a tensor has no values, so that reading one
raises; and a guard between PyTorch and its kernels sees every operation, those that read values and
those that make a tensor anywhere but on the device.
"""

from __future__ import annotations

from collections.abc import Callable

import dgmpm_cases
import gfddal_cases
import pytest
import torch
from gfddal_cases import boxes, encoded, frames
from host_guard import HostGuard, HostWaited
from tiny import add_tiny_backbone
from torch import Tensor

from vos_ros.inference import prepare


@pytest.fixture(autouse=True)
def tiny_backbone(monkeypatch: pytest.MonkeyPatch) -> None:
    add_tiny_backbone(monkeypatch)
    torch.manual_seed(0)


def branch(x: Tensor) -> Tensor:
    return x if x.sum() > 0 else -x


WAITING: dict[str, Callable[[Tensor], object]] = {
    "item": lambda x: x.sum().item(),
    "branch": branch,
    "host copy": lambda x: x.cpu().numpy(),
    "list": lambda x: x.tolist(),
    "boolean index": lambda x: x[x > 0],
    "nonzero": lambda x: x.nonzero(),
    "check for nan": lambda x: bool(torch.isnan(x).any()),
    "constant made on the host": lambda x: x + torch.tensor([1.0, 2.0]).to(x.device),
}


@pytest.mark.parametrize("name", WAITING)
def test_the_guard_sees_every_way_of_waiting(name: str) -> None:
    with pytest.raises((HostWaited, RuntimeError, NotImplementedError)), HostGuard("meta"):
        WAITING[name](torch.ones(2, device="meta"))


@pytest.mark.parametrize("name", ["item", "branch", "boolean index", "nonzero", "check for nan"])
def test_the_guard_sees_values_read_on_a_real_device(name: str) -> None:
    with pytest.raises(HostWaited), HostGuard("cpu"):
        WAITING[name](torch.ones(2))


BUILD = {"gfddal": gfddal_cases.build, "dgmpm": dgmpm_cases.build}
#: every network, whole and with each of its switches
VARIANTS = [
    ("gfddal", {}),
    *(("gfddal", {switch: False}) for switch in gfddal_cases.SWITCHES),
    ("dgmpm", {}),
    *(("dgmpm", changes) for changes in dgmpm_cases.ABLATIONS.values()),
]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(("name", "changes"), VARIANTS, ids=str)
def test_nothing_waits_on_a_device_without_values(name: str, changes: dict, precision: str) -> None:
    ready = prepare(BUILD[name](**changes), torch.device("meta"), precision)
    images, masks = frames(1).to("meta"), boxes().to("meta")
    with torch.inference_mode(), HostGuard("meta") as guard:
        features = encoded(ready, images)
        state = ready.start(features, masks)
        for _ in range(2):
            prediction, state = ready.step(features, state)
        state = state.resized(96, 128)
    assert guard.operations > 50
    assert prediction.logits.is_meta and state.previous.is_meta


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", BUILD)
def test_nothing_is_read_on_a_real_device(name: str, precision: str) -> None:
    ready = prepare(BUILD[name](), torch.device("cpu"), precision)
    with torch.inference_mode(), HostGuard("cpu") as guard:
        features = encoded(ready, frames(1))
        prediction, state = ready.step(features, ready.start(features, boxes()))
    assert guard.operations > 50
    assert prediction.logits.isfinite().all()


@pytest.mark.parametrize("name", BUILD)
def test_objects_are_batched_not_looped_over(name: str) -> None:
    """A step is as many operations for six objects as for one."""
    network = BUILD[name]()
    counts = []
    with torch.inference_mode():
        features = encoded(network, frames(1))
        for objects in (1, 6):
            state = network.start(features, boxes(objects))
            with HostGuard("cpu") as guard:
                network.step(features, state)
            counts.append(guard.operations)
    assert counts[0] == counts[1]
