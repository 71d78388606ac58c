# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Operations are counted as a pencil would."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from dgmpm_cases import tiny_dgmpm
from tiny import TinyBackbone, add_tiny_backbone, tiny_gfddal
from torch import nn

from vos_ros.benchmark.calls.ceiling import convolution_call, product_call
from vos_ros.benchmark.calls.operations import count_operations
from vos_ros.benchmark.calls.parts import Builder
from vos_ros.benchmark.models import Model
from vos_ros.benchmark.settings import Case, Size
from vos_ros.inference import PRECISIONS

CPU = torch.device("cpu")


@pytest.mark.parametrize("dtype", PRECISIONS.values(), ids=PRECISIONS)
@pytest.mark.parametrize("groups", [1, 4])
def test_a_convolution(groups: int, dtype: torch.dtype) -> None:
    layer = nn.Conv2d(8, 12, (3, 5), stride=2, padding=(1, 2), groups=groups, bias=False).to(dtype)
    images = torch.ones(2, 8, 10, 14, dtype=dtype)
    # Two images of 5 x 7 places of 12 channels, each a sum of 3 x 5 x 8 / groups products.
    expected = 2 * (2 * 5 * 7 * 12) * (3 * 5 * 8 // groups)
    with torch.inference_mode():
        assert count_operations(lambda: layer(images)) == expected


@pytest.mark.parametrize("inference", [False, True])
def test_products_of_matrices(inference: bool) -> None:
    a, b = torch.ones(4, 3, 5), torch.ones(4, 5, 7)
    linear = nn.Linear(5, 6, bias=False)

    def call() -> None:
        torch.einsum("nij,njk->nik", a, b)  # 4 x 3 x 7 sums of 5
        a @ b  # the same
        linear(a[0])  # 3 x 6 sums of 5

    with torch.inference_mode(inference):
        assert count_operations(call) == 2 * 5 * (2 * 4 * 3 * 7 + 3 * 6)


def test_what_is_neither_is_not_counted() -> None:
    x = torch.ones(1, 2, 8, 8)
    assert count_operations(lambda: (x * 2 + x.softmax(1)).relu().sum()) == 0


def test_a_whole_backbone() -> None:
    backbone = TinyBackbone().eval()
    widths = [3, *backbone.channels.values()]
    expected = sum(
        2 * 9 * before * after * (64 >> level) * (96 >> level)
        for level, (before, after) in enumerate(zip(widths, widths[1:], strict=False), start=1)
    )
    assert count_operations(lambda: backbone(torch.ones(1, 3, 64, 96))) == expected


def test_the_probes_are_what_they_say() -> None:
    assert count_operations(product_call(16, CPU, torch.bfloat16)) == 2 * 16**3
    call = convolution_call((2, 8, 6, 5), CPU, torch.float32)
    assert count_operations(call) == 18 * 2 * 8 * 8 * 6 * 5


@pytest.mark.parametrize("make", [tiny_gfddal, tiny_dgmpm])
def test_a_frame_is_counted_once_and_every_object_alike(make, monkeypatch) -> None:
    add_tiny_backbone(monkeypatch)
    builder = Builder({"it": Model("it", make().eval(), {})}, CPU)

    def count(what: str, objects: int, precision: str = "fp32") -> int:
        case = Case(Size(160, 120), what, objects, "it", 64, precision, 1, "torch")
        return count_operations(builder.work(case).call)

    one, two, five = (count("network", objects) for objects in (1, 2, 5))
    assert five - one == 4 * (two - one) > 0
    assert one > two - one  # there is the backbone, too
    # Neither scaling nor the precision nor the way to labels adds a product.
    assert count("segmenter", 2) == count("network", 2, "bf16") == two


def test_what_another_runtime_computes_is_counted_as_pytorch_does_it(monkeypatch) -> None:
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    add_tiny_backbone(monkeypatch)
    builder = Builder({"it": Model("it", tiny_gfddal().eval(), {})}, CPU)
    own = Case(Size(160, 120), "network", 2, "it", 64, "fp32", 1, "torch")
    work = builder.work(replace(own, runtime="openvino"))
    assert work.operations == count_operations(builder.work(own).call) > 0
    work.call()  # compiles it, by way of PyTorch
    assert count_operations(work.call) < work.operations  # it cannot see them
    assert work.row.runtime == "openvino" and builder.work(own).operations is None
