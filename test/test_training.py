# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The training loop: it learns, it resumes exactly, and it moves only what it should."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from tiny import CONFIG, ColourFeatures, ColourNetwork, TinyBackbone, add_tiny_backbone, tiny_gfddal

from vos_ros.models.dgmpm import DgmpmFeatures
from vos_ros.training.checkpoint import CheckpointError
from vos_ros.training.loop import Trainer
from vos_ros.training.losses import frame_loss
from vos_ros.training.stage import Stage

SIZE = (32, 64)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    add_tiny_backbone(monkeypatch)


def stage(**entries) -> Stage:
    values = {
        "model": "gfddal",
        "network": CONFIG,
        "data": {},
        "steps": 6,
        "size": SIZE,
        "batch": 2,
        "lengths": ((0.0, 2), (0.5, 3)),
        "unfreeze": 0.5,
        "frozen_stride": 4,
        "attach": 0.34,
        "warm_up": 0.2,
    }
    return Stage(**values | entries)


def clip_of(number, length):
    """A bright square that wanders over noise."""
    rng = np.random.default_rng(number)
    images = rng.integers(60, 120, (length, 3, *SIZE), dtype=np.uint8)
    labels = np.zeros((length, *SIZE), np.uint8)
    x, y = rng.integers(0, 40), rng.integers(0, 16)
    colour = rng.integers(180, 255, (3, 1, 1))
    for t in range(length):
        images[t, :, y : y + 14, x + 2 * t : x + 2 * t + 14] = colour
        labels[t, y : y + 14, x + 2 * t : x + 2 * t + 14] = 1
    return images, labels


def batches(step, length):
    """Equal steps give equal batches, as a stage's data do."""
    while True:
        clips = [clip_of(2 * step + i, length) for i in range(2)]
        yield tuple(torch.from_numpy(np.stack(part)) for part in zip(*clips, strict=True))
        step += 1


def trainer_of(ours, seed=1, source=batches, network=None):
    return Trainer(network or tiny_gfddal(seed), ours, source)


def everything(trainer):
    """All that a training is made of, flat."""
    found = {f"network/{n}": v for n, v in trainer.network.state_dict().items()}
    found |= {f"average/{n}": v for n, v in trainer.averaged().items()}
    for index, moments in trainer.optimiser.state_dict()["state"].items():
        found |= {f"optimiser/{index}/{name}": value for name, value in moments.items()}
    return {name: value.detach().clone() for name, value in found.items()}


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


def without_time(values):
    return {name: value for name, value in values.items() if name != "seconds"}


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


def several(stage):
    """Batches of clips with one or two objects that move by the stage's gap."""

    def source(step, length):
        while True:
            clips = []
            for number in (2 * step, 2 * step + 1):
                images, labels = clip_of(number, length)
                if number % 3:
                    x = 2 + stage.gap_at(step) * number % 5
                    images[..., 2:12, x : x + 12], labels[..., 2:12, x : x + 12] = 250, 2
                clips.append((images, labels))
            yield tuple(torch.from_numpy(np.stack(part)) for part in zip(*clips, strict=True))
            step += 1

    return source


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


# --- what is seen of it ---------------------------------------------------------------------------


def test_the_last_batch_is_kept():
    trainer = trainer_of(stage())
    assert trainer.last_batch is None
    list(trainer.run(until=2))
    images, labels = next(batches(1, 2))
    assert torch.equal(trainer.last_batch[0], images)
    assert torch.equal(trainer.last_batch[1], labels)


def test_a_preview_is_what_the_present_weights_find_and_changes_nothing():
    trainer = trainer_of(stage(precision="fp32"), network=tiny_gfddal(2, contrast=40))
    images, labels = next(several(stage(gaps=((0, 1),)))(1, 4))
    assert labels.flatten(1).amax(dim=1).tolist() == [2, 1]
    before = everything(trainer)
    found = trainer.preview(images, labels)
    assert_same(everything(trainer), before)
    assert found.dtype == torch.uint8 and found.shape == labels.shape
    assert torch.equal(found[:, 0], labels[:, 0]) and not found[1].eq(2).any()
    network = trainer.network
    with torch.no_grad():
        for clip, objects in enumerate((2, 1)):
            frames = [network.encode(network.normalise(frame[None])) for frame in images[clip]]
            masks = [labels[clip, 0] == one for one in range(1, objects + 1)]
            state = network.start(frames[0], torch.stack(masks)[None].float())
            for t in range(1, 4):
                prediction, state = network.step(frames[t], state)
                logits = torch.nn.functional.interpolate(
                    prediction.logits, SIZE, mode="bilinear", align_corners=False
                )
                agree = (logits.argmax(dim=1)[0] == found[clip, t]).float().mean()
                assert agree > 0.999
    assert len(found[:, 1:].unique()) > 1


# --- learning -------------------------------------------------------------------------------------


def test_the_loss_falls_on_one_clip():
    ours = stage(steps=40, lengths=((0.0, 2),), unfreeze=0.0, frozen_stride=0, learning_rate=5e-3,
                 backbone_learning_rate=2e-3)  # fmt: skip
    batch = next(batches(0, 2))
    losses = [v["loss"] for v in trainer_of(ours, source=lambda *_: iter([batch] * 40)).run()]
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])


def test_the_losses_are_those_of_each_clip_gone_through_alone_frame_by_frame():
    ours = stage(lengths=((0.0, 3),))
    trainer = trainer_of(ours)
    images, labels = next(batches(0, 3))
    parts = trainer._clip_losses(images, labels)
    network, expected = tiny_gfddal(1).train(), dict.fromkeys(parts, 0.0)
    for clip in range(2):
        frames = [network.encode(network.normalise(images[clip, t][None])) for t in range(3)]
        state = network.start(frames[0], (labels[clip, 0] == 1)[None, None].float())
        for t in (1, 2):
            prediction, state = network.step(frames[t], state)
            losses = frame_loss(
                prediction.logits, prediction.coarse_logits, labels[clip, t][None], ours.worst
            )
            for name, value in losses.items():
                expected[name] += value.item() / 4  # two clips of two frames
    found = {name: value.item() for name, value in parts.items()}
    assert found == pytest.approx(expected, rel=0.02)  # mixed precision makes the difference


def test_objects_start_from_the_mask_of_the_first_frame(monkeypatch):
    given = []
    network = tiny_gfddal(1)
    start = network.start
    monkeypatch.setattr(network, "start", lambda f, masks: given.append(masks) or start(f, masks))
    images, labels = next(batches(0, 2))
    trainer_of(stage(), network=network)._clip_losses(images, labels)
    assert torch.equal(given[0], (labels[:, :1] == 1).float())


def test_a_frame_is_taken_of_every_clip():
    colours = torch.arange(6.0).reshape(6, 1, 1, 1)  # two clips of three frames
    for index in range(3):
        frame = ColourFeatures(colours).frame(index, 3)
        assert frame.colours.flatten().tolist() == [index, 3 + index]


def test_features_are_taken_of_some_frames():
    maps = {2: torch.arange(4.0).reshape(4, 1, 1, 1)}
    features = DgmpmFeatures(10 * maps[2], maps).only(torch.tensor([3, 1]))
    assert features.embedding.flatten().tolist() == [30, 10]
    assert features.laterals[2].flatten().tolist() == [3, 1]


def test_a_network_of_another_kind_is_trained_too():
    """One without coarse logits, and with a state and features of its own."""
    network = ColourNetwork()
    network.backbone = TinyBackbone()
    network.encode = None  # the loop goes by way of backbone and projection
    network.project = lambda features: _colours(features)
    trainer = trainer_of(stage(unfreeze=0.0, frozen_stride=0), network=network)
    before = everything(trainer)
    values = list(trainer.run(until=2))
    assert set(values[0]) == {"cross_entropy", "dice", "loss", "gradient_norm", "seconds"}
    assert not torch.equal(before["network/sharpness"], network.sharpness)


def _colours(features):
    return ColourFeatures(features[4][:, :3])


def moved(trainer, steps):
    before = everything(trainer)
    list(trainer.run(until=steps))
    after = everything(trainer)
    names = [n.removeprefix("network/") for n in before if n.startswith("network/")]
    return {n for n in names if not torch.equal(before[f"network/{n}"], after[f"network/{n}"])}


@pytest.mark.parametrize("how", [{"unfreeze": 1.0}, {"unfreeze": 0.0, "frozen_stride": 32}])
def test_a_frozen_backbone_does_not_move_and_the_rest_does(how):
    changed = moved(trainer_of(stage(**how)), 6)
    assert not any(name.startswith("backbone.") for name in changed)
    assert {"directions.main.weight", "merge.first.weight", "decoder.predictor.weight"} <= changed


def test_a_tuned_backbone_moves_beyond_the_frozen_stride_and_keeps_its_statistics():
    changed = moved(trainer_of(stage(unfreeze=0.0, frozen_stride=4)), 3)
    layers = {name.split(".")[1] for name in changed if name.startswith("backbone.")}
    assert layers == {"layer8", "layer16", "layer32"}
    assert not any("running" in name for name in changed)
    assert {"backbone.layer8.0.weight", "backbone.layer8.1.weight"} <= changed


def test_the_backbone_begins_to_move_at_its_step():
    trainer = trainer_of(stage())
    assert not any(name.startswith("backbone.") for name in moved(trainer, 3))
    assert any(name.startswith("backbone.") for name in moved(trainer, 4))


def test_gradients_flow_through_the_feedback_only_once_it_is_attached(monkeypatch):
    """Told by the second half of a clip: its loss reaches the first step's state, or not."""
    seen = []
    network = tiny_gfddal(1)
    step = network.step

    def watched(features, state):
        seen.append((state.previous.requires_grad, state.guided_first.requires_grad))
        return step(features, state)

    monkeypatch.setattr(network, "step", watched)
    trainer = trainer_of(stage(lengths=((0.0, 3),), attach=0.5), network=network)
    list(trainer.run())
    # Two steps a clip: the first is handed the given mask, the second what the first made.
    assert seen[:6] == [(False, True), (False, True)] * 3
    assert seen[6:] == [(False, True), (True, True)] * 3


# --- the optimiser --------------------------------------------------------------------------------


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
