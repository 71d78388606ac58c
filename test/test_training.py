# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The training loop learns, moves only what it should, and shows what it sees."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny import ColourFeatures, ColourNetwork, TinyBackbone, add_tiny_backbone, tiny_gfddal
from wandering_squares import (
    SIZE,
    assert_same,
    batches,
    everything,
    several,
    stage,
    trainer_of,
)

from vos_ros.models.dgmpm import DgmpmFeatures
from vos_ros.training.losses import frame_loss


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    add_tiny_backbone(monkeypatch)


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
