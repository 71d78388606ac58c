# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`train` where some files are bad: it goes on without them and tells them, or refuses."""

from __future__ import annotations

import pytest
import torch
from tiny import add_tiny_backbone
from train_cases import draw_data, failing_batches, logged, run_train, tensors

from vos_ros.training import stage_run
from vos_ros.training.stage import StageError


@pytest.fixture
def data(tmp_path):
    return draw_data(tmp_path / "data")


@pytest.fixture
def start(tmp_path, data, monkeypatch):
    """Start the program on the stills alone."""
    add_tiny_backbone(monkeypatch)
    stills = {"stills": {"folders": ["stills"]}}

    def run(*options, out="out", workers=0):
        options = ("--workers", workers, "--no-tensorboard", *options)
        return run_train(tmp_path, *options, out=out, data=stills)

    return run


def damage(data):
    path = data / "stills/images/00002.jpg"
    path.write_bytes(path.read_bytes()[:200])
    return path


@pytest.mark.parametrize("workers", [0, 1])
def test_a_bad_file_is_skipped_and_told_at_the_end(start, data, tmp_path, capsys, workers):
    bad = damage(data)
    assert start(workers=workers) == 0
    listed = (tmp_path / "out/skipped.txt").read_text().splitlines()
    assert len(listed) == 1 and listed[0].startswith(f"{bad}\t")
    said = capsys.readouterr()
    assert f"files that could not be used: 1; {tmp_path / 'out/skipped.txt'}" in said.out
    assert "files skipped: 1" in said.err.splitlines()[-1]
    assert len(logged(tmp_path / "out")) == 4


def test_strict_refuses_it(start, data, tmp_path, capsys):
    bad = damage(data)
    assert start("--strict") == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("train: ") and str(bad) in last
    assert not (tmp_path / "out/skipped.txt").exists()


def test_where_all_is_well_nothing_is_listed(start, tmp_path, capsys):
    assert start("--strict") == 0
    assert not (tmp_path / "out/skipped.txt").exists()
    assert "could not be used" not in capsys.readouterr().out


def test_what_was_done_before_a_refusal_is_kept(start, tmp_path, capsys, monkeypatch):
    assert start(out="whole") == 0
    with monkeypatch.context() as patched:
        failing = failing_batches(3, StageError("late.jpg: is damaged"))
        patched.setattr(stage_run, "StageBatches", failing)
        assert start() == 2
    assert capsys.readouterr().err.splitlines()[-1] == "train: late.jpg: is damaged"
    assert len(logged(tmp_path / "out")) == 3
    assert start() == 0
    whole, resumed = (tensors(tmp_path / o / "checkpoint.safetensors") for o in ("whole", "out"))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


class Telling(stage_run.StageBatches):
    """Batches that are all well, beside a file that the test names."""

    known: dict[str, str] = {}

    @property
    def faults(self):
        return dict(self.known)


def test_a_run_that_goes_on_still_knows_what_it_skipped_before(start, tmp_path, monkeypatch):
    monkeypatch.setattr(stage_run, "StageBatches", Telling)
    monkeypatch.setattr(Telling, "known", {"a.png": "no mask"})
    assert start("--until", "2") == 0
    monkeypatch.setattr(Telling, "known", {"b.png": "not a PNG"})
    assert start() == 0
    assert (tmp_path / "out/skipped.txt").read_text() == "a.png\tno mask\nb.png\tnot a PNG\n"


def test_a_folder_that_cannot_be_written_to_is_told(start, tmp_path, capsys):
    (tmp_path / "out/skipped.txt").mkdir(parents=True)
    damage(tmp_path / "data")
    assert start() == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"train: the folder {tmp_path / 'out'} cannot be written to: ")
