# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How clips go through a network in training: objects, scored frames, masks given, gradients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from dgmpm_cases import CONFIG as DGMPM
from dgmpm_cases import tiny_dgmpm
from shared_training import SIZE, clip_of
from tiny import CONFIG as GFDDAL
from tiny import add_tiny_backbone, tiny_gfddal
from torch import Tensor
from torch.nn import functional as F

from vos_ros.models.state import SegmentationNetwork
from vos_ros.training.clip_loss import ClipLoss
from vos_ros.training.distributed import World
from vos_ros.training.erosion import eroded
from vos_ros.training.losses import frame_loss, soft_targets
from vos_ros.training.stage import Stage

NETWORKS = {"gfddal": tiny_gfddal, "dgmpm": tiny_dgmpm}


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    add_tiny_backbone(monkeypatch)


def stage(model: str = "gfddal", **entries) -> Stage:
    values = {
        "model": model, "network": {"gfddal": GFDDAL, "dgmpm": DGMPM}[model], "data": {},
        "steps": 4, "size": SIZE, "batch": 3, "lengths": ((0.0, 4),), "objects": 2, "attach": 0.0,
        "unfreeze": 0.0, "frozen_stride": 0, "precision": "fp32",
    }  # fmt: skip
    return Stage(**values | entries)


def loss_of(ours: Stage, seed: int = 1) -> ClipLoss:
    loss = ClipLoss(NETWORKS[ours.model](seed), ours, World.single())
    loss.network.train()
    return loss


def clips(length: int = 4, objects: tuple[int, ...] = (2, 1, 2)) -> tuple[Tensor, Tensor]:
    made = [clip_of(3 * n + (k > 1), length, k) for n, k in enumerate(objects)]
    images, labels = (torch.stack([torch.from_numpy(clip[i]) for clip in made]) for i in (0, 1))
    assert labels.flatten(1).amax(dim=1).tolist() == list(objects)
    return images, labels


def gradients(loss: ClipLoss, *batch: Tensor) -> dict[str, Tensor]:
    loss.zero_grad(set_to_none=True)
    sum(loss(*batch, 0).values()).backward()
    return {n: p.grad for n, p in loss.network.named_parameters() if p.grad is not None}


def assert_close(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, atol=2e-6, rtol=1e-4, msg=name)


# --- objects --------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", NETWORKS)
def test_clips_with_other_numbers_of_objects_are_each_gone_through_as_alone(model: str) -> None:
    """Loss and gradient of the batch are the means of those of its clips."""
    images, labels = clips()
    loss = loss_of(stage(model, lovasz=0.5))
    together = {name: value.detach() for name, value in loss(images, labels, 0).items()}
    found = gradients(loss, images, labels)
    alone, own = [], []
    for clip in range(3):
        one = images[clip : clip + 1], labels[clip : clip + 1]
        alone.append({name: value.detach() for name, value in loss(*one, 0).items()})
        own.append(gradients(loss, *one))
    assert_close(together, {name: sum(one[name] for one in alone) / 3 for name in together})
    assert_close(found, {name: sum(one[name] for one in own) / 3 for name in found})


@pytest.mark.parametrize("model", NETWORKS)
def test_the_losses_are_those_of_the_network_frame_by_frame(model: str) -> None:
    images, labels = clips()
    ours = stage(model)
    loss = loss_of(ours)
    expected: dict[str, float] = {}
    with torch.no_grad():
        for clip, objects in enumerate((2, 1, 2)):
            frames = [loss.network.encode(loss.network.normalise(f[None])) for f in images[clip]]
            masks = torch.stack([labels[clip, 0] == one for one in range(1, objects + 1)])
            state = loss.network.start(frames[0], masks[None].float())
            for t in range(1, 4):
                prediction, state = loss.network.step(frames[t], state)
                assert prediction.logits.shape[1] == 1 + objects
                parts = frame_loss(
                    prediction.logits, prediction.coarse_logits, labels[clip, t][None], ours.worst
                )
                for name, value in parts.items():
                    expected[name] = expected.get(name, 0) + value.item() / 9
        found = {name: value.item() for name, value in loss(images, labels, 0).items()}
    assert found == pytest.approx(expected, rel=1e-4)


def test_one_pass_of_the_backbone_serves_all_clips_and_no_slot_is_empty(monkeypatch) -> None:
    loss = loss_of(stage())
    passes, starts = [], []
    backbone, start = loss.network.backbone.forward, loss.network.start
    monkeypatch.setattr(
        loss.network.backbone, "forward", lambda x: passes.append(len(x)) or backbone(x)
    )
    monkeypatch.setattr(loss.network, "start", lambda f, m: starts.append(m) or start(f, m))
    loss(*clips(), 0)
    assert passes == [12]
    assert [tuple(masks.shape[:2]) for masks in starts] == [(1, 1), (2, 2)]
    assert all(masks.flatten(2).any(dim=2).all() for masks in starts)


def test_more_objects_than_the_stage_follows_are_refused() -> None:
    with pytest.raises(ValueError, match="a clip has 2 objects, but the stage follows 1"):
        loss_of(stage(objects=1))(*clips(), 0)


# --- which frames count ---------------------------------------------------------------------------


def watched(monkeypatch: pytest.MonkeyPatch, network: SegmentationNetwork) -> list[dict]:
    """Of every step: the previous mask that was shown, and whether gradients were kept."""
    seen: list[dict] = []
    step = network.step

    def watch(features, state):
        prediction, after = step(features, state)
        seen.append(
            {
                "previous": state.previous.detach(),
                "attached": state.previous.requires_grad,
                "graph": prediction.logits.requires_grad,
            }
        )
        return prediction, after

    monkeypatch.setattr(network, "step", watch)
    return seen


def test_frames_before_the_scored_ones_are_gone_through_without_gradients(monkeypatch) -> None:
    loss = loss_of(stage("dgmpm", scored_from=3))
    seen = watched(monkeypatch, loss.network)
    images, labels = clips(5, (2, 2, 2))
    loss(images, labels, 0)
    assert [step["graph"] for step in seen] == [False, False, True, True]
    assert [step["attached"] for step in seen] == [False, False, False, True]


@pytest.mark.parametrize("model", NETWORKS)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_scored_frames_alone_make_the_loss_and_its_gradient(model: str, precision: str) -> None:
    """Those of a clip cut by hand, its state carried to where the scored frames begin."""
    images, labels = clips(4, (2, 2, 2))
    loss = loss_of(stage(model, scored_from=2, precision=precision))
    found = gradients(loss, images, labels)

    class ByHand(ClipLoss):
        def forward(self, images, labels, step):
            features = self._encode(images, step)
            frames = [features.frame(t, 4) for t in range(4)]
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                first = soft_targets(labels[:, 0], 2, *SIZE)[:, 1:]
                state = self.network.start(frames[0], first)
                _, state = self.network.step(frames[1], state)
                state = state.feedback_detached()
                total = 0
                for t in (2, 3):
                    prediction, state = self.network.step(frames[t], state)
                    parts = frame_loss(
                        prediction.logits, prediction.coarse_logits, labels[:, t], 0.25
                    )
                    total = total + sum(value.mean() for value in parts.values()) / 2
            return {"loss": total}

    by_hand = ByHand(loss.network, loss.stage, loss.world)
    expected = gradients(by_hand, images, labels)
    if precision == "fp32":
        assert_close(found, expected)
    else:  # narrowed weights of the frames without gradients must not be taken for the others
        norms = {name: (found[name].norm(), value.norm()) for name, value in expected.items()}
        assert found.keys() == expected.keys()
        assert all(ours > 0.8 * theirs - 1e-4 for ours, theirs in norms.values()), norms


def test_the_paper_s_clips_of_three_look_at_the_first_and_the_last_frame(monkeypatch) -> None:
    """DGMPM, IV-B: reference frame, previous mask, target frame."""
    loss = loss_of(stage("dgmpm", given=1.0, scored_from=2, lengths=((0.0, 3),)))
    seen = watched(monkeypatch, loss.network)
    passes = []
    backbone = loss.network.backbone.forward
    monkeypatch.setattr(
        loss.network.backbone, "forward", lambda x: passes.append(x.detach()) or backbone(x)
    )
    images, labels = clips(3, (1, 1, 1))
    values = loss(images, labels, 0)
    assert len(seen) == 1 and seen[0]["graph"]
    expected = F.avg_pool2d((labels[:, 1:2] == 1).float(), 2)
    torch.testing.assert_close(seen[0]["previous"], expected)
    looked_at = loss.network.normalise(images[:, [0, 2]].flatten(0, 1))
    torch.testing.assert_close(passes[0], looked_at)
    # What the frame between them shows is of no consequence.
    images[:, 1] = 0
    for name, value in loss(images, labels, 0).items():
        torch.testing.assert_close(value, values[name])


def test_eroded_masks_of_several_objects_are_each_their_own(monkeypatch) -> None:
    ours = stage("dgmpm", given=1.0, erosion=4)
    loss = loss_of(ours)
    seen = watched(monkeypatch, loss.network)
    images, labels = clips(4, (2, 2, 2))
    loss(images, labels, 0)
    for t, step in enumerate(seen):
        masks = torch.stack([labels[:, t] == one for one in (1, 2)], dim=1).float()
        radii = np.random.default_rng([ours.seed, 0, t + 1]).integers(0, 5, (3, 2))
        assert len(np.unique(radii)) > 1
        expected = F.avg_pool2d(eroded(masks, torch.from_numpy(radii)), 2)
        torch.testing.assert_close(step["previous"], expected)


# --- gradients through the clip -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("truncate", "attached"),
    [
        (0, [False, True, True, True, True]),
        (1, [False, False, False, False, False]),
        (2, [False, True, False, True, False]),
        (3, [False, True, True, False, True]),
    ],
)
def test_gradients_are_cut_off_every_so_many_frames(monkeypatch, truncate, attached) -> None:
    loss = loss_of(stage(truncate=truncate))
    seen = watched(monkeypatch, loss.network)
    loss(*clips(6, (2, 2, 2)), 0)
    assert [step["attached"] for step in seen] == attached


def test_truncation_at_every_frame_is_no_attachment() -> None:
    batch = clips()
    one = gradients(loss_of(stage(truncate=1)), *batch)
    assert_close(one, gradients(loss_of(stage(attach=1.0)), *batch))
    whole = gradients(loss_of(stage()), *batch)
    assert any((whole[name] - value).abs().max() > 1e-5 for name, value in one.items())


# --- precision ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("precision", "kind"),
    [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)],
)
def test_the_precision_is_that_of_the_stage(precision: str, kind: torch.dtype) -> None:
    loss = loss_of(stage(precision=precision, unfreeze=1.0))
    seen: list[torch.dtype] = []
    watch: Callable = lambda module, given, result: seen.append(result.dtype)  # noqa: E731
    loss.network.backbone.layer2[0].register_forward_hook(watch)
    loss.network.merge.first.register_forward_hook(watch)
    values = loss(*clips(), 0)
    assert set(seen) == {kind}
    assert all(value.dtype == torch.float32 and value.isfinite() for value in values.values())


def test_a_tuned_backbone_runs_in_full_precision_on_a_cpu() -> None:
    loss = loss_of(stage(precision="bf16", unfreeze=0.0))
    seen = []
    loss.network.backbone.layer2[0].register_forward_hook(lambda m, g, r: seen.append(r.dtype))
    loss(*clips(), 0)
    assert seen == [torch.float32]
