# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`train` where losses are not finite: a few such steps are left out and told, many end it."""

from __future__ import annotations

import json
import math

import pytest
import torch
from tiny import add_tiny_backbone
from train_cases import draw_data, failing_batches, logged, run_train, tensors

from vos_ros.training import divergence, stage_run
from vos_ros.training.agreement import ToldElsewhere
from vos_ros.training.loop import Trainer


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start the program on a stage of many steps; the losses of some of them are not finite."""
    add_tiny_backbone(monkeypatch)
    draw_data(tmp_path / "data")
    entries = {"steps": 60, "lengths": [[0.0, 2]]}
    losses = Trainer._clip_losses

    def run(*options, bad=(), out="out"):
        def spoilt(self, *batch):
            factor = math.nan if self.step + 1 in bad else 1.0
            return {name: value * factor for name, value in losses(self, *batch).items()}

        monkeypatch.setattr(Trainer, "_clip_losses", spoilt)
        return run_train(tmp_path, "--no-tensorboard", *options, out=out, **entries)

    return run


def test_steps_that_are_left_out_are_counted_and_told(start, tmp_path, capsys):
    assert start("--until", "4", bad=(2, 3)) == 0
    told = capsys.readouterr()
    assert told.err.splitlines()[-1].endswith("steps left out: 2")
    assert "steps left out, whose gradient was not finite: 2\n" in told.out
    lines = [json.loads(line, parse_constant=pytest.fail) for line in
             (tmp_path / "out/log.jsonl").read_text().splitlines()]  # fmt: skip
    assert [line["loss"] is None for line in lines] == [False, True, True, False]
    assert lines[1]["gradient_norm"] is None and lines[1]["seconds"] > 0
    # They are remembered when it goes on.
    assert start("--until", "5") == 0
    assert "steps left out, whose gradient was not finite: 2\n" in capsys.readouterr().out


def test_a_training_without_such_steps_says_nothing_of_them(start, capsys):
    assert start("--until", "2") == 0
    told = capsys.readouterr()
    assert "left out" not in told.out + told.err


def test_many_in_a_row_end_it_and_the_good_checkpoint_is_kept(start, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(divergence, "MOST_LEFT_OUT", 5)
    assert start("--until", "3", out="good") == 0
    # A checkpoint is due after every step, but after none that changed nothing.
    assert start("--minutes", "0", bad=range(4, 60)) == 1
    text = capsys.readouterr().err.splitlines()[-1]
    assert text.startswith("train: the training diverged: 5 steps in a row, up to step 8, ")
    assert len(logged(tmp_path / "out")) == 8
    for name in ("checkpoint", "weights"):
        good, kept = (tensors(tmp_path / o / f"{name}.safetensors") for o in ("good", "out"))
        assert all(torch.equal(good[key], kept[key]) for key in good)
    # It goes on from there, not from where it had gone to.
    assert start("--until", "4") == 0
    assert "resuming after step 3 of 60" in capsys.readouterr().out


def test_a_good_step_between_begins_the_count_anew(start, monkeypatch):
    monkeypatch.setattr(divergence, "MOST_LEFT_OUT", 3)
    assert start("--until", "9", bad=(1, 2, 4, 5, 7, 8)) == 0


def test_the_count_goes_on_in_a_run_that_was_stopped(start, tmp_path, monkeypatch):
    monkeypatch.setattr(divergence, "MOST_LEFT_OUT", 5)
    assert start("--until", "4", bad=range(2, 60)) == 0
    assert start(bad=range(2, 60)) == 1
    assert logged(tmp_path / "out")[-1]["step"] == 6


def test_one_that_is_never_finite_ends_before_it_has_saved_anything(start, tmp_path):
    assert divergence.MOST_LEFT_OUT == 50
    assert start(bad=range(1, 61)) == 1
    assert len(logged(tmp_path / "out")) == 50
    assert not list((tmp_path / "out").glob("*.safetensors"))


def test_what_was_done_is_saved_where_another_process_met_what_ends_all(
    start, tmp_path, monkeypatch
):
    failing = failing_batches(2, ToldElsewhere("another process"))
    monkeypatch.setattr(stage_run, "StageBatches", failing)
    assert start() == 2
    assert len(logged(tmp_path / "out")) == 2
    assert (tmp_path / "out/weights.safetensors").exists()
