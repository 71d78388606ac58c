# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The weight file is changed on the disk while the node runs, and before it is configured again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from stage import Stage, order
from test_diagnostics import Listener
from test_node_log import heard, log_of
from tiny import add_tiny_backbone, tiny_gfddal

from vos_msgs.srv import LoadTargets, SaveTargets
from vos_ros.ros import diagnostics
from vos_ros.ros.model import build_segmenter
from vos_ros.weights import ModelCard, save_network


class NetworkStage(Stage):
    """With a network from a weight file in the place of the colours."""

    def _make_segmenter(self, settings):
        return build_segmenter(settings)


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A weight file of a small network."""
    add_tiny_backbone(monkeypatch)
    monkeypatch.setattr(diagnostics, "PERIOD_SECONDS", 0.02)
    return write(tmp_path / "own.safetensors", seed=1)


def write(path: Path, seed: int) -> Path:
    """Write, or replace, a weight file."""
    network = tiny_gfddal(seed=seed, contrast=40)
    save_network(path, network, ModelCard("gfddal", network.config))
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def stage(context, weights: Path, tmp_path: Path) -> Iterator[Stage]:
    """An active node with those weights, which follows something."""
    made = NetworkStage(
        context,
        f"/{tmp_path.name.replace('-', '_')}",
        weights=str(weights),
        targets_directory=str(tmp_path / "taught"),
        internal_size=64,
        device="cpu",
        precision="fp32",
        runtime="torch",
    )
    made.activate()
    follow(made, 0)
    yield made
    made.close()


def follow(stage: Stage, number: int) -> None:
    stage.send(number)
    answer = stage.call(order((1, 2)))
    assert answer.success, answer.message
    stage.mask_of(number)


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def overwrite(path: Path) -> None:
    """In place, so that whoever has the file open sees it."""
    with path.open("r+b") as file:
        file.write(os.urandom(path.stat().st_size))


CHANGES: dict[str, Callable[[Path], object]] = {
    "cut short": cut_short,
    "emptied": lambda path: os.truncate(path, 0),
    "overwritten": overwrite,
    "deleted": Path.unlink,
    "replaced": lambda path: write(path, seed=2),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_node_goes_on_with_the_weights_it_has_read(stage, weights, change):
    before = sha256(weights)
    CHANGES[change](weights)
    listener = Listener(stage)
    for number in (1, 2, 3):
        stage.send(number)
        stage.mask_of(number)
    status = listener.wait("node", lambda s: s.values["weights SHA-256"] == before)
    assert status.level == 0
    assert stage.call(SaveTargets.Request(name="cup")).success
    assert stage.change("deactivate") and stage.change("activate")  # which reads nothing
    follow(stage, 4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("cut short", "own.safetensors is truncated or not a safetensors file"),
        ("emptied", "own.safetensors is truncated or not a safetensors file"),
        ("overwritten", "own.safetensors is truncated or not a safetensors file"),
        ("deleted", "own.safetensors"),
    ],
)
def test_weights_that_are_broken_at_the_next_configuring_are_refused_until_they_are_whole(
    stage, weights, change, words
):
    whole = weights.read_bytes()
    CHANGES[change](weights)
    assert stage.change("deactivate") and stage.change("cleanup")
    listener = Listener(stage)
    assert not stage.change("configure")
    status = listener.wait("node", lambda s: s.level == 2)
    assert status.message.startswith("Cannot be configured.") and words in status.message
    assert (status.values["state"], status.values["weights SHA-256"]) == ("unconfigured", "none")
    assert stage.state == "unconfigured"
    weights.write_bytes(whole)
    stage.activate()
    listener.wait("node", lambda s: s.level == 0 and s.values["weights SHA-256"] == sha256(weights))
    follow(stage, 9)


def test_other_weights_are_taken_at_the_next_configuring_and_it_is_said(stage, weights):
    assert stage.call(SaveTargets.Request(name="cup")).success
    said = log_of(stage)
    before, after = sha256(weights), sha256(write(weights, seed=2))
    assert before != after
    assert stage.change("deactivate") and stage.change("cleanup")
    stage.activate()
    line = heard(stage, said, "The weights are others than before")
    assert before[:12] in line and after[:12] in line
    Listener(stage).wait("node", lambda s: s.values["weights SHA-256"] == after)
    refused = stage.call(LoadTargets.Request(name="cup"))
    assert not refused.success and before[:8] in refused.message and after[:8] in refused.message
    follow(stage, 9)


def test_the_same_weights_are_not_spoken_of(stage, weights):
    said = log_of(stage)
    assert stage.change("deactivate") and stage.change("cleanup")
    write(weights, seed=1)  # anew, and the same
    stage.activate()
    heard(stage, said, "Active: taking images")
    assert not [line for line in said if "others than before" in line]
