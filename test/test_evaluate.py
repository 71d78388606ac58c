# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The runner and `python -m vos_ros evaluate` from end to end, on small data sets written here.

The segmenter is a fake with the API of `VideoSegmenter`. The object is a square that moves four
pixels a frame and the fake's answer lags behind by a known distance, so every score is known.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vos_ros.apps import evaluate
from vos_ros.data.davis import DavisDataset, DavisError
from vos_ros.data.image_files import read_labels, write_labels
from vos_ros.evaluation.checkpoint import Checkpoint
from vos_ros.evaluation.davis2016 import Davis2016
from vos_ros.evaluation.errors import EvaluationError
from vos_ros.evaluation.report import SCORES, build_report, format_table
from vos_ros.evaluation.runner import SequenceResult, SequenceTask, picture_frames, run_sequences
from vos_ros.evaluation.sources import MaskFolderSource, SegmenterSource

HEIGHT, WIDTH, SIDE, STEP = 48, 160, 16, 4
LENGTHS = {"cat": 6, "ant": 9, "bee": 3}


def square(index: int, lag: int = 0) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    left = 4 + STEP * index - lag
    mask[10 : 10 + SIDE, left : left + SIDE] = 1
    return mask


def iou_at(lag: int) -> float:
    """Of two squares that are `lag` pixels apart."""
    return (SIDE - lag) / (SIDE + lag)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "DAVIS"
    (root / "ImageSets" / "480p").mkdir(parents=True)
    (root / "ImageSets" / "480p" / "val.txt").write_text("\n".join(LENGTHS) + "\n")
    for name, length in LENGTHS.items():
        for kind in ("JPEGImages", "Annotations"):
            (root / kind / "480p" / name).mkdir(parents=True)
        for index in range(length):
            image = np.full((HEIGHT, WIDTH, 3), index, np.uint8)
            Image.fromarray(image).save(root / f"JPEGImages/480p/{name}/{index:05d}.jpg")
            mask = Image.fromarray(255 * square(index))
            mask.save(root / f"Annotations/480p/{name}/{index:05d}.png")
    return root


@dataclass
class Answer:
    labels: np.ndarray


@dataclass
class LaggingSegmenter:
    """Answers every step with the square `lag` pixels behind, as object 1."""

    lag: int = 0
    index: int | None = field(default=None, init=False)

    def reset(self) -> None:
        self.index = None

    def start(self, image: np.ndarray, mask: np.ndarray) -> Answer:
        assert image.shape == (HEIGHT, WIDTH, 3) and image.dtype == np.uint8
        if not mask.any():
            raise ValueError("the mask holds no object")
        self.index = 0
        return Answer(mask.astype(np.uint8))

    def step(self, image: np.ndarray) -> Answer:
        assert self.index is not None, "step before start"
        self.index += 1
        assert abs(int(image.mean()) - self.index) <= 1, "a frame out of order"
        return Answer(square(self.index, self.lag))


@dataclass(frozen=True)
class Build:
    """Makes the fake, here or in a worker, and notes each making in a file."""

    lag: int = 0
    log: Path | None = None

    def __call__(self) -> LaggingSegmenter:
        if self.log is not None:
            with self.log.open("a") as file:
                file.write("built\n")
        return LaggingSegmenter(self.lag)


class FailingSegmenter(LaggingSegmenter):
    """Stops in the sequence of nine frames."""

    def step(self, image: np.ndarray) -> Answer:
        if self.index == 6:
            raise ValueError("the frame is of an unknown kind")
        return super().step(image)


def build_failing() -> FailingSegmenter:
    return FailingSegmenter()


def build_dying() -> None:
    import os

    os._exit(9)


def build_impossible() -> None:
    raise ValueError("there is no device tpu")


def sequences(root: Path):
    return DavisDataset(root, "val").sequences()


def task(build=Build(), **options) -> SequenceTask:
    return SequenceTask(Davis2016(), SegmenterSource(build), **options)


@pytest.fixture
def command(root: Path, monkeypatch):
    """Calls the command with the fake in place of the weights; returns its exit code."""

    def call(*argv: object, build=Build(lag=4)) -> int:
        monkeypatch.setattr(evaluate, "open_weights", lambda args: (
            build, {"name": "fake.safetensors", "model": "fake", "sha256": "0" * 64}))
        return evaluate.main(["--root", str(root), *map(str, argv)])

    return call


# --- runner ---------------------------------------------------------------------------------

def test_a_perfect_segmenter_scores_one(root):
    for result in run_sequences(task(), sequences(root)):
        assert set(result.j) == {1.0} and set(result.f) == {1.0}


def test_first_and_last_frame_are_not_scored(root):
    results = run_sequences(task(Build(lag=4)), sequences(root))
    assert [result.name for result in results] == list(LENGTHS)
    for result in results:
        assert result.scored == tuple(range(1, LENGTHS[result.name] - 1))
        # The first frame, which is given, would score 1.
        assert result.j == pytest.approx([iou_at(4)] * len(result.scored))
        assert (result.width, result.height) == (WIDTH, HEIGHT)


def test_every_step_is_timed(root):
    for result in run_sequences(task(), sequences(root)):
        assert len(result.step_ms) == LENGTHS[result.name] - 1
        assert all(ms > 0 for ms in result.step_ms)


def test_workers_give_the_same_results_and_report_every_frame(root, tmp_path):
    frames, finished = [], []
    alone = run_sequences(task(Build(lag=3)), sequences(root))
    shared = run_sequences(
        task(Build(lag=3, log=tmp_path / "log"), masks_out=tmp_path / "masks", pictures=2),
        sequences(root), workers=2,
        on_frame=lambda: frames.append(1), on_result=lambda result: finished.append(result.name),
    )
    for one, other in zip(alone, shared, strict=True):
        assert (one.name, one.scored, one.j, one.f) == (other.name, other.scored, other.j, other.f)
    assert len(frames) == sum(LENGTHS.values())
    assert sorted(finished) == sorted(LENGTHS)
    # Once in each process that had work, not once in each sequence.
    assert 1 <= len((tmp_path / "log").read_text().splitlines()) <= 2
    assert len(list((tmp_path / "masks").rglob("*.png"))) == sum(LENGTHS.values())


@pytest.mark.parametrize(("build", "workers", "words"), [
    (build_failing, 1, "the sequence ant stopped: the frame is of an unknown kind"),
    (build_failing, 2, "the sequence ant stopped: the frame is of an unknown kind"),
    (build_impossible, 1, "cannot be made: there is no device tpu"),
])
def test_an_error_names_its_cause(root, build, workers, words):
    with pytest.raises(EvaluationError, match=words):
        run_sequences(task(build), sequences(root), workers=workers)


def test_a_worker_that_dies_is_told(root):
    with pytest.raises(EvaluationError, match="fewer --workers"):
        run_sequences(task(build_dying), sequences(root), workers=2)


def test_a_first_mask_without_an_object_is_told(root):
    write_labels(root / "Annotations/480p/cat/00000.png", np.zeros((HEIGHT, WIDTH), np.uint8))
    with pytest.raises(EvaluationError, match="sequence cat stopped: the mask holds no object"):
        run_sequences(task(), sequences(root))


def test_a_truth_of_another_size_is_named(root):
    write_labels(root / "Annotations/480p/cat/00002.png", np.zeros((9, 9), np.uint8))
    with pytest.raises(EvaluationError, match=r"cat/00002\.png cannot be scored: .*160x48.*9x9"):
        run_sequences(task(), sequences(root))


def test_a_missing_mask_is_told_before_anything_runs(root):
    (root / "Annotations/480p/ant/00004.png").unlink()
    with pytest.raises(DavisError, match=r"no mask for the frame .*ant/00004\.jpg"):
        for sequence in sequences(root):
            Davis2016().check(sequence)


def test_the_mask_of_the_last_frame_may_be_missing(root):
    (root / "Annotations/480p/ant/00008.png").unlink()
    for sequence in sequences(root):
        Davis2016().check(sequence)


def test_a_video_of_two_frames_cannot_be_scored(root):
    for kind in ("JPEGImages", "Annotations"):
        next((root / kind / "480p" / "bee").glob("00002.*")).unlink()
    with pytest.raises(EvaluationError, match="bee .* has 2 frames; three at least"):
        Davis2016().check(DavisDataset(root, "val").sequence("bee"))


def test_written_masks_score_the_same_when_read_again(root, tmp_path):
    made = run_sequences(task(Build(lag=5), masks_out=tmp_path), sequences(root))
    source = MaskFolderSource(tmp_path, Davis2016())
    read = run_sequences(SequenceTask(Davis2016(), source), sequences(root))
    for one, other in zip(made, read, strict=True):
        assert (one.scored, one.j, one.f) == (other.scored, other.j, other.f)
        assert other.step_ms == ()


def test_written_masks_score_the_same_with_the_public_benchmark(root, tmp_path):
    reason = "vos-benchmark is not installed"
    module = pytest.importorskip("vos_benchmark.benchmark", reason=reason)
    results = run_sequences(task(Build(lag=5), masks_out=tmp_path), sequences(root))
    judge = module.VideoEvaluator(str(root / "Annotations" / "480p"), str(tmp_path))
    for result in results:
        _, j, f = judge(result.name)
        # 255 is the object's value in the files of the truth.
        assert 100 * np.mean(result.j) == pytest.approx(j[255], abs=1e-9)
        assert 100 * np.mean(result.f) == pytest.approx(f[255], abs=1e-9)


def test_written_masks_take_the_value_of_the_truth(root, tmp_path):
    run_sequences(task(masks_out=tmp_path), sequences(root))
    with Image.open(tmp_path / "cat" / "00003.png") as image:
        assert image.mode == "P"
        assert set(np.unique(np.array(image))) == {0, 255}


def test_picture_frames_are_spread_over_the_scored_ones(root):
    ant, bee = (DavisDataset(root, "val").sequence(name) for name in ("ant", "bee"))
    assert picture_frames(ant, 3) == (1, 4, 7)
    assert picture_frames(bee, 5) == (1,)
    assert picture_frames(ant, 0) == ()


# --- report ---------------------------------------------------------------------------------

def result(name: str, j: list[float], f: list[float]) -> SequenceResult:
    scored = tuple(range(1, len(j) + 1))
    return SequenceResult(name, len(j) + 2, 8, 6, scored, tuple(j), tuple(f), (1.0, 2.0, 9.0))


def test_overall_scores_are_means_over_sequences_not_frames():
    whole = build_report([result("long", [1.0] * 9, [0.8] * 9), result("short", [0.0], [0.2])], {})
    assert (whole["j"], whole["f"], whole["jf"]) == pytest.approx((50.0, 50.0, 50.0))
    assert whole["j_recall"] == pytest.approx(50.0)
    assert whole["sequences"]["long"]["jf"] == pytest.approx(90.0)
    assert whole["frames"] == 14 and whole["frames_scored"] == 10
    assert whole["ms_per_frame"] == pytest.approx({"median": 2.0, "mean": 4.0, "p95": 9.0})


def test_scores_of_a_video_beyond_256_frames():
    scores = list(np.linspace(1, 0, 600))
    entry = build_report([result("long", scores, scores)], {})["sequences"]["long"]
    # Edges 1, 150.75, 300.5, 450.25, 600 become 1, 151, 301, 450, 600.
    expected = 100 * (np.mean(scores[:151]) - np.mean(scores[449:]))
    assert entry["j_decay"] == pytest.approx(expected)
    assert entry["j_recall"] == pytest.approx(50.0)


def test_the_table_has_a_line_for_each_sequence_and_the_overall():
    whole = build_report([result("cat", [0.5, 1.0], [0.25, 0.25]), result("ant", [1], [1])], {})
    lines = format_table(whole).splitlines()
    assert lines[2].split()[:5] == ["cat", "4", "75.0", "25.0", "50.0"]
    assert lines[-1].split()[:5] == ["overall", "7", "87.5", "62.5", "75.0"]
    assert len({len(line) for line in lines}) == 1


def test_nothing_to_report_is_refused():
    with pytest.raises(ValueError, match="at least one result"):
        build_report([], {})


# --- checkpoint -----------------------------------------------------------------------------

def test_a_checkpoint_gives_back_what_was_added(tmp_path):
    first, second = result("cat", [0.1, 1 / 3], [0.2, 0.7]), result("ant", [1.0], [0.0])
    checkpoint = Checkpoint(tmp_path / "new" / "run.partial", {"size": 288})
    assert checkpoint.load() == {}
    checkpoint.begin({"cat": first})
    checkpoint.add(second)
    assert checkpoint.load() == {"cat": first, "ant": second}
    assert Checkpoint(checkpoint.path, {"size": 480}).load() == {}
    checkpoint.remove()
    assert checkpoint.load() == {}


def test_a_checkpoint_cut_short_keeps_the_whole_lines(tmp_path):
    checkpoint = Checkpoint(tmp_path / "run.partial", {})
    checkpoint.begin({"cat": result("cat", [0.5], [0.5])})
    checkpoint.add(result("ant", [0.5], [0.5]))
    text = checkpoint.path.read_text()
    checkpoint.path.write_text(text[:-20])
    assert list(checkpoint.load()) == ["cat"]
    checkpoint.path.write_bytes(b"\xff\xfe\x00")
    assert checkpoint.load() == {}


# --- command --------------------------------------------------------------------------------

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
    assert [row["sequence"] for row in rows] == [*LENGTHS, "overall"]
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


@pytest.mark.parametrize("change", [["--fresh"], ["--size", "480"], ["--precision", "bf16"],
                                    ["--contact-sheet", "sheet.png"], ["--masks-out", "masks"]])
def test_results_that_do_not_serve_are_made_again(command, tmp_path, monkeypatch, capsys, change):
    monkeypatch.chdir(tmp_path)
    assert command("--json", "report.json", build=build_failing) == 1
    assert command("--json", "report.json", *change) == 0
    told = "report.json.partial holds nothing that serves" in capsys.readouterr().err
    assert told == ("--fresh" not in change)  # with --fresh it was asked for
    whole = json.loads(Path("report.json").read_text())
    assert whole["sequences"]["cat"]["j"] == pytest.approx(100 * iou_at(4))


def test_a_resumed_run_reads_the_masks_it_draws(command, tmp_path, capsys):
    argv = ["--json", tmp_path / "r.json", "--masks-out", tmp_path / "m",
            "--contact-sheet", tmp_path / "s.png"]
    assert command(*argv, build=build_failing) == 1
    assert command(*argv) == 0
    assert "done before: cat" in capsys.readouterr().err
    assert (tmp_path / "s.png").is_file()


@pytest.mark.parametrize(("argv", "words"), [
    (["--split", "test"], "no list of the split test"),
    (["--sequences", "dodo"], "dodo: not in the split val"),
    (["--from-masks", "nowhere"], "no folder nowhere with masks"),
])
def test_bad_input_is_told_in_a_sentence(command, capsys, argv, words):
    assert command(*argv) == 1
    message = capsys.readouterr().err
    assert words in message and "Traceback" not in message


def test_a_missing_file_among_the_masks_is_named(command, tmp_path, capsys):
    assert command("--masks-out", tmp_path) == 0
    (tmp_path / "ant" / "00003.png").unlink()
    assert command("--from-masks", tmp_path) == 1
    assert f"no file {tmp_path}/ant/00003.png" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [
    ["--workers", "0"], ["--threads", "-1"], ["--precision", "fp8"], ["--dataset", "imagenet"],
    ["--from-masks", "m", "--masks-out", "n"], ["--from-masks", "m", "--weights", "w"],
])
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
    argv = ["--root", root, "--sequences", "bee", "cat", "--weights", weights, "--size", "48",
            "--threads", "1", "--json", tmp_path / "r.json", "--masks-out", tmp_path / "m"]
    try:
        assert evaluate.main([str(word) for word in argv]) == 0
    finally:
        torch.set_num_threads(threads)
    whole = json.loads((tmp_path / "r.json").read_text())
    assert whole["weights"] == {"name": weights.name, "model": "gfddal",
                                "sha256": file_hash(weights)}
    assert whole["size"] == 48 and whole["versions"]["torch"] == metadata.version("torch")
    # The given mask comes back for the first frame, and every frame at the camera's size.
    np.testing.assert_array_equal(read_labels(tmp_path / "m/cat/00000.png"), 255 * square(0))
    assert read_labels(tmp_path / "m/cat/00005.png").shape == (HEIGHT, WIDTH)


def test_weights_that_are_not_there_are_told(root, capsys):
    assert evaluate.main(["--root", str(root), "--weights", "/no/such/file"]) == 1
    assert "/no/such/file" in capsys.readouterr().err


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
        cwd=Path(evaluate.__file__).parents[2], capture_output=True, text=True, timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].split()[0] == "overall"
