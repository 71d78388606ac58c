# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Stage files: what they decide, and how a bad one is answered."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from vos_ros.models import build_network
from vos_ros.training.data_entries import check_data
from vos_ros.training.sources import StageBatches
from vos_ros.training.stage import Stage, StageError, read_stage

ROOT = Path(__file__).parents[1]
NEEDED = {"model": "gfddal", "network": {}, "data": {"video": {"root": "."}}, "steps": 100}
TEXT = "model: gfddal\nnetwork: {backbone: resnet18}\ndata: {video: {root: .}}\nsteps: 100\n"


def stage(**entries) -> Stage:
    return Stage(**NEEDED | entries)


@pytest.mark.parametrize("path", sorted((ROOT / "config/training").glob("*.yaml")), ids=str)
def test_the_stages_we_ship_can_be_read_and_their_networks_built(path):
    ours = read_stage(path)
    build_network(ours.model, ours.network)
    check_data(ours.data)


def test_a_stage_is_read_as_written(tmp_path):
    path = tmp_path / "stage.yaml"
    path.write_text(TEXT + "size: [64, 96]\nlengths: [[0, 3], [0.25, 4]]\nlearning_rate: 1.0e-3\n")
    assert read_stage(path) == Stage(
        model="gfddal", network={"backbone": "resnet18"}, data={"video": {"root": "."}}, steps=100,
        size=(64, 96), lengths=((0, 3), (0.25, 4)), learning_rate=0.001,
    )  # fmt: skip


def test_lengths_change_at_their_shares():
    ours = stage(lengths=((0.0, 3), (0.25, 4), (0.5, 6)))
    assert [ours.length_at(step) for step in (0, 24, 25, 49, 50, 99)] == [3, 3, 4, 4, 6, 6]


def test_the_rate_rises_and_falls_as_half_a_cosine():
    ours = stage(warm_up=0.1)
    rates = [ours.rate_at(step) for step in range(100)]
    assert rates[:10] == pytest.approx([(k + 1) / 11 for k in range(10)])
    assert rates[10] == 1
    assert rates[55] == pytest.approx(0.5)
    assert rates[99] == pytest.approx(0.5 * (1 + math.cos(math.pi * 89 / 90)))
    assert all(a > b for a, b in zip(rates[10:], rates[11:], strict=False))


def test_a_stage_of_one_step_has_a_rate():
    assert 0 < stage(steps=1, warm_up=0.0).rate_at(0) <= 1


def test_the_rate_falls_by_equal_factors():
    ours = stage(warm_up=0.1, schedule="exponential", final_rate=0.001)
    rates = [ours.rate_at(step) for step in range(100)]
    assert rates[:10] == pytest.approx([(k + 1) / 11 for k in range(10)])
    assert rates[10] == 1
    ratios = [b / a for a, b in zip(rates[10:], rates[11:], strict=False)]
    assert ratios == pytest.approx([0.001 ** (1 / 90)] * 89)


def test_the_rate_stays():
    ours = stage(warm_up=0.0, schedule="constant")
    assert {ours.rate_at(step) for step in range(100)} == {1.0}


def test_gaps_change_at_their_shares():
    ours = stage(gaps=((0, 1), (0.3, 4)))
    assert [ours.gap_at(step) for step in (0, 29, 30, 99)] == [1, 1, 4, 4]
    assert stage().gap_at(0) is None


def test_what_a_stage_does_not_say_is_what_the_first_recipes_meant():
    """Files written before an entry was known must go on meaning the same."""
    ours = stage()
    assert (ours.objects, ours.truncate, ours.scored_from, ours.gaps) == (1, 0, 1, ())
    assert (ours.dice, ours.lovasz, ours.coarse, ours.worst) == (0.5, 0.0, 0.5, 0.25)
    assert (ours.optimiser, ours.schedule, ours.precision) == ("adamw", "cosine", "bf16")


def test_tuning_and_attaching_begin_at_their_shares():
    ours = stage(unfreeze=0.45, attach=0.3)
    assert [ours.tunes_backbone(step) for step in (0, 44, 45)] == [False, False, True]
    assert [ours.attached(step) for step in (0, 29, 30)] == [False, False, True]
    assert not stage(unfreeze=1.0).tunes_backbone(99) and stage(unfreeze=0.0).tunes_backbone(0)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"steps": 0}, "steps must be at least 1, not 0"),
        ({"steps": 2.5}, "steps must be a whole number, not 2.5"),
        ({"steps": True}, "steps must be a whole number, not True"),
        ({"batch": "4"}, "batch must be a whole number, not '4'"),
        ({"learning_rate": "1e-3"}, r"not '1e-3' \(write 1.0e-3 for 1e-3\)"),
        ({"learning_rate": math.nan}, "learning_rate must be a number, not nan"),
        ({"backbone_learning_rate": -1.0}, "backbone_learning_rate must be at least 0, not -1.0"),
        ({"unfreeze": 1.5}, "unfreeze must be within 0..1, not 1.5"),
        ({"worst": 0}, "worst must be within 1e-09..1, not 0"),
        ({"ema": None}, "ema must be a number, not None"),
        ({"clip_norm": 0.0}, "clip_norm must be at least 1e-09"),
        ({"seed": -1}, "seed must be within 0..4294967295, not -1"),
        ({"seed": 2**32}, "seed must be within 0..4294967295, not 4294967296"),
        ({"frozen_stride": 7}, r"frozen_stride must be 0 or one of \(2, 4, 8, 16, 32\), not 7"),
        ({"frozen_stride": [8]}, "frozen_stride must be 0 or one of"),
        ({"size": (256,)}, r"size must be height and width, multiples of 32, not \[256\]"),
        ({"size": (256, 450)}, "multiples of 32"),
        ({"size": (0, 32)}, "multiples of 32"),
        ({"size": 256}, "size must be height and width, multiples of 32, not 256"),
        ({"size": (256.0, 32)}, "multiples of 32"),
        ({"lengths": ()}, "lengths must be pairs"),
        ({"lengths": 3}, "lengths must be pairs"),
        ({"lengths": ((0, 3, 1),)}, "lengths must be pairs"),
        ({"lengths": ((0, 3.5),)}, "lengths must be pairs"),
        ({"lengths": ((0.5, 3),)}, "ascending from 0"),
        ({"lengths": ((0, 3), (0.7, 4), (0.3, 5))}, "ascending from 0"),
        ({"lengths": ((0, 3), (1.0, 4))}, "to below 1"),
        ({"lengths": ((0, 1),)}, "2 or more frames each"),
        ({"gaps": ((0.1, 3),)}, r"gaps must be pairs \[share of the stage, frames of the video"),
        ({"gaps": ((0, 3.5),)}, "gaps must be pairs"),
        ({"gaps": None}, "gaps must be pairs"),
        ({"gaps": ((0, 0),)}, "gaps must have 1 or more frames each"),
        ({"objects": 0}, "objects must be within 1..255, not 0"),
        ({"truncate": -1}, "truncate must be at least 0"),
        ({"scored_from": 0}, "scored_from must be at least 1"),
        ({"scored_from": 4}, "scored_from must be below the length of every clip, 4 frames, not 4"),
        (
            {"scored_from": 3, "lengths": ((0, 5), (0.5, 3))},
            "scored_from must be below the length of every clip, 3 frames, not 3",
        ),
        ({"dice": -0.1}, "dice must be at least 0"),
        ({"lovasz": "1"}, "lovasz must be a number"),
        ({"coarse": math.inf}, "coarse must be a number, not inf"),
        ({"optimiser": "sgd"}, "optimiser must be one of adamw, adam, not 'sgd'"),
        ({"schedule": ["cosine"]}, r"schedule must be one of cosine, exponential, constant, not"),
        ({"precision": "fp8"}, "precision must be one of bf16, fp16, fp32, not 'fp8'"),
        ({"final_rate": 0}, "final_rate must be within 1e-09..1, not 0"),
        ({"model": 3}, "model must be a str, not 3"),
        ({"network": []}, r"network must be a dict, not \[\]"),
        ({"data": None}, "data must be a dict, not None"),
        ({"imagenet": 1}, "imagenet must be a bool, not 1"),
    ],
    ids=str,
)
def test_a_bad_entry_is_worded(entries, message):
    with pytest.raises(StageError, match=message):
        stage(**entries)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must hold `name: value` entries"),
        ("- 1\n", "must hold `name: value` entries"),
        ("a: [", "is not YAML"),
        ("a: !!python/object/apply:os.system [true]\n", "is not YAML"),
        (b"\xff\xfe\x00", "is not YAML"),
        (TEXT + "speed: 3\n5: x\n", "unknown 5, speed; known are model, network, data, steps, "),
        ("model: gfddal\nsteps: 3\n", "network, data must be given"),
        (TEXT + "learning_rate: 1e-3\n", "learning_rate must be a number, not '1e-3'"),
        (TEXT + "size: 5\n", "size must be height and width"),
        (TEXT + "lengths: [[0, 3], 4]\n", "lengths must be pairs"),
    ],
    ids=str,
)
def test_a_bad_file_is_named_and_worded(tmp_path, text, message):
    path = tmp_path / "stage.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(StageError, match=message) as caught:
        read_stage(path)
    assert str(path) in str(caught.value)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(StageError, match="no.yaml cannot be read: No such file"):
        read_stage(tmp_path / "no.yaml")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "data may hold stills and video, not nothing"),
        ({"coco": {}, "video": {"root": "."}}, "data may hold stills and video, not coco"),
        ({"stills": ["a"]}, "data/stills must hold `name: value` entries"),
        ({"stills": {}}, "data/stills: folders or coco must be given"),
        ({"stills": {"folders": "a"}}, "data/stills/folders must be a list of folders, not 'a'"),
        ({"stills": {"folders": []}}, "data/stills/folders must be a list of folders"),
        ({"stills": {"folders": ["a"], "wieght": 1}}, "data/stills: unknown wieght; known are fol"),
        ({"stills": {"folders": ["a"], "weight": 0}}, "weight must be a number above 0, not 0"),
        ({"stills": {"folders": ["a"], "weight": "1e-1"}}, "weight must be a number above 0"),
        ({"video": {"split": "train"}}, "data/video: root must be given"),
        ({"video": {"root": 5}}, "data/video/root must be a folder, not 5"),
        ({"video": {"root": "a", "max_gap": 0}}, "max_gap must be a whole number of 1 or more"),
    ],
    ids=str,
)
def test_bad_data_entries_are_worded(tmp_path, data, message):
    with pytest.raises(StageError, match=message):
        StageBatches(stage(data=data), tmp_path)


@pytest.mark.parametrize("data", [{"stills": {"folders": ["gone"]}}, {"video": {"root": "gone"}}])
def test_data_that_is_not_there_is_named_at_once(tmp_path, data):
    with pytest.raises(StageError, match="the data of the stage cannot be read.*gone"):
        StageBatches(stage(data=data), tmp_path)
