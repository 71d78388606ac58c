# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are replaced whole, and are on the disk before they are."""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest
from tiny import CONFIG, add_tiny_backbone, tiny_gfddal
from torch import nn
from torch.optim import Adam

from vos_ros.ablation.record import write_json
from vos_ros.evaluation.checkpoint import Checkpoint
from vos_ros.files import replacing
from vos_ros.training.checkpoint import save_checkpoint
from vos_ros.weights import ModelCard, save_network


@pytest.fixture
def done(monkeypatch):
    """What is asked of the system, in order: names synchronised, and "replace"."""
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(descriptor):
        calls.append(os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}")))
        fsync(descriptor)

    def noted_replace(source, target):
        calls.append("replace")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    return calls


def test_a_file_is_on_the_disk_before_it_takes_its_place_and_its_name_after(tmp_path, done):
    path = tmp_path / "some.text"
    path.write_text("old")
    with replacing(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]
    assert done == ["some.text.partial", "replace", tmp_path.name]


@pytest.mark.parametrize("name", ["some.text", "some.partial"])
def test_an_error_leaves_the_old_file(tmp_path, name):
    path = tmp_path / name
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(path) as partial:
        partial.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"


def test_what_is_written_beside_is_of_no_other_file(tmp_path):
    names = ["some.json", "some.md", "some"]
    with ExitStack() as stack:
        beside = [stack.enter_context(replacing(tmp_path / name)) for name in names]
        for path, name in zip(beside, names, strict=True):
            path.write_text(name)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {n: n for n in names}


def test_a_folder_that_cannot_be_synchronised_is_no_error(tmp_path, monkeypatch):
    fsync = os.fsync

    def refusing(descriptor):
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(22, "Invalid argument")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", refusing)
    with replacing(tmp_path / "some.text") as partial:
        partial.write_text("new")
    assert (tmp_path / "some.text").read_text() == "new"


def test_checkpoints_and_weights_are_written_so(tmp_path, done, monkeypatch):
    network = nn.Linear(2, 3)
    save_checkpoint(tmp_path / "c.safetensors", network, {}, Adam(network.parameters()), {})
    assert done == ["c.safetensors.partial", "replace", tmp_path.name]
    done.clear()
    add_tiny_backbone(monkeypatch)
    save_network(tmp_path / "w.safetensors", tiny_gfddal(), ModelCard("gfddal", CONFIG))
    assert done == ["w.safetensors.partial", "replace", tmp_path.name]


def test_records_and_the_results_of_interrupted_runs_are_written_so(tmp_path, done):
    write_json(tmp_path / "run.json", {"seed": 1})
    assert done == ["run.json.partial", "replace", tmp_path.name]
    done.clear()
    Checkpoint(tmp_path / "r.json.partial", {"size": 1}).begin({})
    assert done == ["r.json.partial.partial", "replace", tmp_path.name]
