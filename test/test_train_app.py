# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`train` from the command line, on a few small pictures that the tests draw."""

from __future__ import annotations

import json
import signal
from functools import partial

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tiny import CONFIG, TinyBackbone, add_tiny_backbone, tiny_gfddal
from train_cases import draw_data, logged, run_train, tensors

from vos_ros.segmenter import VideoSegmenter
from vos_ros.training import stage_run
from vos_ros.weights import ModelCard, load_network, read_card, save_network


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    add_tiny_backbone(monkeypatch)


@pytest.fixture
def data(tmp_path):
    return draw_data(tmp_path / "data")


@pytest.fixture
def start(tmp_path, data):
    """Start the program; entries of the stage may be changed or taken away (None)."""
    return partial(run_train, tmp_path, "--no-tensorboard")


def test_a_stage_ends_with_weights_that_can_be_used(start, tmp_path, data, capsys):
    assert start() == 0
    assert "wrote" in capsys.readouterr().out
    network, card = load_network(tmp_path / "out/weights.safetensors")
    assert card.model == "gfddal" and card.config == tiny_gfddal().config
    assert card.data == ["stills", "davis train"]
    (stage,) = card.schedule
    assert (stage["config"], stage["steps"], stage["done"]) == ("stage.yaml", 4, 4)
    assert stage["size"] == [32, 64] and stage["frozen_stride"] == 4
    image = cv2.imread(str(data / "stills/images/00000.jpg"))
    mask = cv2.imread(str(data / "stills/masks/00000.png"), 0)
    segmenter = VideoSegmenter(network, size=32)
    segmenter.start(image, mask)
    assert segmenter.step(image).labels.shape == mask.shape
    assert [entry["step"] for entry in logged(tmp_path / "out")] == [1, 2, 3, 4]
    assert all(np.isfinite(entry["loss"]) for entry in logged(tmp_path / "out"))


def test_the_weights_are_the_average_not_the_last_ones(start, tmp_path):
    assert start(ema=0.9) == 0
    checkpoint = tensors(tmp_path / "out/checkpoint.safetensors")
    network, _ = load_network(tmp_path / "out/weights.safetensors")
    name = "merge.first.weight"
    average = checkpoint[f"average/{name}"].half().float()
    assert torch.equal(network.state_dict()[name], average)
    assert not torch.equal(checkpoint[f"network/{name}"].half().float(), average)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_step_in_hand_and_saves_it(start, tmp_path, number, monkeypatch, capsys):
    assert start(out="whole") == 0
    handlers = [signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)]
    run = stage_run.Trainer.run

    def interrupted(self, until=None):
        for values in run(self, until):
            signal.raise_signal(number)
            yield values

    monkeypatch.setattr(stage_run.Trainer, "run", interrupted)
    assert start() == 128 + number
    assert "goes on" in capsys.readouterr().out
    assert [signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)] == handlers
    monkeypatch.setattr(stage_run.Trainer, "run", run)
    assert [entry["step"] for entry in logged(tmp_path / "out")] == [1]
    assert start() == 0
    whole, resumed = (tensors(tmp_path / o / "checkpoint.safetensors") for o in ("whole", "out"))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


@pytest.mark.parametrize("stop", ["1", "3"])
def test_a_stopped_stage_is_resumed_exactly(start, tmp_path, stop, capsys):
    assert start(out="whole") == 0
    assert start("--until", stop) == 0
    assert read_card(tmp_path / "out/weights.safetensors").schedule[0]["done"] == int(stop)
    # As when the program was killed after the checkpoint, in the middle of a line.
    with (tmp_path / "out/log.jsonl").open("a") as file:
        file.write(json.dumps({"step": int(stop) + 1, "loss": -1.0}) + '\n{"step"')
    capsys.readouterr()
    assert start() == 0
    assert f"resuming after step {stop} of 4" in capsys.readouterr().out
    one, two = (tensors(tmp_path / name / "checkpoint.safetensors") for name in ("whole", "out"))
    assert one.keys() == two.keys()
    for name, value in one.items():
        assert torch.equal(value, two[name]), name
    losses = [[e["loss"] for e in logged(tmp_path / name)] for name in ("whole", "out")]
    assert losses[0] == losses[1]


def test_a_finished_stage_has_nothing_left_to_do(start, tmp_path):
    assert start() == 0
    before = tensors(tmp_path / "out/checkpoint.safetensors")
    assert start() == 0
    after = tensors(tmp_path / "out/checkpoint.safetensors")
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert len(logged(tmp_path / "out")) == 4


def test_a_second_stage_starts_from_weights_and_keeps_their_history(start, tmp_path):
    history = ModelCard("gfddal", CONFIG, data=["before"], schedule=[{"steps": 9}])
    save_network(tmp_path / "first.safetensors", tiny_gfddal(seed=7), history)
    # No step at all: what comes out is what went in.
    assert start("--init", str(tmp_path / "first.safetensors"), "--until", "0") == 0
    network, card = load_network(tmp_path / "out/weights.safetensors")
    first, _ = load_network(tmp_path / "first.safetensors")
    for name, value in first.state_dict().items():
        assert torch.equal(network.state_dict()[name], value), name
    assert card.data == ["before", "stills", "davis train"]
    assert card.schedule[0] == {"steps": 9} and card.schedule[1]["done"] == 0


def test_a_backbone_can_start_from_a_file_of_imagenet_weights(start, tmp_path):
    torch.manual_seed(5)
    backbone = TinyBackbone()
    save_file(backbone.state_dict(), tmp_path / "imagenet.safetensors")
    assert start("--imagenet", str(tmp_path / "imagenet.safetensors"), "--until", "0") == 0
    checkpoint = tensors(tmp_path / "out/checkpoint.safetensors")
    for name, value in backbone.state_dict().items():
        assert torch.equal(checkpoint[f"network/backbone.{name}"], value), name


def test_checkpoints_are_written_on_the_way_and_none_twice(start, monkeypatch):
    saved = []
    save = stage_run.save_run

    def noted(trainer, *rest):
        saved.append(trainer.step)
        save(trainer, *rest)

    monkeypatch.setattr(stage_run, "save_run", noted)
    assert start("--minutes", "0") == 0
    assert saved == [1, 2, 3, 4]


def test_every_step_is_logged_with_its_rates(start, tmp_path):
    assert start(learning_rate=0.01, backbone_learning_rate=0.002, schedule="constant") == 0
    entries = logged(tmp_path / "out")
    # Warm-up is a fiftieth of the stage: over after the first step. The backbone joins half-way.
    assert [entry["learning_rate"] for entry in entries[1:]] == [0.01] * 3
    assert [entry["backbone_learning_rate"] for entry in entries] == [0, 0, 0.002, 0.002]
    for entry in entries:
        parts = [entry[name] for name in ("cross_entropy", "dice", "coarse")]
        assert entry["loss"] == pytest.approx(sum(parts), rel=1e-5)
        # Waiting for clips counts: it cannot be faster than its steps were.
        assert 0 < entry["clips_per_second"] <= 2 / entry["seconds"]


# --- refused --------------------------------------------------------------------------------------


def refused(capsys, code):
    assert code == 2
    text = capsys.readouterr().err
    assert "Traceback" not in text
    last = text.strip().splitlines()[-1]  # before it there may be a progress bar
    assert last.startswith("train: ")
    return last


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"steps": None}, "steps must be given"),
        ({"steps": "many"}, "steps must be a whole number, not 'many'"),
        ({"speed": 1}, "unknown speed"),
        ({"model": "segnet"}, "no network is called 'segnet'"),
        ({"network": {"backbone": "none"}}, "no backbone is called 'none'"),
        ({"network": {"width": 3}}, "the stage's network cannot be built"),
        ({"network": CONFIG | {"fused_channels": 0}}, "fused_channels must be a positive multiple"),
        ({"network": CONFIG | {"fused_channels": "x"}}, "multiple of 8, not 'x'"),
        ({"data": {}}, "data may hold stills and video"),
        ({"data": {"stills": {"folders": ["gone"]}}}, "gone"),
        ({"data": {"video": {"root": "davis", "split": "exam"}}}, "exam.txt"),
        ({"imagenet": True}, "tiny"),
    ],
    ids=str,
)
def test_a_bad_stage_is_answered_with_a_sentence(start, capsys, tmp_path, entries, message):
    assert message in refused(capsys, start(**entries))
    assert not (tmp_path / "out").exists()


def test_data_that_spoils_on_the_way_is_named(start, capsys, data):
    for path in (data / "davis/Annotations/480p/square").iterdir():
        path.write_bytes(b"no mask")
    text = refused(capsys, start(data={"video": {"root": "davis"}}))
    assert "clip 0" in text


def test_weights_of_another_network_are_refused(start, capsys, tmp_path):
    path = tmp_path / "other.safetensors"
    save_network(path, tiny_gfddal(), ModelCard("gfddal", CONFIG))
    text = refused(capsys, start("--init", str(path), network=CONFIG | {"deepest": False}))
    assert text.endswith(f"{path} is not of the stage's network: they differ in deepest")
    text = refused(capsys, start("--init", str(tmp_path / "gone")))
    assert f"there is no weight file {tmp_path / 'gone'}" in text


def test_a_shipped_file_can_be_named_to_start_from(start, capsys):
    text = refused(capsys, start("--init", "gfddal_lite0"))
    assert "gfddal_lite0.safetensors is not of the stage's network" in text


def test_imagenet_weights_of_another_backbone_are_refused(start, capsys, tmp_path):
    save_file({"conv1.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    text = refused(capsys, start("--imagenet", str(tmp_path / "other.safetensors")))
    assert "other.safetensors" in text


def test_a_damaged_checkpoint_is_refused_and_left_alone(start, capsys, tmp_path):
    (tmp_path / "out").mkdir()
    checkpoint = tmp_path / "out/checkpoint.safetensors"
    checkpoint.write_bytes(b"damaged")
    assert "is not a whole training checkpoint" in refused(capsys, start())
    assert checkpoint.read_bytes() == b"damaged"


def test_a_pytorch_that_cannot_train_is_told(start, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "__version__", "2.2.2+cpu")
    assert "training needs PyTorch 2.3 or later, this is 2.2.2+cpu" in refused(capsys, start())
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(torch, "__version__", "2.3.0")
    assert start() == 0


@pytest.mark.parametrize("device", ["abacus", "cuda:99"])
def test_a_device_that_is_not_there_is_told(start, capsys, device):
    assert f"the device '{device}' cannot be used" in refused(capsys, start("--device", device))


def test_a_folder_that_cannot_be_made_is_told(start, capsys, tmp_path):
    (tmp_path / "file").write_text("")
    text = refused(capsys, start(out="file"))
    assert f"the folder {tmp_path / 'file'} cannot be made" in text
