# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What counts as finished, what is refused as another training, and what changes neither."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from ablation_cases import TABLE, write_table

from vos_ros.ablation.reading import read_table
from vos_ros.ablation.record import (
    SCORES_FILE,
    begin,
    check_job,
    clear,
    digest,
    finished,
    jobs_of,
    records_of,
    write_json,
)
from vos_ros.ablation.table import HeldOut, TableError


@pytest.fixture
def jobs(tmp_path):
    """The jobs of the table, with other entries where some are given."""

    def make(stage=None, second=None, imagenet=None, **entries):
        table = read_table(write_table(tmp_path, entries, stage, second), imagenet=imagenet)
        return jobs_of([table], tmp_path / "runs")

    return make


def finish(job):
    begin(job)
    as_now = {"trained_as": digest(job.training()), "scored_as": digest(job.scoring())}
    write_json(job.out / SCORES_FILE, {**as_now, "sequences": {}})


def test_every_variant_comes_with_the_first_seed_before_any_with_the_next(jobs, tmp_path):
    order = [(job.variant, job.seed) for job in jobs(seeds=[4, 2])]
    assert order == [("full", 4), ("no_matching", 4), ("full", 2), ("no_matching", 2)]
    assert jobs(seeds=[4])[1].out == tmp_path / "runs/gfddal/no_matching/seed4"
    assert [job.stages[0].seed for job in jobs(seeds=[4, 2])] == [4, 4, 2, 2]


def test_variants_are_chosen_by_name(tmp_path):
    table = read_table(write_table(tmp_path))
    (job,) = jobs_of([table], tmp_path, ["no_matching"])
    assert job.variant == "no_matching" and job.stages[0].network["matching"] is False
    with pytest.raises(TableError, match="no variant is called gone: there are full, no_matching"):
        jobs_of([table], tmp_path, ["gone"])


def test_a_job_is_finished_only_as_the_table_says(jobs):
    one, two = jobs()
    finish(one)
    assert finished(one) is not None and finished(two) is None
    assert finished(jobs(size=64)[0]) is None  # scored otherwise
    assert finished(jobs(stage={"steps": 5})[0]) is None  # trained otherwise
    (one.out / SCORES_FILE).write_text("{")
    assert finished(one) is None


def test_titles_and_published_scores_change_no_training_and_no_score(jobs):
    before = jobs()
    variants = {
        name: {**v, "title": "new", "published": {}} for name, v in TABLE["variants"].items()
    }
    after = jobs(variants=variants, published_on="elsewhere")
    for one, two in zip(before, after, strict=True):
        assert (one.training(), one.scoring()) == (two.training(), two.scoring())


@pytest.mark.parametrize(
    "held_out",
    [
        HeldOut("davis2016", "davis", "dev"),
        HeldOut("davis2016", "davis", "train", ("square",)),
        HeldOut("davis2016", "other", "train"),
        HeldOut("davis2016", "davis", "train", protocol="folder"),
        HeldOut("davis2016", "davis", "train", twin=True),
    ],
    ids=str,
)
def test_other_videos_are_another_scoring(jobs, held_out):
    job = jobs()[0]
    other = dataclasses.replace(job, held_out=(held_out,))
    assert digest(job.scoring()) != digest(other.scoring())
    assert digest(job.training()) == digest(other.training())


def test_what_is_at_its_default_is_not_part_of_the_training(jobs):
    # So that an entry which stages get later leaves finished trainings finished.
    training = jobs()[0].training()
    assert "clip_norm" not in training and training["steps"] == 3
    assert training == jobs(stage={"clip_norm": 1.0})[0].training()
    assert training != jobs(stage={"clip_norm": 2.0})[0].training()


def test_a_folder_that_holds_another_training_is_refused_and_says_why(jobs):
    job = jobs()[0]
    check_job(job)  # nothing there
    begin(job)
    check_job(job)  # the same
    with pytest.raises(TableError) as refused:
        check_job(jobs(stage={"steps": 5, "ema": 0.5})[0])
    sentence = str(refused.value)
    assert str(job.out) in sentence and "differs from the table in ema, steps" in sentence
    assert "--fresh" in sentence
    clear(job)
    check_job(jobs(stage={"steps": 5})[0])


def test_a_record_comes_with_the_last_fifth_of_the_losses(jobs, tmp_path):
    job = jobs()[0]
    finish(job)
    table = read_table(tmp_path / "table.yaml")
    assert [r["last_losses"] for r in records_of(table, tmp_path / "runs")] == [[]]
    lines = [json.dumps({"step": n, "loss": float(n)}) for n in range(1, 11)]
    (job.out / "log.jsonl").write_text("\n".join(lines) + "\n")
    (record,) = records_of(table, tmp_path / "runs")
    assert record["last_losses"] == [9, 10]
    (job.out / "log.jsonl").write_text("\n".join(lines[:3]) + "\n")
    assert records_of(table, tmp_path / "runs")[0]["last_losses"] == [3]


def test_losses_that_are_absent_or_cannot_be_read_stand_as_none(jobs, tmp_path):
    job = jobs()[0]
    finish(job)
    lines = [json.dumps({"step": n, "loss": float(n)}) for n in range(1, 21)]
    lines[16] = '{"step": 17, "loss": null}'
    lines[17] = '{"step": 18, "loss": NaN}'
    lines[18] = "\0\0\0"
    (job.out / "log.jsonl").write_text("\n".join([*lines, '{"step": 2', "[5]"]))
    (record,) = records_of(read_table(tmp_path / "table.yaml"), tmp_path / "runs")
    assert record["last_losses"] == [None, None, None, 20]


def test_a_variant_of_two_tables_is_one_job(tmp_path):
    network = {"network": {"modulation": False}}
    one = read_table(write_table(tmp_path))
    paths = {
        "two": {"variants": {"full": {"title": "whole"}, "no_modulation": network}},
        "three": {"variants": {"full": network}},
        "four": {"size": 64},
    }
    two, three, four = (
        read_table(write_table(tmp_path, entries, name=name)) for name, entries in paths.items()
    )
    assert [job.variant for job in jobs_of([one, two], tmp_path)] == [
        "full",
        "no_matching",
        "no_modulation",
    ]
    for other in (three, four):
        with pytest.raises(TableError, match="a variant full that they train or score differently"):
            jobs_of([one, other], tmp_path)
    assert len(jobs_of([one, three], tmp_path, ["no_matching"])) == 1


def test_all_stages_and_the_imagenet_weights_are_part_of_the_training(jobs, tmp_path):
    one, two = jobs()[0], jobs(second={"steps": 2})[0]
    assert (one.steps, two.steps) == (3, 5)
    assert one.folders == (one.out,) and two.folders == (two.out / "stage1", two.out)
    assert two.training() == one.training() | {"steps": 2, "earlier_stages": [one.training()]}
    begin(two)
    check_job(two)
    for other in (one, jobs(stage={"batch": 1}, second={"batch": 2, "steps": 2})[0]):
        with pytest.raises(TableError, match="differs from the table in earlier_stages"):
            check_job(other)
    weights = tmp_path / "resnet.pth"
    weights.write_bytes(b"weights")
    with pytest.raises(TableError, match="differs from the table in imagenet_sha256: "):
        check_job(jobs(second={"steps": 2}, imagenet=weights)[0])


def test_weights_of_an_earlier_stage_alone_are_refused_too(jobs):
    job = jobs(second={"steps": 2})[0]
    job.folders[0].mkdir(parents=True)
    (job.folders[0] / "checkpoint.safetensors").write_bytes(b"weights")
    with pytest.raises(TableError, match="holds a training that differs"):
        check_job(job)


@pytest.mark.parametrize("content", [None, "{", '{"training": 5}', "[]"])
def test_weights_of_unknown_origin_are_refused(jobs, content):
    job = jobs()[0]
    job.out.mkdir(parents=True)
    (job.out / "checkpoint.safetensors").write_bytes(b"weights")
    if content is not None:
        (job.out / "run.json").write_text(content)
    with pytest.raises(TableError, match="holds a training that differs"):
        check_job(job)


def test_what_is_kept_reads_as_plain_values(jobs):
    job = jobs()[0]
    begin(job)
    kept = json.loads((job.out / "run.json").read_text())
    assert kept == {"trained_as": digest(job.training()), "training": job.training()}
    assert [path.name for path in Path(job.out).iterdir()] == ["run.json"]  # no partial file
