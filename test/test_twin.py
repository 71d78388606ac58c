# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Videos beside their mirror image: what is shown, what is true, and what look-alikes cost."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from coloured_objects import (
    HEIGHT,
    ONE,
    THREE,
    WIDTH,
    Answer,
    BuildColours,
    ColourSegmenter,
    Thing,
    picture,
    truth,
    write_davis2017,
    write_frames,
    write_masks,
)
from evaluating import evaluate_fake

from vos_ros.ablation.scoring import open_held_out
from vos_ros.ablation.table import HeldOut
from vos_ros.data.datasets import open_dataset
from vos_ros.data.image_files import read_labels, write_labels
from vos_ros.data.segtrack import SegTrackDataset
from vos_ros.data.sequence import SequenceError
from vos_ros.data.twin import twin_of

RIGHT = BuildColours()


class LeftSegmenter(ColourSegmenter):
    """Knows where the object is: it answers for the left half alone."""

    def step(self, image: np.ndarray) -> Answer:
        labels = self._found(image)
        labels[:, labels.shape[1] // 2 :] = 0
        return Answer(labels)


@pytest.fixture
def root(tmp_path):
    return write_davis2017(tmp_path / "DAVIS", {"three": THREE, "solo": ONE})


@pytest.fixture
def command(monkeypatch):
    def call(dataset, root, *argv, build=RIGHT) -> int:
        return evaluate_fake(monkeypatch, build, "--dataset", dataset, "--root", root, *argv)

    return call


def test_the_mirror_image_is_on_the_right_and_the_truth_on_the_left(root):
    plain = open_dataset("davis2017", root).sequence("three")
    twin = twin_of(plain)
    assert (twin.name, len(twin), twin.stems) == (plain.name, len(plain), plain.stems)
    assert twin.introductions == plain.introductions
    for image, labels in (twin.pair(3), (twin.frame(3), twin.mask(3))):
        assert image.shape == (HEIGHT, 2 * WIDTH, 3) and labels.shape == (HEIGHT, 2 * WIDTH)
        np.testing.assert_array_equal(image[:, :WIDTH], picture(THREE, 3))
        np.testing.assert_array_equal(image[:, WIDTH:], picture(THREE, 3)[:, ::-1])
        np.testing.assert_array_equal(labels[:, :WIDTH], truth(THREE, 3))
        assert not labels[:, WIDTH:].any()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(twin)).mask(3), twin.mask(3))


def test_a_video_with_a_mask_for_each_object_has_a_twin(tmp_path):
    write_frames(tmp_path / "JPEGImages/two", (Thing(1, 6), Thing(2, 30)), 3)
    for number, top in ((1, 6), (2, 30)):
        write_masks(tmp_path / f"GroundTruth/two/{number}", (Thing(1, top),), range(3))
    twin = twin_of(SegTrackDataset(tmp_path).sequence("two"))
    np.testing.assert_array_equal(twin.mask(1)[:, :WIDTH], truth((Thing(1, 6), Thing(2, 30)), 1))
    assert len(twin.mask_files(1)) == 2 and twin.introductions == {0: (1, 2)}


def test_files_of_two_sizes_are_named_with_their_own_sizes(root):
    write_labels(root / "Annotations/480p/solo/00001.png", np.zeros((9, 11), np.uint8))
    twin = twin_of(open_dataset("davis2017", root).sequence("solo"))
    with pytest.raises(SequenceError, match=r"solo/00001\.png is 11x9 pixels"):
        twin.pair(1)


def test_going_by_looks_alone_scores_a_half(command, root, tmp_path):
    file = tmp_path / "r.json"
    assert command("davis2017", root, "--twin", "--json", file) == 0
    whole = json.loads(file.read_text())
    assert whole["twin"] is True and whole["j"] == pytest.approx(50)
    assert whole["sequences"]["solo"]["image_size"] == [2 * WIDTH, HEIGHT]
    assert command("davis2017", root, "--twin", "--json", file, build=LeftSegmenter) == 0
    assert json.loads(file.read_text())["j"] == pytest.approx(100)
    assert command("davis2017", root, "--json", file) == 0
    whole = json.loads(file.read_text())
    assert "twin" not in whole and whole["j"] == pytest.approx(100)


def test_binary_masks_have_a_twin_and_are_written_and_read_in_its_size(command, tmp_path):
    root = tmp_path / "mine"
    write_frames(root / "JPEGImages/solo", ONE, 4)
    for index in range(4):
        (root / "Annotations/solo").mkdir(parents=True, exist_ok=True)
        write_labels(root / f"Annotations/solo/{index:05d}.png", 255 * truth(ONE, index))
    argv = ["--twin", "--json", tmp_path / "a.json", "--masks-out", tmp_path / "m"]
    assert command("folder", root, *argv) == 0
    assert read_labels(tmp_path / "m/solo/00002.png").shape == (HEIGHT, 2 * WIDTH)
    argv = ["--twin", "--json", tmp_path / "b.json", "--from-masks", tmp_path / "m"]
    assert command("folder", root, *argv) == 0
    made, read = (json.loads((tmp_path / name).read_text()) for name in ("a.json", "b.json"))
    assert made["j"] == read["j"] == pytest.approx(50)


def build_stopping():
    """Makes a segmenter that stops in the second video."""

    class Stopping(ColourSegmenter):
        def start(self, image, mask):
            if set(np.unique(mask)) == {0, 1}:
                raise ValueError("the tea is ready")
            return super().start(image, mask)

    return Stopping()


def test_results_of_plain_videos_do_not_serve_those_with_twins(command, root, tmp_path, capsys):
    file = tmp_path / "r.json"
    assert command("davis2017", root, "--json", file, build=build_stopping) == 1
    assert command("davis2017", root, "--json", file, "--twin") == 0
    assert "holds nothing that serves this run" in capsys.readouterr().err
    assert json.loads(file.read_text())["j"] == pytest.approx(50)


def test_held_out_videos_may_stand_beside_their_twins(root):
    folders = [
        HeldOut("davis2017", root.name, protocol="davis2017", twin=twin) for twin in (False, True)
    ]
    plain, twins = open_held_out(folders, root.parent)
    assert [one.name for one in twins.sequences] == [f"{one.name}-twin" for one in plain.sequences]
    assert twins.sequences[0].frame(0).shape == (HEIGHT, 2 * WIDTH, 3)
    (single,) = open_held_out([HeldOut("davis2017", root.name, twin=True)], root.parent)
    assert set(np.unique(single.sequences[0].mask(0))) == {0, 1}  # one object by that protocol
