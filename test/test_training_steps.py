# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A step of a training: rates, averages, clipped gradients, and one that leads nowhere."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny import add_tiny_backbone
from wandering_squares import (
    assert_same,
    everything,
    stage,
    trainer_of,
)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    add_tiny_backbone(monkeypatch)


def test_the_average_follows_the_weights_by_hand():
    trainer = trainer_of(stage(ema=0.3))
    name = "merge.first.weight"
    expected = trainer.network.state_dict()[name].double()
    for step, _ in enumerate(trainer.run()):
        decay = min(0.3, (1 + step) / (10 + step))
        weights = trainer.network.state_dict()[name].double()
        expected = decay * expected + (1 - decay) * weights
        torch.testing.assert_close(trainer.averaged()[name].double(), expected, atol=1e-6, rtol=0)
    assert not torch.equal(trainer.averaged()[name], trainer.network.state_dict()[name])


def test_gradients_are_clipped_and_the_norm_before_is_told(monkeypatch):
    norms = []
    trainer = trainer_of(stage(clip_norm=1e-3))
    parameters = [p for group in trainer.optimiser.param_groups for p in group["params"]]
    step = trainer.optimiser.step

    def watched():
        squares = sum(float((p.grad.double() ** 2).sum()) for p in parameters if p.grad is not None)
        norms.append(squares**0.5)
        return step()

    monkeypatch.setattr(trainer.optimiser, "step", watched)
    told = [values["gradient_norm"] for values in trainer.run(until=3)]
    assert norms == pytest.approx([1e-3] * 3, rel=1e-3)
    assert min(told) > 1e-2


def test_the_rates_are_those_of_the_stage():
    ours = stage(learning_rate=1e-3, backbone_learning_rate=1e-4)
    trainer = trainer_of(ours)
    for step, _ in enumerate(trainer.run()):
        heads, backbone = trainer.optimiser.param_groups
        assert heads["lr"] == pytest.approx(1e-3 * ours.rate_at(step))
        assert backbone["lr"] == pytest.approx(1e-4 * ours.rate_at(step))


@pytest.mark.parametrize(
    ("name", "kind"), [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)]
)
def test_the_optimiser_is_that_of_the_stage(name, kind):
    trainer = trainer_of(stage(optimiser=name, weight_decay=0.3))
    assert type(trainer.optimiser) is kind
    assert {group["weight_decay"] for group in trainer.optimiser.param_groups} == {0.3}


def test_a_step_into_nowhere_is_left_out(monkeypatch):
    trainer = trainer_of(stage())
    before = everything(trainer)
    losses = trainer._clip_losses
    monkeypatch.setattr(
        trainer, "_clip_losses", lambda *a: {k: v * float("inf") for k, v in losses(*a).items()}
    )
    (values,) = trainer.run(until=1)
    assert not np.isfinite(values["gradient_norm"])
    assert_same(everything(trainer), before)


def test_what_is_told_warns_of_nothing(recwarn):
    (values,) = trainer_of(stage()).run(until=1)
    parts = values["cross_entropy"] + values["dice"] + values["coarse"]
    assert values["loss"] == pytest.approx(parts, rel=1e-6) and values["seconds"] > 0
    assert all(type(value) is float for value in values.values())
    assert not [w for w in recwarn if issubclass(w.category, UserWarning)]
