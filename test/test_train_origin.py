# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`train` goes on with the run that is in its folder, or refuses to."""

from __future__ import annotations

import json
import shutil
from functools import partial

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from tiny import CONFIG, TinyBackbone, add_tiny_backbone, tiny_gfddal
from train_cases import draw_data, logged, run_train, tensors

from vos_ros.training import run as run_module
from vos_ros.weights import ModelCard, file_hash, read_card, save_network


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start the program; entries of the stage may be changed or taken away (None)."""
    add_tiny_backbone(monkeypatch)
    draw_data(tmp_path / "data")
    return partial(run_train, tmp_path, "--no-tensorboard")


@pytest.fixture
def earlier(tmp_path):
    """Two weight files of one network, which other stages left."""

    def file(name, seed):
        card = ModelCard("gfddal", CONFIG, data=[name], schedule=[{"config": name}])
        save_network(tmp_path / f"{name}.safetensors", tiny_gfddal(seed=seed), card)
        return tmp_path / f"{name}.safetensors"

    return lambda: (file("first", 7), file("second", 8))


def said(capsys):
    return capsys.readouterr().err.strip().splitlines()[-1]


def without_origin(checkpoint):
    """As checkpoints were before they said what they are of."""
    with safe_open(checkpoint, framework="pt") as file:
        progress = json.loads(file.metadata()["progress"])
    assert progress.pop("run")["stage"]["steps"] == 4
    save_file(tensors(checkpoint), checkpoint, metadata={"progress": json.dumps(progress)})


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"steps": 6}, "in steps (it has 4, the stage says 6):"),
        ({"batch": 4, "seed": 3}, "in batch (it has 2, the stage says 4), seed (it has 1, the st"),
        ({"size": [64, 64]}, "in size (it has [32, 64], the stage says [64, 64]):"),
        ({"unfreeze": None}, "in unfreeze (it has 0.5, the stage says 1.0):"),
        ({"network": CONFIG | {"update_rate": 0.2}}, "in network:"),
        ({"data": {"stills": {"folders": ["stills"]}}}, "in data:"),
        ({"precision": "fp32"}, "in precision (it has bf16, the stage says fp32):"),
    ],
    ids=str,
)
def test_another_stage_is_refused_and_nothing_touched(start, tmp_path, capsys, entries, message):
    assert start("--until", "2") == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert start(**entries) == 2
    text = said(capsys)
    checkpoint = tmp_path / "out/checkpoint.safetensors"
    assert text.startswith(f"train: {checkpoint} is of another run, which differs {message}")
    assert "give another --out" in text
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_a_default_that_is_written_out_is_no_other_stage(start):
    assert start("--until", "2") == 0
    assert start(dice=0.5, optimiser="adamw") == 0


def test_what_the_machine_needs_may_change(start, tmp_path):
    assert start("--until", "2") == 0
    shutil.move(tmp_path / "out", tmp_path / "moved")
    assert start("--threads", "1", "--minutes", "7", "--strict", "--workers", "1", out="moved") == 0
    assert len(logged(tmp_path / "moved")) == 4


def test_weights_to_start_from_that_are_not_those_it_began_with_are_refused(
    start, tmp_path, capsys, earlier
):
    first, second = map(str, earlier())
    assert start("--init", first, "--until", "2") == 0
    assert start("--init", second) == 2
    assert "which differs in --init: give another --out" in said(capsys)
    assert start("--until", "2", out="alone") == 0
    assert start("--init", first, out="alone") == 2
    assert "which differs in --init: " in said(capsys)
    assert start("--init", str(tmp_path / "gone"), out="alone") == 2
    assert "which differs in --init: " in said(capsys)
    # Its name says nothing.
    shutil.copy(first, second)
    assert start("--init", second) == 0


@pytest.mark.parametrize("how", ["moved", "absent"])
def test_weights_that_it_began_with_are_not_needed_again_and_stay_in_the_history(
    start, tmp_path, earlier, how
):
    first, _ = earlier()
    assert start("--init", str(first), out="whole") == 0
    assert start("--init", str(first), "--until", "2") == 0
    first.unlink()
    assert start(*(["--init", str(first)] if how == "moved" else [])) == 0
    card = read_card(tmp_path / "out/weights.safetensors")
    assert card.data == ["first", "stills", "davis train"]
    assert [entry["config"] for entry in card.schedule] == ["first", "stage.yaml"]
    assert card.schedule[-1]["done"] == 4
    whole, resumed = (tensors(tmp_path / o / "checkpoint.safetensors") for o in ("whole", "out"))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_another_start_of_the_backbone_is_refused(start, tmp_path, capsys):
    for name, seed in (("one", 5), ("two", 6)):
        torch.manual_seed(seed)
        save_file(TinyBackbone().state_dict(), tmp_path / f"{name}.safetensors")
    one, two = (str(tmp_path / f"{name}.safetensors") for name in ("one", "two"))
    assert start("--imagenet", one, "--until", "2") == 0
    assert start("--imagenet", two) == 2
    assert "which differs in --imagenet: " in said(capsys)
    assert start("--imagenet", one, "--until", "3") == 0
    assert start() == 0


def test_a_checkpoint_that_does_not_say_what_it_is_of_is_gone_on_from(start, tmp_path, earlier):
    first, _ = earlier()
    assert start("--init", str(first), "--until", "2") == 0
    without_origin(tmp_path / "out/checkpoint.safetensors")
    assert start("--init", str(first)) == 0
    card = read_card(tmp_path / "out/weights.safetensors")
    assert [entry["config"] for entry in card.schedule] == ["first", "stage.yaml"]
    # From then on it does.
    assert start(batch=4) == 2


def test_a_checkpoint_that_says_it_unreadably_is_refused(start, tmp_path, capsys):
    assert start("--until", "2") == 0
    checkpoint = tmp_path / "out/checkpoint.safetensors"
    progress = json.dumps({"step": 2, "run": {"stage": {}, "colour": 3}})
    save_file(tensors(checkpoint), checkpoint, metadata={"progress": progress})
    assert start() == 2
    assert f"{checkpoint} does not say what it is of" in said(capsys)


def test_a_finished_run_leaves_its_weights_with_the_commit_they_were_made_with(
    start, tmp_path, monkeypatch
):
    assert start() == 0
    weights = tmp_path / "out/weights.safetensors"
    before = file_hash(weights)
    monkeypatch.setattr(run_module, "source_commit", lambda: "later")
    assert start() == 0
    assert file_hash(weights) == before
    weights.unlink()  # as if it had been killed between checkpoint and weights
    assert start() == 0
    assert read_card(weights).commit == "later"
