# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""DGMPM in the training loop, and the previous masks that its stages show to a network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from dgmpm_cases import CONFIG, tiny_dgmpm
from tiny import add_tiny_backbone, tiny_gfddal
from torch import Tensor
from torch.nn import functional as F

from vos_ros.training.erosion import eroded
from vos_ros.training.loop import Trainer
from vos_ros.training.stage import Stage

SIZE = (32, 64)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    add_tiny_backbone(monkeypatch)


def stage(**entries) -> Stage:
    values = {
        "model": "dgmpm", "network": CONFIG, "data": {}, "steps": 4, "size": SIZE, "batch": 2,
        "lengths": ((0.0, 4),), "unfreeze": 0.5, "frozen_stride": 4, "attach": 0.0,
    }  # fmt: skip
    return Stage(**values | entries)


def batch(length: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Two clips of a bright square that wanders over noise."""
    rng = np.random.default_rng(seed)
    images = rng.integers(60, 120, (2, length, 3, *SIZE), dtype=np.uint8)
    labels = np.zeros((2, length, *SIZE), np.uint8)
    for clip in range(2):
        for t in range(length):
            x, y = 4 + 20 * clip + 3 * t, 6 + t
            images[clip, t, :, y : y + 16, x : x + 18] = 220
            labels[clip, t, y : y + 16, x : x + 18] = 1
    return torch.from_numpy(images), torch.from_numpy(labels)


def source(step: int, length: int):
    while True:
        yield batch(length, step)
        step += 1


def weights(trainer: Trainer) -> dict[str, Tensor]:
    return {k: v.detach().clone() for k, v in trainer.network.state_dict().items()}


def test_the_loss_falls_on_one_clip() -> None:
    ours = stage(steps=40, lengths=((0.0, 3),), unfreeze=0.0, frozen_stride=0, learning_rate=5e-3,
                 backbone_learning_rate=2e-3, erosion=2)  # fmt: skip
    trainer = Trainer(tiny_dgmpm(1), ours, lambda *_: iter([batch(3)] * 40))
    values = list(trainer.run())
    assert set(values[0]) == {"cross_entropy", "dice", "loss", "gradient_norm", "seconds"}
    losses = [v["loss"] for v in values]
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])


@pytest.mark.parametrize("stop", [1, 3])
def test_an_interrupted_run_shows_the_masks_that_it_would_have_shown(tmp_path, stop: int) -> None:
    ours = stage(erosion=3, given=0.5)
    whole = Trainer(tiny_dgmpm(1), ours, source)
    list(whole.run())
    first, second = Trainer(tiny_dgmpm(1), ours, source), Trainer(tiny_dgmpm(9), ours, source)
    list(first.run(until=stop))
    first.save(tmp_path / "c.safetensors")
    second.resume(tmp_path / "c.safetensors")
    list(second.run())
    expected = weights(whole)
    assert all(torch.equal(value, expected[name]) for name, value in weights(second).items())


def seen(monkeypatch: pytest.MonkeyPatch, network, ours: Stage) -> list[Tensor]:
    """The previous mask that every step of a run is handed."""
    found = []
    step = network.step

    def watched(features, state):
        found.append(state.previous.detach().float())
        return step(features, state)

    monkeypatch.setattr(network, "step", watched)
    list(Trainer(network, ours, source).run())
    return found


def pooled(labels: Tensor, radii: np.ndarray | None = None) -> Tensor:
    masks = labels.unsqueeze(1).float()
    masks = masks if radii is None else eroded(masks, torch.from_numpy(radii))
    return F.avg_pool2d(masks, 2)


@pytest.mark.parametrize("make", [tiny_dgmpm, tiny_gfddal])
def test_annotated_masks_are_given_for_a_share_of_the_stage(monkeypatch, make) -> None:
    """Steps 0 and 1 of 4, three frames each; afterwards the first frame's alone."""
    found = seen(monkeypatch, make(2), stage(given=0.5))
    for step in range(4):
        _, labels = batch(4, step)
        for frame in range(3):
            own = torch.equal(found[3 * step + frame], pooled(labels[:, frame]))
            assert own == (step < 2 or frame == 0), (step, frame)


@pytest.mark.parametrize("given", [0.0, 1.0])
def test_annotated_masks_are_eroded_each_by_its_own_radius(monkeypatch, given: float) -> None:
    found = seen(monkeypatch, tiny_dgmpm(2), stage(given=given, erosion=3))
    radii = []
    for step in range(4):
        _, labels = batch(4, step)
        for frame in range(3 if given else 1):
            drawn = np.random.default_rng([1, step, frame + 1]).integers(0, 4, (2, 1))
            radii.append(drawn)
            expected = pooled(labels[:, frame], drawn)
            torch.testing.assert_close(found[3 * step + frame], expected, atol=0.01, rtol=0)
    assert len(np.unique(radii)) > 2


def test_the_anchors_are_those_of_the_whole_first_mask(monkeypatch) -> None:
    """Erosion imitates found masks; the first one is given and exact."""
    network = tiny_dgmpm(2)
    anchors = []
    step = network.step
    monkeypatch.setattr(
        network, "step", lambda f, s: anchors.append(s.anchors.detach().clone()) or step(f, s)
    )
    for erosion in (0, 3):
        torch.manual_seed(0)
        trainer = Trainer(network, stage(erosion=erosion), source)
        list(trainer.run(until=1))
        network.load_state_dict(tiny_dgmpm(2).state_dict())
    torch.testing.assert_close(anchors[0], anchors[3])
