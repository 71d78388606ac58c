# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`ablate` from the command line, on a few small pictures that the tests draw."""

from __future__ import annotations

import json
import signal

import cv2
import pytest
import torch
from ablation_cases import STAGE, write_data, write_table
from tiny import TinyBackbone, add_tiny_backbone
from train_cases import logged, tensors

from vos_ros.ablation import variant
from vos_ros.ablation.processes import Failure
from vos_ros.ablation.variant import Stopped
from vos_ros.apps import ablate
from vos_ros.evaluation.sources import SegmenterSettings
from vos_ros.training.run import UNUSABLE
from vos_ros.training.stage import StageError
from vos_ros.weights import load_network


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """A backbone that only this process knows, so that jobs must be done in it."""
    add_tiny_backbone(monkeypatch)
    threads = torch.get_num_threads(), cv2.getNumThreads()
    yield
    torch.set_num_threads(threads[0])
    cv2.setNumThreads(threads[1])


@pytest.fixture
def here(monkeypatch):
    """Jobs are done in this process, one after the other; gives what was done."""
    done = []

    def run_here(task, jobs, workers, stopped, on_progress, on_end):
        for job in jobs:
            if stopped():
                return
            done.append(job.variant)
            try:
                task(job, lambda progress, job=job: on_progress(job, progress), stopped)
            except Stopped:
                return
            except UNUSABLE as error:
                on_end(job, Failure(str(error)))
            else:
                on_end(job, None)

    monkeypatch.setattr(ablate, "run_jobs", run_here)
    return done


@pytest.fixture
def start(tmp_path):
    """Start the program; entries of table and stage may be changed or taken away (None)."""
    data = write_data(tmp_path / "data")

    def run(*options, out="runs", table=None, stage=None, second=None, name="table"):
        path = write_table(tmp_path, table, stage, second, name)
        given = ["--table", path, "--data", data, "--out", tmp_path / out]
        return ablate.main([*map(str, given), *options])

    return run


def record_of(tmp_path, variant, out="runs"):
    return json.loads((tmp_path / out / f"gfddal/{variant}/seed1/scores.json").read_text())


def test_every_variant_is_trained_scored_and_reported(start, here, tmp_path, capsys):
    assert start() == 0
    assert here == ["full", "no_matching"]
    said = capsys.readouterr()
    assert "all of it" in said.out and "51.5" in said.out
    assert "gfddal no_matching seed 1: J " in said.err
    for name in here:
        folder = tmp_path / f"runs/gfddal/{name}/seed1"
        network, card = load_network(folder / "weights.safetensors")
        assert network.config["matching"] is (name == "full")
        assert card.schedule[-1]["done"] == 3
        record = record_of(tmp_path, name)
        assert record["weights"] == card.sha256 and record["steps"] == 3
        assert record["parameters"] == sum(p.numel() for p in network.parameters())
        assert list(record["sequences"]) == ["square"]
        assert record["jf"] == pytest.approx((record["j"] + record["f"]) / 2)
        assert record["training_seconds"] > 0 and record["ms_per_frame"]["median"] > 0
        # The same clips: the first loss differs by the network alone, the budget not at all.
        assert [entry["step"] for entry in logged(folder)] == [1, 2, 3]
    report = json.loads((tmp_path / "runs/gfddal/table.json").read_text())
    assert [row["variant"] for row in report["variants"]] == here


def test_two_tables_of_one_network_share_variants_and_not_reports(start, here, tmp_path):
    assert start() == 0
    variants = {"full": {}, "no_appearance": {"network": {"appearance": False}}}
    here.clear()
    assert start(table={"variants": variants}, name="other") == 0
    assert here == ["no_appearance"]
    reports = {
        name: json.loads((tmp_path / f"runs/gfddal/{name}.json").read_text())
        for name in ("table", "other")
    }
    for name, wanted in (("table", ["full", "no_matching"]), ("other", list(variants))):
        rows = reports[name]["variants"]
        assert [row["variant"] for row in rows] == wanted and all("jf" in row for row in rows)
        assert {path.suffix for path in (tmp_path / "runs/gfddal").glob(f"{name}.*")} == {
            ".md",
            ".csv",
            ".json",
        }


def test_a_report_is_written_after_every_variant(start, here, tmp_path, monkeypatch):
    written = []
    write = ablate.report.write_report
    monkeypatch.setattr(
        ablate.report,
        "write_report",
        lambda folder, summary: (written.append(len(summary["runs"])), write(folder, summary)),
    )
    assert start() == 0
    assert written == [1, 2, 2]


def test_lines_tell_how_far_it_is_where_no_bar_is_drawn(start, here, monkeypatch, capsys):
    monkeypatch.setattr(ablate, "_LINE_SECONDS", -1)
    assert start("--variants", "full") == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "gfddal full seed 1, step 0 of 3"
    assert lines[3].startswith("gfddal full seed 1, step 3 of 3 loss ")
    assert lines[3].endswith("; 0 min left to train")
    assert [line.split(";")[0] for line in lines[4:8]] == [
        f"gfddal full seed 1, frame {n} of 4" for n in (1, 2, 3, 4)
    ]


def test_what_is_finished_is_not_done_again(start, here, tmp_path, capsys):
    assert start("--variants", "full") == 0
    before = (tmp_path / "runs/gfddal/full/seed1/scores.json").read_bytes()
    here.clear()
    assert start() == 0
    assert here == ["no_matching"]
    assert "finished before: gfddal full seed 1" in capsys.readouterr().err
    assert (tmp_path / "runs/gfddal/full/seed1/scores.json").read_bytes() == before
    here.clear()
    assert start() == 0 and here == []


@pytest.mark.parametrize("stop_after", ["first step", "first scored frame"])
def test_a_run_that_was_stopped_goes_on_exactly(start, here, tmp_path, monkeypatch, stop_after):
    assert start("--variants", "full", out="whole") == 0
    what = {"first step": ("step", 1), "first scored frame": ("frame", 1)}[stop_after]
    show = ablate._Display.progress

    def interrupted(self, job, progress):
        show(self, job, progress)
        if (progress.what, progress.done) == what:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(ablate._Display, "progress", interrupted)
    assert start() == 128 + signal.SIGTERM
    monkeypatch.setattr(ablate._Display, "progress", show)
    assert here == ["full", "full"]
    assert not (tmp_path / "runs/gfddal/full/seed1/scores.json").exists()
    assert start("--variants", "full") == 0
    one, two = (
        tensors(tmp_path / out / "gfddal/full/seed1/checkpoint.safetensors")
        for out in ("whole", "runs")
    )
    assert one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)
    one, two = (record_of(tmp_path, "full", out) for out in ("whole", "runs"))
    assert [one[key] for key in ("j", "f", "steps")] == [two[key] for key in ("j", "f", "steps")]


def test_another_stage_is_refused_until_it_is_begun_anew(start, here, tmp_path, capsys):
    assert start() == 0
    here.clear()
    for options, stage in ((("--steps", "2"), None), ((), {"steps": 2})):
        assert start(*options, stage=stage) == 2
        said = capsys.readouterr().err.splitlines()[-1]
        assert said.startswith("ablate: ") and "differs from the table in steps" in said
        assert start("--report-only", *options, stage=stage) == 2
    assert here == [] and record_of(tmp_path, "full")["steps"] == 3
    assert start("--fresh", "--variants", "full", stage={"steps": 2}) == 0
    assert here == ["full"] and record_of(tmp_path, "full")["steps"] == 2
    assert record_of(tmp_path, "no_matching")["steps"] == 3  # not chosen, so left alone


def test_another_scoring_scores_again_and_trains_nothing(start, here, tmp_path, monkeypatch):
    assert start("--variants", "full") == 0
    before = record_of(tmp_path, "full")
    monkeypatch.setattr(variant, "StageRun", None)
    assert start("--variants", "full", table={"size": 64}) == 0
    after = record_of(tmp_path, "full")
    assert after["scoring"]["size"] == 64 and before["scoring"]["size"] == 32
    assert after["weights"] == before["weights"]


def test_a_report_alone_trains_and_scores_nothing(start, here, tmp_path, capsys):
    assert start("--variants", "full") == 0
    (tmp_path / "runs/gfddal/table.md").unlink()
    here.clear()
    capsys.readouterr()
    path = write_table(tmp_path)
    assert (
        ablate.main(["--table", str(path), "--out", str(tmp_path / "runs"), "--report-only"]) == 0
    )
    assert here == []
    assert f"{record_of(tmp_path, 'full')['jf']:.1f}" in capsys.readouterr().out
    assert (tmp_path / "runs/gfddal/table.md").exists()


def test_a_variant_that_cannot_be_trained_is_told_and_the_others_are_done(
    start, here, monkeypatch, capsys
):
    whole = variant.StageRun

    def refusing(stage, *args):
        if stage.network.get("matching", True):
            raise StageError("the clips are gone")
        return whole(stage, *args)

    monkeypatch.setattr(variant, "StageRun", refusing)
    assert start() == 1
    said = capsys.readouterr().err
    assert "gfddal full seed 1 failed: the clips are gone" in said
    assert "not finished: gfddal full seed 1" in said
    assert here == ["full", "no_matching"]


@pytest.mark.parametrize(
    "network", [{"update_rate": 7}, {"colour": 1}, {"fused_channels": -8}], ids=str
)
def test_every_network_is_built_before_any_is_trained(start, here, tmp_path, network, capsys):
    variants = {"full": {}, "other": {"network": network}}
    assert start("--variants", "full") == 0
    here.clear()
    assert start("--fresh", table={"variants": variants}) == 2
    said = capsys.readouterr().err
    assert "ablate: the network of gfddal other seed 1 cannot be built: " in said
    assert here == [] and record_of(tmp_path, "full")["steps"] == 3  # nothing is forgotten for it


def test_imagenet_weights_are_looked_for_before_any_training(start, here, tmp_path, capsys):
    imagenet = {"imagenet": True}
    assert start(stage=imagenet) == 2
    said = capsys.readouterr().err
    assert said.startswith("ablate: no Python package holds ImageNet weights for tiny")
    assert here == [] and not (tmp_path / "runs").exists()
    torch.manual_seed(5)
    backbone = TinyBackbone()
    torch.save(backbone.state_dict(), tmp_path / "tiny.pth")
    given = ("--imagenet", str(tmp_path / "tiny.pth"), "--variants", "full")
    assert start(*given, stage=imagenet) == 0
    network, _ = load_network(tmp_path / "runs/gfddal/full/seed1/weights.safetensors")
    weights = network.backbone.state_dict()  # never tuned, and kept in half precision
    for name, value in backbone.state_dict().items():
        torch.testing.assert_close(weights[name], value, rtol=2**-10, atol=2**-14)
    here.clear()
    assert start(*given, stage=imagenet) == 0 and here == []
    torch.save(TinyBackbone().state_dict(), tmp_path / "tiny.pth")
    assert start(*given, stage=imagenet) == 2
    assert "differs from the table in imagenet_sha256" in capsys.readouterr().err
    assert start("--imagenet", "gone.pth") == 2
    assert "gone.pth" in capsys.readouterr().err


def test_each_stage_starts_from_the_weights_of_the_one_before(start, here, tmp_path, monkeypatch):
    second = {"steps": 2, "imagenet": False, "lengths": [[0.0, 2]]}
    started = []
    whole = variant.StageRun

    def noted(stage, name, options, world):
        started.append((name, options.out, options.init, stage.steps))
        return whole(stage, name, options, world)

    monkeypatch.setattr(variant, "StageRun", noted)
    assert start("--variants", "full", second=second) == 0
    out = tmp_path / "runs/gfddal/full/seed1"
    assert started == [
        ("ablation of gfddal: full, stage 1", out / "stage1", None, 3),
        ("ablation of gfddal: full, stage 2", out, out / "stage1/weights.safetensors", 2),
    ]
    _, card = load_network(out / "weights.safetensors")
    assert [entry["done"] for entry in card.schedule] == [3, 2]
    record = record_of(tmp_path, "full")
    assert record["steps"] == 5
    seconds = [
        STAGE["batch"] / entry["clips_per_second"]
        for folder in (out / "stage1", out)
        for entry in logged(folder)
    ]
    assert len(seconds) == 5 and record["training_seconds"] == pytest.approx(sum(seconds))
    # Only what is not done is done again.
    (out / "scores.json").unlink()
    started.clear()
    assert start("--variants", "full", second=second) == 0 and started == []
    (out / "weights.safetensors").unlink()
    (out / "checkpoint.safetensors").unlink()
    (out / "scores.json").unlink()
    assert start("--variants", "full", second=second) == 0
    assert [folder for _, folder, *_ in started] == [out]


@pytest.mark.parametrize("stop_after", [2, 4])
def test_a_run_of_two_stages_goes_on_exactly(start, here, tmp_path, monkeypatch, stop_after):
    second = {"steps": 2, "imagenet": False}
    assert start("--variants", "full", out="whole", second=second) == 0
    show, told = ablate._Display.progress, []

    def interrupted(self, job, progress):
        show(self, job, progress)
        told.append((progress.what, progress.done, progress.total))
        if told[-1] == ("step", stop_after, 5):
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(ablate._Display, "progress", interrupted)
    assert start("--variants", "full", second=second) == 128 + signal.SIGTERM
    monkeypatch.setattr(ablate._Display, "progress", show)
    steps = [done for _, done, _ in told]
    assert steps == sorted(steps) and {total for *_, total in told} == {5}
    assert start("--variants", "full", second=second) == 0
    one, two = (
        tensors(tmp_path / out / "gfddal/full/seed1/checkpoint.safetensors")
        for out in ("whole", "runs")
    )
    assert one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def test_old_logs_without_rates_are_scored_again(start, here, tmp_path):
    assert start() == 0
    out = tmp_path / "runs/gfddal/full/seed1"
    entries = logged(out)
    for entry in entries:
        del entry["clips_per_second"]
    (out / "log.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    assert start(table={"size": 64}) == 0
    assert record_of(tmp_path, "full")["training_seconds"] is None
    assert record_of(tmp_path, "no_matching")["training_seconds"] > 0
    first, second = (tmp_path / "runs/gfddal/table.md").read_text().splitlines()[6:8]
    assert first.endswith(" - |") and second.endswith(" 0 |")


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"seeds": [-1]}, "seeds must be"),
        ({"held_out": [{"layout": "folder", "root": "gone"}]}, "gone"),
        ({"held_out": [{"layout": "film", "root": "davis"}]}, "there is no layout film"),
        (
            {
                "held_out": [
                    {"layout": "davis2016", "root": "davis", "split": "train", "protocol": "golf"}
                ]
            },
            "no protocol is called golf; known are davis2016",
        ),
        (
            {"held_out": [{"layout": "davis2016", "root": "davis", "split": "train"}] * 2},
            "two videos named square",
        ),
    ],
    ids=str,
)
def test_what_is_unusable_is_told_before_any_training(
    start, here, tmp_path, table, sentence, capsys
):
    assert start(table=table) == 2
    said = capsys.readouterr().err
    assert said.startswith("ablate: ") and sentence in said and "Traceback" not in said
    assert here == [] and not (tmp_path / "runs").exists()


def test_bad_options_are_told(start, here, capsys, tmp_path):
    assert start("--variants", "gone") == 2
    assert "no variant is called gone" in capsys.readouterr().err
    for options in (["--workers", "0"], ["--steps", "0"], ["--clip-workers", "-1"]):
        with pytest.raises(SystemExit):
            start(*options)
    with pytest.raises(SystemExit):
        ablate.main(["--table", "x", "--out", str(tmp_path)])
    assert "--data is needed" in capsys.readouterr().err


def test_a_video_with_several_objects_is_scored_by_its_own_protocol(start, here, tmp_path):
    held_out = {"layout": "davis2016", "root": "davis", "split": "train", "protocol": "folder"}
    assert start("--variants", "full", table={"held_out": [held_out]}) == 0
    # That protocol scores the last frame, too: three of the four.
    assert record_of(tmp_path, "full")["frames_scored"] == 3


def test_processes_of_their_own_do_the_same(start, tmp_path):
    """With a network that they know without this test's help."""
    network = {
        "backbone": "efficientnet_lite0",
        "direction_channels": 8,
        "guided_channels": 8,
        "fused_channels": 8,
        "decoder_channels": [8, 8, 8, 8],
    }
    stage = STAGE | {"network": network, "steps": 1}
    assert start("--workers", "2", stage=stage) == 0
    records = [record_of(tmp_path, name) for name in ("full", "no_matching")]
    assert [r["beside"] for r in records] == [2, 2]
    assert records[0]["parameters"] > records[1]["parameters"]
    weights = tmp_path / "runs/gfddal/full/seed1/weights.safetensors"
    assert SegmenterSettings(weights, size=32)() is not None
