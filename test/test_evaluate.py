# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m vos_ros evaluate` from end to end, with a fake in place of the network."""

from __future__ import annotations

import csv
import dataclasses
import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from evaluating import evaluate_fake
from moving_squares import (
    HEIGHT,
    LENGTHS,
    WIDTH,
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
from vos_ros.apps.evaluate_options import parse
from vos_ros.data.image_files import read_labels
from vos_ros.evaluation.davis2016 import Davis2016
from vos_ros.evaluation.report import SCORES
from vos_ros.evaluation.runner import run_sequences

LAGGING = Build(lag=4)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_squares(tmp_path / "DAVIS")


@pytest.fixture
def command(root: Path, monkeypatch):
    """Calls the command with the fake in place of the weights; returns its exit code."""

    def call(*argv: object, build=LAGGING) -> int:
        return evaluate_fake(monkeypatch, build, "--root", root, *argv)

    return call


def test_the_report_of_the_command(command, tmp_path, capsys):
    file = tmp_path / "out" / "report.json"
    assert command("--split", "val", "--json", file, "--csv", tmp_path / "out.csv") == 0
    whole = json.loads(file.read_text())
    assert set(whole["sequences"]) == set(LENGTHS)
    for entry in (whole, *whole["sequences"].values()):
        assert set(SCORES) <= set(entry)
        assert entry["j"] == pytest.approx(100 * iou_at(4))
        assert entry["jf"] == pytest.approx((entry["j"] + entry["f"]) / 2)
        assert set(entry["ms_per_frame"]) == {"median", "mean", "p95"}
    assert (whole["dataset"], whole["split"]) == ("davis2016", "val")
    assert (whole["device"], whole["precision"], whole["size"]) == ("cpu", "fp32", 288)
    assert whole["region"] == {"margin": 1.5, "smallest": 0.2}
    assert whole["weights"]["sha256"] == "0" * 64
    assert whole["hardware"]["cores"] >= 1 and whole["hardware"]["cpu"]
    assert whole["versions"]["numpy"] == np.__version__
    assert str(tmp_path) not in file.read_text()
    assert len(whole["sequences"]["ant"]["per_frame"]["j"]) == LENGTHS["ant"] - 2
    assert "overall" in capsys.readouterr().out
    assert not list(tmp_path.rglob("*.partial"))


def test_the_csv_of_the_command(command, tmp_path):
    assert command("--csv", tmp_path / "scores.csv") == 0
    with (tmp_path / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    whole = [row for row in rows if not row["object"]]
    assert [row["sequence"] for row in whole] == [*LENGTHS, "overall"]
    assert [row["sequence"] for row in rows if row["object"] == "1"] == list(LENGTHS)
    assert float(rows[-1]["j"]) == pytest.approx(100 * iou_at(4), abs=1e-3)


def test_only_the_named_sequences_run(command, tmp_path):
    assert command("--sequences", "bee", "cat", "--json", tmp_path / "r.json") == 0
    assert list(json.loads((tmp_path / "r.json").read_text())["sequences"]) == ["bee", "cat"]


def test_masks_of_the_command_can_be_scored_by_it(command, tmp_path):
    assert command("--masks-out", tmp_path / "m", "--json", tmp_path / "a.json") == 0
    np.testing.assert_array_equal(read_labels(tmp_path / "m/ant/00005.png") > 0, square(5, 4) > 0)
    assert command("--from-masks", tmp_path / "m", "--json", tmp_path / "b.json") == 0
    made, read = (json.loads((tmp_path / name).read_text()) for name in ("a.json", "b.json"))
    for name in LENGTHS:
        for key in SCORES:
            assert made["sequences"][name][key] == read["sequences"][name][key]
    assert read["ms_per_frame"] is None and read["weights"] is None and read["device"] is None


@pytest.mark.parametrize("mode", ["network", "files"])
def test_the_contact_sheet(command, root, tmp_path, mode):
    sheet = tmp_path / "new" / "sheet.png"
    source = ["--from-masks", root / "Annotations" / "480p"] if mode == "files" else []
    assert command("--contact-sheet", sheet, *source) == 0
    with Image.open(sheet) as image:
        pixels = np.array(image.convert("RGB")).astype(int)
    # One row for each sequence, five columns; the object is drawn in a colour on grey frames.
    assert pixels.shape[1] > 5 * 300 and pixels.shape[0] > 3 * 90
    third = pixels.shape[0] // 3
    for row in range(3):
        band = pixels[row * third : (row + 1) * third]
        assert (np.ptp(band, axis=2) > 60).sum() > 200


def test_an_interrupted_run_goes_on_where_it_stopped(command, tmp_path, capsys):
    file = tmp_path / "report.json"
    assert command("--json", file, build=build_failing) == 1
    assert not file.exists()
    assert "sequence ant stopped" in capsys.readouterr().err
    # What is taken over still shows the perfect scores of the run that stopped.
    assert command("--json", file) == 0
    assert "1 of 3 sequences were done before: cat" in capsys.readouterr().err
    entries = json.loads(file.read_text())["sequences"]
    assert list(entries) == list(LENGTHS)
    assert entries["cat"]["j"] == pytest.approx(100)
    assert entries["ant"]["j"] == pytest.approx(100 * iou_at(4))
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize(
    "change",
    [
        ["--fresh"],
        ["--size", "480"],
        ["--precision", "bf16"],
        ["--region-margin", "0"],
        ["--contact-sheet", "sheet.png"],
        ["--masks-out", "masks"],
    ],
)
def test_results_that_do_not_serve_are_made_again(command, tmp_path, monkeypatch, capsys, change):
    monkeypatch.chdir(tmp_path)
    assert command("--json", "report.json", build=build_failing) == 1
    assert command("--json", "report.json", *change) == 0
    told = "report.json.partial holds nothing that serves" in capsys.readouterr().err
    assert told == ("--fresh" not in change)  # with --fresh it was asked for
    whole = json.loads(Path("report.json").read_text())
    assert whole["sequences"]["cat"]["j"] == pytest.approx(100 * iou_at(4))


def test_a_resumed_run_reads_the_masks_it_draws(command, tmp_path, capsys):
    argv = [
        "--json",
        tmp_path / "r.json",
        "--masks-out",
        tmp_path / "m",
        "--contact-sheet",
        tmp_path / "s.png",
    ]
    assert command(*argv, build=build_failing) == 1
    assert command(*argv) == 0
    assert "done before: cat" in capsys.readouterr().err
    assert (tmp_path / "s.png").is_file()


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--split", "test"], "no list of the split test"),
        (["--sequences", "dodo"], "dodo: not in the split val"),
        (["--from-masks", "nowhere"], "no folder nowhere with masks"),
    ],
)
def test_bad_input_is_told_in_a_sentence(command, capsys, argv, words):
    assert command(*argv) == 1
    message = capsys.readouterr().err
    assert words in message and "Traceback" not in message


def test_a_missing_file_among_the_masks_is_named(command, tmp_path, capsys):
    assert command("--masks-out", tmp_path) == 0
    (tmp_path / "ant" / "00003.png").unlink()
    assert command("--from-masks", tmp_path) == 1
    assert f"no file {tmp_path}/ant/00003.png" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        ["--workers", "0"],
        ["--threads", "-1"],
        ["--precision", "fp8"],
        ["--dataset", "imagenet"],
        ["--region-margin", "1"],
        ["--region-smallest", "0"],
        ["--from-masks", "m", "--masks-out", "n"],
        ["--from-masks", "m", "--weights", "w"],
    ],
)
def test_options_that_cannot_be_are_refused(command, argv):
    with pytest.raises(SystemExit) as stop:
        command(*argv)
    assert stop.value.code == 2


def test_a_weight_file_is_run_and_described(root, tmp_path):
    """The real segmenter on an untrained network: what is scored is whatever it answers."""
    torch = pytest.importorskip("torch")
    from vos_ros.models import build_network
    from vos_ros.weights import ModelCard, file_hash, save_network

    torch.manual_seed(0)
    weights, threads = tmp_path / "untrained.safetensors", torch.get_num_threads()
    save_network(weights, build_network("gfddal", {}), ModelCard(model="gfddal", config={}))
    argv = [
        "--root",
        root,
        "--sequences",
        "bee",
        "cat",
        "--weights",
        weights,
        "--size",
        "48",
        "--threads",
        "1",
        "--json",
        tmp_path / "r.json",
        "--masks-out",
        tmp_path / "m",
    ]
    try:
        assert evaluate.main([str(word) for word in argv]) == 0
    finally:
        torch.set_num_threads(threads)
    whole = json.loads((tmp_path / "r.json").read_text())
    assert whole["weights"] == {
        "name": weights.name,
        "model": "gfddal",
        "sha256": file_hash(weights),
    }
    assert whole["size"] == 48 and whole["versions"]["torch"] == metadata.version("torch")
    # The given mask comes back for the first frame, and every frame at the camera's size.
    np.testing.assert_array_equal(read_labels(tmp_path / "m/cat/00000.png"), 255 * square(0))
    assert read_labels(tmp_path / "m/cat/00005.png").shape == (HEIGHT, WIDTH)


def test_weights_that_are_not_there_are_told(root, capsys):
    assert evaluate.main(["--root", str(root), "--weights", "/no/such/file"]) == 1
    assert "/no/such/file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("margin", "wanted"),
    [
        ("2.5", {"margin": 2.5, "smallest": 0.3}),
        ("0", None),
    ],
)
def test_how_closely_it_looked_is_told_and_done(root, monkeypatch, margin, wanted):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)  # of the whole process
    argv = [
        "--root",
        str(root),
        "--weights",
        "gfddal_lite0",
        "--region-margin",
        margin,
        "--region-smallest",
        "0.3",
        "--threads",
        "1",
    ]
    source, about = evaluate._source(parse(argv), Davis2016())
    region = source.build().region
    assert about["region"] == (region and dataclasses.asdict(region)) == wanted


def test_scoring_files_needs_neither_torch_nor_ros(root, tmp_path):
    run_sequences(task(Build(lag=2), masks_out=tmp_path), sequences(root))
    program = (
        "import sys\n"
        "sys.modules.update(torch=None, rclpy=None)\n"  # importing either now fails
        "from vos_ros.apps.evaluate import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--root", root, "--from-masks", tmp_path],
        cwd=Path(evaluate.__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].split()[0] == "overall"
