# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A training that is interrupted goes on as if it had not been."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from tiny import add_tiny_backbone
from wandering_squares import (
    assert_same,
    batches,
    everything,
    several,
    stage,
    trainer_of,
    without_time,
)

from vos_ros.training.checkpoint import CheckpointError


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    add_tiny_backbone(monkeypatch)


# --- resuming -------------------------------------------------------------------------------------


@pytest.mark.parametrize("stop", [1, 3, 5])
def test_a_run_that_was_interrupted_equals_one_that_was_not(tmp_path, stop):
    """Before and after the clips grow (3), the backbone is tuned (3) and feedback attached (3)."""
    whole = trainer_of(stage())
    expected = [without_time(values) for values in whole.run()]
    first = trainer_of(stage())
    found = [without_time(values) for values in first.run(until=stop)]
    assert first.step == stop
    first.save(tmp_path / "c.safetensors")
    second = trainer_of(stage(), seed=99)  # other weights: all come from the checkpoint
    second.resume(tmp_path / "c.safetensors")
    assert second.step == stop
    assert_same(everything(second), everything(first))
    found += [without_time(values) for values in second.run()]
    assert found == expected
    assert_same(everything(second), everything(whole))


WITH_ALL = {
    "precision": "fp16", "gaps": ((0.0, 1), (0.4, 2)), "objects": 2, "erosion": 2, "lovasz": 0.5,
    "optimiser": "adam", "schedule": "exponential", "truncate": 1, "ema": 0.5,
}  # fmt: skip


def lightly_scaled(trainer):
    """With a scale that float16 can bear from the first step on, and that grows after three."""
    trainer._optimisation.scaler = torch.amp.GradScaler("cpu", init_scale=64.0, growth_interval=3)
    return trainer


@pytest.mark.parametrize("stop", [1, 2, 3, 5])
def test_a_run_with_all_there_is_resumes_exactly_too(tmp_path, stop):
    """Half precision with its scale, several objects, gaps that widen; at 2 a step is left out."""
    ours = stage(**WITH_ALL)

    def spoilt(trainer):
        losses = trainer._clip_losses

        def watched(images, labels):
            factor = float("inf") if trainer.step == 1 else 1.0
            return {name: value * factor for name, value in losses(images, labels).items()}

        trainer._clip_losses = watched
        return lightly_scaled(trainer)

    whole = spoilt(trainer_of(ours, source=several(ours)))
    expected = [without_time(values) for values in whole.run()]
    first = spoilt(trainer_of(ours, source=several(ours)))
    found = [without_time(values) for values in first.run(until=stop)]
    first.save(tmp_path / "c.safetensors")
    second = spoilt(trainer_of(ours, seed=99, source=several(ours)))
    second.resume(tmp_path / "c.safetensors")
    assert second._optimisation.scaler.state_dict() == first._optimisation.scaler.state_dict()
    found += [without_time(values) for values in second.run()]
    assert [str(values) for values in found] == [str(values) for values in expected]  # nan is nan
    assert [np.isfinite(values["gradient_norm"]) for values in found] == [True, False] + [True] * 4
    assert whole._optimisation.scaler.get_scale() == 64  # halved at the second, doubled at the last
    assert_same(everything(second), everything(whole))


def test_a_scaled_loss_that_overflows_is_scaled_less_and_the_step_left_out(tmp_path, monkeypatch):
    trainer = trainer_of(stage(precision="fp16"))
    before = everything(trainer)
    losses = trainer._clip_losses
    monkeypatch.setattr(
        trainer, "_clip_losses", lambda *a: {k: v * 1e38 for k, v in losses(*a).items()}
    )
    scaler = trainer._optimisation.scaler
    scale = scaler.get_scale()
    (values,) = trainer.run(until=1)
    assert not np.isfinite(values["gradient_norm"]) and scaler.get_scale() == scale / 2
    assert_same(everything(trainer), before)
    trainer.save(tmp_path / "c.safetensors")
    again = trainer_of(stage(precision="fp16"))
    again.resume(tmp_path / "c.safetensors")
    assert again._optimisation.scaler.get_scale() == scale / 2


def test_the_scale_of_the_loss_is_not_told():
    """Norms and losses are those of the loss itself, whatever it was scaled by."""
    half = lightly_scaled(trainer_of(stage(precision="fp16")))
    full = trainer_of(stage(precision="fp32"))
    (one,), (other,) = half.run(until=1), full.run(until=1)
    for name in ("loss", "gradient_norm"):
        assert one[name] == pytest.approx(other[name], rel=0.02)


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_a_checkpoint_of_another_precision_can_be_gone_on_from(tmp_path, precision):
    first = trainer_of(stage(precision=precision))
    list(first.run(until=2))
    first.save(tmp_path / "c.safetensors")
    second = trainer_of(stage(precision="fp16"))
    second.resume(tmp_path / "c.safetensors")
    assert second._optimisation.scaler.get_scale() == 65536
    assert all(np.isfinite(values["loss"]) for values in second.run(until=3))


def test_a_caller_may_stop_at_any_step_and_go_on(tmp_path):
    whole = trainer_of(stage())
    list(whole.run())
    parts = trainer_of(stage())
    for _ in parts.run():
        if parts.step == 2:
            break
    list(parts.run())
    assert parts.step == 6
    assert_same(everything(parts), everything(whole))


def test_every_step_asks_for_its_own_batches():
    asked = []

    def source(step, length):
        asked.append((step, length))
        return batches(step, length)

    trainer = trainer_of(stage(), source=source)
    list(trainer.run(until=2))
    list(trainer.run())
    assert asked == [(0, 2), (2, 2), (3, 3)]
    assert list(trainer.run()) == []


def test_new_gaps_ask_for_new_batches():
    asked = []

    def source(step, length):
        asked.append((step, length))
        return batches(step, length)

    ours = stage(gaps=((0, 1), (0.34, 3), (0.5, 5), (0.7, 5)))
    list(trainer_of(ours, source=source).run())
    assert asked == [(0, 2), (3, 3)]  # at 3 the length and the gap change, at 5 neither
    asked.clear()
    list(trainer_of(stage(gaps=((0, 1), (0.2, 3))), source=source).run())
    assert asked == [(0, 2), (2, 2), (3, 3)]


def test_a_source_that_ends_is_asked_again_and_one_that_is_empty_is_an_error():
    def short(step, length):
        return (batch for batch, _ in zip(batches(step, length), range(2), strict=False))

    whole, pieces = trainer_of(stage()), trainer_of(stage(), source=short)
    list(whole.run())
    list(pieces.run())
    assert_same(everything(pieces), everything(whole))
    with pytest.raises(ValueError, match="the source of clips gives no batch from step 0 on"):
        list(trainer_of(stage(), source=lambda *_: iter(())).run())


# --- checkpoints that cannot be used --------------------------------------------------------------


def refused(path, message, **entries):
    trainer = trainer_of(stage(**entries), seed=5)
    before = everything(trainer)
    with pytest.raises(CheckpointError, match=message) as caught:
        trainer.resume(path)
    assert str(path) in str(caught.value)
    assert trainer.step == 0
    assert_same(everything(trainer), before)


@pytest.fixture
def checkpoint(tmp_path):
    trainer = trainer_of(stage())
    list(trainer.run(until=4))
    trainer.save(tmp_path / "c.safetensors")
    return tmp_path / "c.safetensors"


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
def test_a_truncated_checkpoint_is_refused(checkpoint, share):
    content = checkpoint.read_bytes()
    checkpoint.write_bytes(content[: int(share * len(content))])
    refused(checkpoint, "is not a whole training checkpoint")


@pytest.mark.parametrize("progress", [None, "", "[1]", "{}", '{"step": "4"}', "{"])
def test_a_file_without_progress_is_refused(checkpoint, progress):
    with safe_open(checkpoint, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    save_file(tensors, checkpoint, metadata=None if progress is None else {"progress": progress})
    refused(checkpoint, "is not a.* training checkpoint")


def test_a_checkpoint_of_another_network_is_refused(checkpoint):
    with safe_open(checkpoint, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    without = {n: v for n, v in tensors.items() if n.rpartition("/")[2] != "coarse.bias"}
    others = [tensors | {f"{part}/coarse.bias": torch.zeros(3)} for part in ("network", "average")]
    for changed in (without, *others):
        save_file(changed, checkpoint, metadata={"progress": json.dumps({"step": 4})})
        refused(checkpoint, "belongs to another network: coarse.bias differs")


def test_a_checkpoint_of_another_optimiser_is_refused(checkpoint):
    message = "belongs to another stage.*frozen_stride must be the same"
    refused(checkpoint, message, frozen_stride=8)
    with safe_open(checkpoint, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    tensors["optimiser/0/exp_avg"] = torch.zeros(3, 5)
    save_file(tensors, checkpoint, metadata={"progress": json.dumps({"step": 4})})
    refused(checkpoint, message)


def test_saving_leaves_the_old_checkpoint_until_the_new_one_is_whole(checkpoint, monkeypatch):
    before = checkpoint.read_bytes()
    trainer = trainer_of(stage())

    def half(tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError("the disk is full")

    monkeypatch.setattr("vos_ros.training.checkpoint.save_file", half)
    with pytest.raises(OSError, match="full"):
        trainer.save(checkpoint)
    assert checkpoint.read_bytes() == before
