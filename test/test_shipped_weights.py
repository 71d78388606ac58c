# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every shipped weight file: it is the one that its card was printed of, and it follows a thing."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
from scene import Scene
from scenes import iou

from vos_ros.segmenter import VideoSegmenter
from vos_ros.weights import find_weights, load_network, shipped_names

WEIGHTS = Path(__file__).parents[1] / "weights"
EVERY = 3  # frames of the scene from one that is looked at to the next

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_folder_holds_what_ships() -> None:
    assert sorted(path.stem for path in WEIGHTS.glob("*.safetensors")) == shipped_names()
    cards = {path.stem for path in WEIGHTS.glob("*.md")} - {"README"}
    assert cards == set(shipped_names())


def test_the_list_names_every_file_and_no_other() -> None:
    rows = re.findall(r"^\| \[`(\w+)`\]\((\w+)\.md\) \|", (WEIGHTS / "README.md").read_text(), re.M)
    assert all(name == card for name, card in rows)
    assert sorted(name for name, _ in rows) == shipped_names()


@pytest.mark.parametrize("name", shipped_names())
def test_a_file_is_the_one_of_its_card(name: str) -> None:
    stated = re.findall(r"^- sha256: ([0-9a-f]{64})$", (WEIGHTS / f"{name}.md").read_text(), re.M)
    assert stated == [hashlib.sha256(find_weights(name).read_bytes()).hexdigest()]


@pytest.mark.parametrize("name", shipped_names())
def test_it_follows_a_thing_through_ten_frames(name: str) -> None:
    scene = Scene(width=384, height=288)
    network, _ = load_network(find_weights(name))
    segmenter = VideoSegmenter(network)
    segmenter.start(scene.frame(0), scene.truth(0))
    numbers = range(EVERY, 10 * EVERY + 1, EVERY)
    truths = [scene.truth(number) == 1 for number in numbers]
    found = [segmenter.step(scene.frame(number)).labels == 1 for number in numbers]
    likeness = [iou(mask, truth) for mask, truth in zip(found, truths, strict=True)]
    assert len(likeness) == 10 and np.mean(likeness) >= 0.85, np.round(likeness, 3).tolist()
    # The first mask held still is no answer.
    assert np.mean([iou(scene.truth(0) == 1, truth) for truth in truths]) < 0.5
