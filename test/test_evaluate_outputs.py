# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `evaluate` refuses before it works for hours, what it keeps, and what its pictures take."""

from __future__ import annotations

import json

import numpy as np
import pytest
from evaluating import evaluate_fake
from moving_squares import (
    LENGTHS,
    Build,
    build_failing,
    iou_at,
    sequences,
    square,
    task,
    write_squares,
)
from PIL import Image

from vos_ros.apps import evaluate
from vos_ros.data.davis import DavisDataset
from vos_ros.data.image_files import write_labels
from vos_ros.evaluation import pictures
from vos_ros.evaluation.checkpoint import Checkpoint
from vos_ros.evaluation.pictures import can_draw, write_contact_sheet
from vos_ros.evaluation.results import packed, unpacked
from vos_ros.evaluation.runner import run_sequences

LAGGING = Build(lag=4)


@pytest.fixture
def root(tmp_path):
    return write_squares(tmp_path / "DAVIS")


@pytest.fixture
def command(root, tmp_path, monkeypatch):
    """Calls the command in `tmp_path` with the fake in place of the weights."""
    monkeypatch.chdir(tmp_path)

    def call(*argv: object, build=LAGGING) -> int:
        return evaluate_fake(monkeypatch, build, "--root", root, *argv)

    return call


def build_none():
    raise AssertionError("the work began")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--contact-sheet", "sheet.jpeg2"], "sheet.jpeg2 must end in .png"),
        (["--contact-sheet", "sheet"], "sheet must end in .png"),
        (["--figure", "figure.docx"], "figure.docx must end in .jpeg or"),
        (["--figure", "figure"], "figure must end in .jpeg or"),
        (["--csv", "DAVIS"], "DAVIS is a folder"),
        (["--json", "DAVIS"], "DAVIS is a folder"),
        (["--json", "r.json"], "r.json.partial is a folder"),
        (["--figure", "folder.png"], "folder.png is a folder"),
        (["--contact-sheet", "folder.png"], "folder.png is a folder"),
        (["--csv", "file/x.csv"], "file/x.csv cannot be written"),
        (["--json", "/proc/none/x.json"], "/proc/none/x.json cannot be written"),
        (["--csv", "x" * 300], "cannot be written: File name too long"),
        (["--masks-out", "file"], "file is a file; the name of a folder"),
        (["--masks-out", "/proc/none"], "/proc/none/"),
        (["--json", "a", "--csv", "./a"], "two of a, a are one"),
    ],
)
def test_what_cannot_be_written_is_told_before_the_work(command, tmp_path, capsys, argv, words):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "r.json.partial").mkdir()
    assert command(*argv, build=build_none) == 1
    told = capsys.readouterr().err
    assert words in told and "Traceback" not in told


def test_trying_leaves_files_as_they_were(command, tmp_path):
    (tmp_path / "old.csv").write_text("as it was")
    outputs = [
        "--json",
        "new/r.json",
        "--csv",
        "old.csv",
        "--contact-sheet",
        "s.PNG",
        "--figure",
        "f.svg",
        "--masks-out",
        "m",
    ]
    assert command(*outputs, build=build_failing) == 1
    assert (tmp_path / "old.csv").read_text() == "as it was"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["r.json.partial"]
    assert not list(tmp_path.glob("*.PNG")) and not list(tmp_path.glob("f*"))
    assert {path.name for path in (tmp_path / "m").iterdir()} == {"cat", "ant"}


@pytest.mark.parametrize(
    ("device", "words"),
    [
        ("cuda:99", "is to be cuda:99, but there is"),
        ("tpu9", "no device is called tpu9"),
    ],
)
def test_a_device_that_is_not_there_is_told(command, capsys, device, words):
    assert command("--device", device, build=build_none) == 1
    told = capsys.readouterr().err
    assert words in told and "Traceback" not in told


def test_without_cuda_there_is_a_word_for_it(command, capsys, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert command("--device", "cuda", build=build_none) == 1
    assert "no CUDA device that PyTorch can use; use --device cpu" in capsys.readouterr().err


def test_a_sequence_that_is_named_twice_is_run_once(command, tmp_path):
    assert command("--sequences", "bee", "cat", "bee", "--json", "r.json") == 0
    assert list(json.loads((tmp_path / "r.json").read_text())["sequences"]) == ["bee", "cat"]


# What is kept


def test_an_interrupted_run_keeps_what_its_contact_sheet_shows(command, tmp_path, capsys):
    argv = ["--json", "r.json", "--contact-sheet", "s.png"]
    assert command(*argv, build=build_failing) == 1
    assert command(*argv) == 0
    assert "done before: cat" in capsys.readouterr().err
    sheet = np.array(Image.open(tmp_path / "s.png").convert("RGB")).astype(int)
    assert (np.ptp(sheet[: len(sheet) // 3], axis=2) > 60).sum() > 200  # the object, in its colour


def test_masks_that_were_written_serve_a_contact_sheet_asked_for_later(command, tmp_path, capsys):
    argv = ["--json", "r.json", "--masks-out", "m"]
    assert command(*argv, build=build_failing) == 1
    assert command(*argv, "--contact-sheet", "s.png") == 0
    assert "done before: cat" in capsys.readouterr().err and (tmp_path / "s.png").is_file()


def test_a_mask_that_is_shown_and_gone_is_made_again(root, tmp_path):
    written = task(masks_out=tmp_path / "m")
    cat = DavisDataset(root, "val").sequence("cat")
    (result,) = run_sequences(written, [cat])
    assert not result.kept and can_draw(written, cat, result)
    (tmp_path / "m/cat/00003.png").unlink()
    assert not can_draw(written, cat, result)


def results_of(root):
    return {result.name: result for result in run_sequences(task(pictures=2), sequences(root))}


def test_kept_results_are_read_as_they_were(root, tmp_path):
    made, file = results_of(root), Checkpoint(tmp_path / "r.partial", {"size": 1})
    file.begin({"cat": made["cat"]})
    file.add(made["ant"])
    read = Checkpoint(tmp_path / "r.partial", {"size": 1}).load()
    assert read == {name: made[name] for name in ("cat", "ant")}
    np.testing.assert_array_equal(unpacked(read["ant"].kept[1]), square(1))
    assert Checkpoint(tmp_path / "r.partial", {"size": 2}).load() == {}


def test_beginning_anew_loses_nothing_when_it_is_cut_short(root, tmp_path, monkeypatch):
    made, file = results_of(root), Checkpoint(tmp_path / "r.partial", {})
    file.begin(made)

    def pulled(*_):
        raise OSError("the plug was pulled")

    monkeypatch.setattr("os.replace", pulled)
    with pytest.raises(OSError, match="plug"):
        file.begin({})
    assert file.load() == made


# What pictures take


def test_labels_are_kept_in_little_memory_and_come_back_as_they_were():
    labels = np.zeros((720, 1280), np.uint8)
    labels[100:300, 200:700], labels[310:400, 5:90] = 255, 3
    assert len(packed(labels)) < labels.size / 100
    np.testing.assert_array_equal(unpacked(packed(labels)), labels)


def test_the_contact_sheet_holds_small_tiles_only(root, tmp_path, monkeypatch):
    shape = (300, 1000)
    for name, length in LENGTHS.items():
        for index in range(length):
            frame = Image.new("RGB", shape[::-1])
            frame.save(root / f"JPEGImages/480p/{name}/{index:05d}.jpg")
            labels = np.pad(
                255 * square(index),
                [(0, n - s) for n, s in zip(shape, square(0).shape, strict=True)],
            )
            write_labels(root / f"Annotations/480p/{name}/{index:05d}.png", labels)
    seen = []
    draw = pictures.contact_sheet
    monkeypatch.setattr(
        pictures, "contact_sheet", lambda tiles, *rest: (seen.extend(tiles), draw(tiles, *rest))[1]
    )
    files = evaluate.MaskFolderSource(root / "Annotations/480p")
    drawn = evaluate.SequenceTask(task().protocol, files, None, 5)
    results = run_sequences(drawn, sequences(root))
    write_contact_sheet(tmp_path / "s.png", drawn, sequences(root), results)
    assert len(seen) == 15 and {tile.shape for tile in seen} == {(96, 320, 3)}


def test_the_scores_of_what_was_kept_are_those_of_the_run_that_stopped(command, tmp_path):
    assert command("--json", "r.json", build=build_failing) == 1
    assert command("--json", "r.json") == 0
    entries = json.loads((tmp_path / "r.json").read_text())["sequences"]
    assert entries["cat"]["j"] == pytest.approx(100)
    assert entries["bee"]["j"] == pytest.approx(100 * iou_at(4))
