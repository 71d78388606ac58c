# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m vos_ros evaluate` on data sets with several objects, and what it draws."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from coloured_objects import (
    ONE,
    THREE,
    TWO,
    BuildColours,
    ColourSegmenter,
    Thing,
    iou_of,
    truth,
    write_davis2017,
    write_frames,
    write_masks,
)
from evaluating import evaluate_fake
from PIL import Image

from vos_ros.data.image_files import read_labels
from vos_ros.drawing import colour_of
from vos_ros.evaluation import figure
from vos_ros.evaluation.errors import EvaluationError
from vos_ros.evaluation.figure import write_figure
from vos_ros.evaluation.results import ObjectResult, SequenceResult

SHIFTED = BuildColours(2)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_davis2017(tmp_path / "DAVIS", {"pair": TWO, "solo": ONE}, length=7)


@pytest.fixture
def command(monkeypatch):
    """Calls the command with the fake in place of the weights; returns its exit code."""

    def call(dataset: str, root: Path, *argv: object, build=SHIFTED) -> int:
        return evaluate_fake(monkeypatch, build, "--dataset", dataset, "--root", root, *argv)

    return call


def test_every_object_is_in_table_csv_and_json(command, root, tmp_path, capsys):
    out = tmp_path / "out"
    assert command("davis2017", root, "--json", out / "r.json", "--csv", out / "r.csv") == 0
    whole = json.loads((out / "r.json").read_text())
    assert (whole["split"], whole["objects_scored"]) == ("val", 3)
    assert whole["weights"]["sha256"] == "0" * 64 and "mean over all objects" in whole["averaging"]
    own = whole["sequences"]["pair"]["objects"]["4"]
    assert own["j"] == pytest.approx(100 * iou_of(2)) and own["j_decay"] == pytest.approx(0)
    assert own["per_frame"]["index"] == [1, 2, 3, 4, 5]
    with (out / "r.csv").open(newline="") as file:
        rows = [(row["sequence"], row["object"]) for row in csv.DictReader(file)]
    assert rows == [
        ("pair", ""),
        ("pair", "1"),
        ("pair", "4"),
        ("solo", ""),
        ("solo", "1"),
        ("overall", ""),
    ]
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in printed[3:5]] == [["object", "1"], ["object", "4"]]
    assert len({len(line) for line in printed[:8]}) == 1
    assert printed[-1].startswith("overall: mean over all objects")


@pytest.mark.parametrize("workers", [1, 2])
def test_masks_that_were_written_score_the_same(command, root, tmp_path, workers):
    masks, made, read = (tmp_path / name for name in ("m", "a.json", "b.json"))
    argv = ["--masks-out", masks, "--json", made, "--workers", workers]
    assert command("davis2017", root, *argv) == 0
    with Image.open(masks / "pair" / "00003.png") as image:
        assert image.mode == "P"
        assert set(np.unique(np.array(image))) == {0, 1, 4}
    assert command("davis2017", root, "--from-masks", masks, "--json", read) == 0
    first, second = (json.loads(path.read_text()) for path in (made, read))
    for name in ("pair", "solo"):
        assert first["sequences"][name]["objects"] == second["sequences"][name]["objects"]
    assert second["ms_per_frame"] is None


def build_stopping():
    """Makes a segmenter that stops in the second video."""

    class Stopping(ColourSegmenter):
        def start(self, image, mask):
            if mask.max() == 1:
                raise ValueError("the tea is ready")
            return super().start(image, mask)

    return Stopping(0)


def test_an_interrupted_run_of_several_objects_goes_on(command, root, tmp_path, capsys):
    file = tmp_path / "r.json"
    assert command("davis2017", root, "--json", file, build=build_stopping) == 1
    assert "solo stopped: the tea is ready" in capsys.readouterr().err
    assert command("davis2017", root, "--json", file) == 0
    assert "1 of 2 sequences were done before: pair" in capsys.readouterr().err
    objects = json.loads(file.read_text())["sequences"]["pair"]["objects"]
    assert [entry["j"] for entry in objects.values()] == [100, 100]


def test_a_split_without_truth_is_for_writing_masks(command, root, tmp_path, capsys):
    argv = ["--split", "test-dev"]
    assert command("davis2017", root, *argv) == 1
    assert "nothing can be scored; write the masks with --masks-out" in capsys.readouterr().err
    for option in (["--from-masks", tmp_path], ["--figure", tmp_path / "f.png"]):
        assert command("davis2017", root, *argv, *option) == 1
        assert "there is no truth" in capsys.readouterr().err
    out = [
        "--masks-out",
        tmp_path / "m",
        "--contact-sheet",
        tmp_path / "s.png",
        "--json",
        tmp_path / "r.json",
        "--csv",
        tmp_path / "r.csv",
    ]
    assert command("davis2017", root, *argv, *out) == 0
    assert "pair-dev: not scored" in capsys.readouterr().err
    whole = json.loads((tmp_path / "r.json").read_text())
    assert whole["j"] is None and whole["ms_per_frame"]["median"] > 0
    assert len(list((tmp_path / "m" / "pair-dev").iterdir())) == 7
    assert (tmp_path / "s.png").is_file() and ",,,," in (tmp_path / "r.csv").read_text()


def test_youtube_masks_go_into_the_folder_of_a_submission(command, tmp_path, capsys):
    root = tmp_path / "YT"
    write_frames(root / "valid_all_frames/JPEGImages/vid", THREE, 5)
    write_frames(root / "valid/JPEGImages/vid", THREE, 5)
    for index in (1, 3):
        (root / f"valid/JPEGImages/vid/{index:05d}.png").unlink()
    write_masks(root / "valid/Annotations/vid", TWO, [0])
    write_masks(root / "valid/Annotations/vid", (Thing(2, 48, first=2),), [2])
    assert (
        command(
            "youtube_vos",
            root,
            "--all-frames",
            "--masks-out",
            tmp_path / "m",
            build=BuildColours(0),
        )
        == 0
    )
    written = sorted((tmp_path / "m" / "Annotations" / "vid").iterdir())
    assert [path.stem for path in written] == ["00000", "00002", "00004"]
    np.testing.assert_array_equal(read_labels(written[2]), truth(THREE, 4))


def test_segtrack_reports_its_miou(command, tmp_path, capsys):
    write_frames(tmp_path / "S/JPEGImages/one", ONE, 4)
    write_masks(tmp_path / "S/GroundTruth/one", ONE, range(4))
    assert command("segtrack_v2", tmp_path / "S", "--json", tmp_path / "r.json") == 0
    whole = json.loads((tmp_path / "r.json").read_text())
    assert whole["miou"] == pytest.approx(100 * iou_of(2)) and whole["split"] == "all"
    assert "mIoU" in capsys.readouterr().out.splitlines()[0].split()


def test_a_folder_may_be_scored_as_one_object(command, tmp_path):
    write_frames(tmp_path / "JPEGImages/pair", (Thing(1, 6), Thing(1, 30)), 4)
    write_masks(tmp_path / "Annotations/pair", TWO, range(4))
    argv = ["--binary", "--json", tmp_path / "r.json"]
    assert command("folder", tmp_path, *argv, build=BuildColours(0)) == 0
    report = json.loads((tmp_path / "r.json").read_text())["sequences"]["pair"]
    assert list(report["objects"]) == ["1"] and report["j"] == 100


@pytest.mark.parametrize(
    ("dataset", "option"),
    [
        ("davis2017", ["--all-frames"]),
        ("davis2017", ["--binary"]),
        ("folder", ["--all-frames"]),
        ("folder", ["--max-objects", "0"]),
    ],
)
def test_options_that_do_not_go_together_are_refused(command, root, dataset, option):
    with pytest.raises(SystemExit) as stop:
        command(dataset, root, *option)
    assert stop.value.code == 2


def test_the_contact_sheet_shows_objects_in_their_colours(command, root, tmp_path):
    assert command("davis2017", root, "--contact-sheet", tmp_path / "s.png") == 0
    with Image.open(tmp_path / "s.png") as image:
        pixels = np.array(image.convert("RGB")).astype(int)
    for object_id, rows in ((1, 2), (4, 1)):
        near = (np.abs(pixels - np.array(colour_of(object_id))).max(axis=2) < 12).sum(axis=1)
        bands = np.flatnonzero(np.diff(np.concatenate([[0], near > 5, [0]])) == 1)
        assert len(bands) >= rows


# The figure


def scores_of(name: str, *levels: float, frames: int = 50) -> SequenceResult:
    scored = tuple(range(1, frames - 1))
    objects = tuple(
        ObjectResult(i + 1, scored, (level,) * len(scored), (level,) * len(scored))
        for i, level in enumerate(levels)
    )
    return SequenceResult(name, frames, 8, 6, objects)


def lines_of(path: Path, object_id: int) -> np.ndarray:
    """Rows of a picture that hold a horizontal line in the colour of an object, as fractions."""
    with Image.open(path) as image:
        pixels = np.array(image.convert("RGB")).astype(int)
    near = np.abs(pixels - np.array(colour_of(object_id))).max(axis=2) < 30
    return np.flatnonzero(near.sum(axis=1) > pixels.shape[1] / 3) / pixels.shape[0]


def test_the_figure_draws_each_object_in_its_colour_at_its_height(tmp_path):
    write_figure(tmp_path / "new" / "f.png", [scores_of("pair", 0.9, 0.2)])
    high, low = (lines_of(tmp_path / "new" / "f.png", object_id) for object_id in (1, 2))
    assert high.size and low.size
    assert high.max() < 0.35 and low.min() > 0.5  # rows count from the top
    assert not lines_of(tmp_path / "new" / "f.png", 3).size


def test_the_figure_shows_the_lowest_of_too_many_sequences(tmp_path, monkeypatch):
    monkeypatch.setattr(figure, "MOST_PANELS", 1)
    write_figure(tmp_path / "f.png", [scores_of("fine", 0.9), scores_of("low", 0.1)])
    lines = lines_of(tmp_path / "f.png", 1)
    assert lines.size and lines.min() > 0.5


def test_the_command_draws_the_figure(command, root, tmp_path):
    assert command("davis2017", root, "--figure", tmp_path / "f.png") == 0
    with Image.open(tmp_path / "f.png") as image:
        assert image.size[0] > 2 * 300


def test_a_figure_of_nothing_is_refused(tmp_path):
    empty = SequenceResult("dev", 5, 8, 6, (ObjectResult(1, (), (), ()),))
    with pytest.raises(EvaluationError, match="no sequence was scored"):
        write_figure(tmp_path / "f.png", [empty])


def test_a_missing_matplotlib_is_named(command, root, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert command("davis2017", root, "--figure", tmp_path / "f.png") == 1
    told = capsys.readouterr().err
    assert "needs the package matplotlib" in told and "pair: J" not in told  # before any work
