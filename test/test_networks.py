# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Networks by name."""

from __future__ import annotations

import pytest

from vos_ros.models import NETWORKS, build_network


def test_an_unknown_network_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="no network is called 'segnet': choose one of gfddal, "):
        build_network("segnet", {})


def test_an_unknown_argument_is_refused_in_words() -> None:
    with pytest.raises(TypeError) as refusal:
        build_network("dgmpm", {"attn": "none", "embedding_stride": 2})
    assert str(refusal.value) == (
        "dgmpm has no argument attn; known are backbone, embedding_channels, embedding_stride, "
        "decoder_channels, attention_channels, output_stride, embedding_distance, previous_mask, "
        "attention"
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_all_unknown_arguments_are_named(name: str) -> None:
    with pytest.raises(TypeError, match=f"^{name} has no argument self or 3; known are backbone, "):
        build_network(name, {"self": 1, "backbone": "resnet18", 3: 1})
