# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evaluate` with a fake in place of the network."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vos_ros.apps import evaluate

CARD = {"name": "fake.safetensors", "model": "fake", "sha256": "0" * 64}


def evaluate_fake(
    monkeypatch: pytest.MonkeyPatch, build: Callable[[], object], *argv: object
) -> int:
    """Calls the command with what `build` makes in place of the weights; returns its exit code."""
    monkeypatch.setattr(evaluate, "open_weights", lambda args: (build, CARD))
    return evaluate.main([*map(str, argv)])
