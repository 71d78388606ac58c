# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What TensorBoard shows of a run, read back by its own reader."""

from __future__ import annotations

import shutil
import sys
from functools import partial

import cv2
import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tiny import add_tiny_backbone
from train_cases import draw_data, logged, run_train, tensors

from vos_ros.apps import train
from vos_ros.training.monitor import PICTURE, Monitor, tag_of
from vos_ros.training.pictures import TILE_WIDTH
from vos_ros.training.stage import StageError

GAP = 4  # between the tiles of a picture and around them


def read(folder):
    """All curves, as steps and values by tag, and the pictures."""
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0})
    events.Reload()
    curves = {
        tag: {event.step: event.value for event in events.Scalars(tag)}
        for tag in events.Tags()["scalars"]
    }
    for tag in curves:  # a dictionary would hide a step that is there twice
        assert len(events.Scalars(tag)) == len(curves[tag])
    pictures = events.Images(PICTURE) if PICTURE in events.Tags()["images"] else []
    return curves, pictures


def decoded(event):
    return cv2.imdecode(np.frombuffer(event.encoded_image_string, np.uint8), cv2.IMREAD_COLOR_RGB)


# --- through the program --------------------------------------------------------------------------


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start the program; entries of the stage may be changed."""
    add_tiny_backbone(monkeypatch)
    draw_data(tmp_path / "data")
    return partial(run_train, tmp_path)


def check_curves(folder):
    curves, pictures = read(folder / "tensorboard")
    entries = logged(folder)
    assert [entry["step"] for entry in entries] == [1, 2, 3, 4]
    names = entries[0].keys() - {"step"}
    assert curves.keys() == {tag_of(name) for name in names}
    for name in names:
        values = {entry["step"]: pytest.approx(entry[name], rel=1e-6) for entry in entries}
        assert curves[tag_of(name)] == values
    return pictures


def test_every_step_is_in_the_curves_and_every_checkpoint_has_a_picture(start, tmp_path):
    assert start("--minutes", "0") == 0
    pictures = check_curves(tmp_path / "out")
    assert [picture.step for picture in pictures] == [1, 2, 3, 4]
    for picture in pictures:
        # Two clips, of two frames in the first half of the stage and of three in the second; the
        # frames of 32 x 64 are drawn TILE_WIDTH wide.
        frames = 2 if picture.step <= 2 else 3
        image = decoded(picture)
        assert image.shape == (
            2 * (TILE_WIDTH // 2 + GAP) + GAP, frames * (TILE_WIDTH + GAP) + GAP, 3
        )  # fmt: skip
        tiles = image[GAP : GAP + TILE_WIDTH // 2, GAP : GAP + TILE_WIDTH]
        assert (tiles == 255).all(axis=2).sum() > 50  # the outline of the first mask
        assert len(np.unique(tiles)) > 50  # a photograph


def test_a_run_that_goes_on_shows_no_step_twice(start, tmp_path):
    out = tmp_path / "out"
    assert start("--until", "2") == 0
    shutil.copy(out / "checkpoint.safetensors", tmp_path)
    assert start() == 0
    first = {entry["step"]: entry["clips_per_second"] for entry in logged(out)}
    # As if the program had been killed at the end, before it saved.
    shutil.copy(tmp_path / "checkpoint.safetensors", out)
    assert start() == 0
    assert len(list((out / "tensorboard").iterdir())) == 3
    pictures = check_curves(out)
    assert [picture.step for picture in pictures] == [2, 4]
    last = {entry["step"]: entry["clips_per_second"] for entry in logged(out)}
    assert first[2] == last[2] and first[3] != last[3]  # what is shown is the later one


def test_a_finished_run_keeps_its_curves(start, tmp_path):
    assert start() == 0
    assert start() == 0
    check_curves(tmp_path / "out")


def test_watching_changes_nothing(start, tmp_path):
    assert start("--minutes", "0") == 0
    watched = tensors(tmp_path / "out/checkpoint.safetensors")
    shutil.rmtree(tmp_path / "out")
    assert start("--no-tensorboard") == 0
    alone = tensors(tmp_path / "out/checkpoint.safetensors")
    assert all(torch.equal(value, alone[name]) for name, value in watched.items())


def test_curves_can_be_left_out(start, tmp_path):
    assert start("--no-tensorboard", "--until", "1") == 0
    assert not (tmp_path / "out/tensorboard").exists()


def test_where_the_package_is_missing_there_are_no_curves(start, tmp_path, monkeypatch):
    monkeypatch.setattr(train, "can_monitor", lambda: False)
    assert start("--until", "1") == 0
    assert not (tmp_path / "out/tensorboard").exists()


def test_curves_that_are_asked_for_need_the_package(start, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert start("--tensorboard", "--until", "1") == 2
    assert "python -m pip install tensorboard" in capsys.readouterr().err


# --- the writer alone -----------------------------------------------------------------------------


def test_values_have_their_places(tmp_path):
    monitor = Monitor(tmp_path, 0)
    monitor.scalars(1, {"loss": 2.0, "dice": 0.5, "learning_rate": 1e-3, "gradient_norm": 7.0})
    monitor.close()
    curves, _ = read(tmp_path)
    assert {tag: values[1] for tag, values in curves.items()} == pytest.approx(
        {"loss/total": 2.0, "loss/dice": 0.5, "rate/heads": 1e-3, "gradient_norm": 7.0}
    )


def test_a_picture_comes_back_as_it_was(tmp_path):
    sheet = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    monitor = Monitor(tmp_path, 0)
    monitor.picture(5, sheet)
    monitor.close()
    ((picture,),) = [read(tmp_path)[1]]
    assert picture.step == 5 and (decoded(picture) == sheet).all()


def test_what_was_added_can_be_read_while_the_run_goes_on(tmp_path):
    monitor = Monitor(tmp_path, 0)
    monitor.scalars(1, {"loss": 2.0})
    monitor.flush()
    assert read(tmp_path)[0] == {"loss/total": {1: 2.0}}
    monitor.close()


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(StageError, match="the Python package tensorboard"):
        Monitor(tmp_path, 0)
