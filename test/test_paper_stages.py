# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The papers' stages: their figures as printed, and a step of each on tiny sets of their kinds."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import stage_data
import torch

from vos_ros.models import build_network
from vos_ros.training.loop import Trainer
from vos_ros.training.sources import StageBatches
from vos_ros.training.stage import Stage, read_stage

CONFIGS = Path(__file__).parents[1] / "config/training"
DAVIS, YOUTUBE, COCO = 60, 3471, 118287
#: as the papers print them: height, width, frames the network sees, batch, material, epochs, first
#: rate; None where a paper is silent
PRINTED = {
    "gfddal_paper_1": (240, 432, 12, 8, DAVIS + YOUTUBE, 120, None),
    "gfddal_paper_2": (480, 854, 8, 4, DAVIS + YOUTUBE, 100, 1e-5),
    "dgmpm_paper_1": (400, 800, 2, None, COCO, None, 1e-5),
    "dgmpm_paper_2": (400, 800, 2, None, YOUTUBE, None, 5e-6),
    "dgmpm_paper_3": (400, 800, 2, None, DAVIS, None, 1e-6),
}


def stage(name: str) -> Stage:
    return read_stage(CONFIGS / f"{name}.yaml")


@pytest.mark.parametrize("name", PRINTED)
def test_the_figures_are_the_printed_ones(name: str) -> None:
    ours = stage(name)
    height, width, frames, batch, material, epochs, rate = PRINTED[name]
    assert all(abs(a - b) <= 16 for a, b in zip(ours.size, (height, width), strict=True))
    (_, length), *more = ours.lengths
    assert not more and length - (ours.scored_from - 1) * (ours.given > 0) == frames
    assert batch in (None, ours.batch)
    per_epoch = math.ceil(material / ours.batch)
    assert ours.steps % per_epoch == 0
    assert epochs in (None, ours.steps // per_epoch)
    assert ours.rate_at(0) == 1 and ours.learning_rate == ours.backbone_learning_rate
    assert rate is None or ours.learning_rate == rate
    # What neither paper does: ours is switched off.
    assert (ours.optimiser, ours.worst, ours.dice, ours.lovasz, ours.ema) == ("adam", 1, 0, 0, 0)
    assert ours.tunes_backbone(0) and ours.frozen_stride == 0 and ours.clip_norm > 1e8


@pytest.mark.parametrize("model", ["gfddal", "dgmpm"])
def test_a_stage_starts_from_the_weights_of_the_one_before(model: str) -> None:
    stages = [stage(name) for name in PRINTED if name.startswith(model)]
    assert [ours.imagenet for ours in stages] == [True] + [False] * (len(stages) - 1)
    assert all(ours.network == stages[0].network for ours in stages)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Tiny sets where the stages look for the real ones."""
    stage_data.davis(tmp_path / "DAVIS", 2017)
    stage_data.youtube_vos(tmp_path / "YouTubeVOS")
    stage_data.coco(tmp_path)
    (tmp_path / "coco/annotations").mkdir()
    instances = tmp_path / "coco/instances.json"
    instances.rename(tmp_path / "coco/annotations/instances_train2017.json")
    (tmp_path / "coco/images").rename(tmp_path / "coco/train2017")
    return tmp_path


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", PRINTED)
def test_a_step_of_each_stage_trains_the_whole_network(name: str, root: Path) -> None:
    """With the paper's networks and clips, small in height and width alone."""
    ours = dataclasses.replace(stage(name), size=(32, 64), batch=1)
    torch.manual_seed(0)
    network = build_network(ours.model, ours.network)
    before = {n: value.detach().clone() for n, value in network.named_parameters()}
    trainer = Trainer(network, ours, StageBatches(ours, root, workers=0))
    (values,) = trainer.run(until=1)
    parts = {"cross_entropy", "coarse"} if ours.model == "gfddal" else {"cross_entropy"}
    assert set(values) == parts | {"loss", "gradient_norm", "seconds"}
    assert math.isfinite(values["loss"]) and values["gradient_norm"] > 0
    moved = {n for n, value in network.named_parameters() if not torch.equal(value, before[n])}
    deepest = "backbone.layer3" if ours.model == "gfddal" else "backbone.layer4"
    for part in ("backbone.conv1", deepest, "laterals", "decoder"):
        assert any(name.startswith(part) for name in moved), part
    assert trainer.last_batch[0].shape == (1, ours.lengths[0][1], 3, 32, 64)


def clips_of(name: str, root: Path, count: int) -> tuple[np.ndarray, np.ndarray]:
    """N clips of a stage at the size of the tiny sets' frames: N x T x H x W x 3, N x T x H x W."""
    size = (stage_data.HEIGHT, stage_data.WIDTH)
    ours = dataclasses.replace(stage(name), size=size, batch=1)
    batches = StageBatches(ours, root, workers=0)(0, ours.lengths[0][1])
    pairs = [pair for pair, _ in zip(batches, range(count), strict=False)]
    images, labels = (torch.cat(parts).numpy() for parts in zip(*pairs, strict=True))
    return images.transpose(0, 1, 3, 4, 2), labels


@pytest.mark.parametrize("name", ["gfddal_paper_1", "gfddal_paper_2"])
def test_clips_of_gfddal_are_the_frames_themselves(name: str, root: Path) -> None:
    """One after the other, as far as the video goes, and one of its objects in them."""
    shown = set()
    for images, labels in zip(*clips_of(name, root, 12), strict=True):
        numbers = [int(image[0, 0, 0]) // 10 - 1 for image in images]  # the grey tells the frame
        truths = [stage_data.picture(number) for number in numbers]
        assert all((a == b).all() for a, (b, _) in zip(images, truths, strict=True))
        chosen = {k for k in (1, 2)
                  if all(((ids == k) == part).all()
                         for (_, ids), part in zip(truths, labels, strict=True))}  # fmt: skip
        assert len(chosen) == 1
        shown |= chosen
        every = 5 if max(numbers) >= stage_data.FRAMES else 1  # of YouTube-VOS's every fifth
        assert set(np.diff(numbers)) <= {every, 0}
    assert shown == {1, 2}


@pytest.mark.parametrize("name", ["dgmpm_paper_2", "dgmpm_paper_3"])
def test_clips_of_dgmpm_are_frames_scaled_flipped_and_turned(name: str, root: Path) -> None:
    """In their own colours, with no second of anything."""
    sides, areas, moved = set(), [], 0
    for images, labels in zip(*clips_of(name, root, 20), strict=True):
        for image, part in zip(images, labels, strict=True):
            inner = cv2.erode(part, np.ones((5, 5), np.uint8), borderValue=0) > 0
            outer = cv2.dilate(part, np.ones((5, 5), np.uint8)) > 0
            (colour,) = np.unique(image[inner], axis=0)
            assert colour.tolist() in ([200, 60, 60], [60, 200, 60])
            assert not (image[~outer] == colour).all(-1).any()
        if colour[1] == 200:  # the green one stands still, right and below in its video
            assert (labels == labels[:1]).all(), "all frames of a clip are changed alike"
            sides.add(bool(np.nonzero(part)[1].mean() > stage_data.WIDTH / 2))
            areas.append(part.mean())
            moved += not (part == (stage_data.picture(0)[1] == 2)).all()
    assert sides == {False, True} and max(areas) > 1.15 * min(areas) and moved == len(areas)
