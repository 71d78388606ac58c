# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Means, differences and their errors against plain arithmetic, and what stands in the tables."""

from __future__ import annotations

import csv
import json
import math
import statistics

import pytest
from ablation_cases import made_up_record, write_table

from vos_ros.ablation import report
from vos_ros.ablation.reading import read_table
from vos_ros.ablation.summary import summarise

FULL = made_up_record("full", 1, cat=70.0, dog=50.0, eel=30.0)
LESS = made_up_record("no_matching", 1, [0.5, 1.25], cat=60.0, dog=52.0, eel=14.0)


@pytest.fixture
def table(tmp_path):
    return read_table(write_table(tmp_path))


def rows_of(summary):
    return {row["variant"]: row for row in summary["variants"]}


def test_the_difference_is_that_of_the_means_with_the_error_over_the_videos(table):
    rows = rows_of(summarise(table, [LESS, FULL]))
    assert rows["full"]["jf"] == 50 and "difference" not in rows["full"]
    row = rows["no_matching"]
    assert (row["j"], row["f"], row["jf"]) == pytest.approx((44, 40, 42))
    assert row["difference"] == pytest.approx(-8)
    apart = [-10.0, 2.0, -16.0]
    assert row["difference_by_video"] == pytest.approx(
        dict(zip(("cat", "dog", "eel"), apart, strict=True))
    )
    assert row["standard_error"] == pytest.approx(statistics.stdev(apart) / math.sqrt(3))
    assert row["published_difference"] == pytest.approx(-3.5)
    assert rows["full"]["training_loss"] == 0.5 and row["training_loss"] == 0.875
    # 0.25 and 0.5 more than the first, step by step
    assert row["loss_difference"] == pytest.approx((0.375, 0.125))
    assert row["training_minutes"] == 1.5 and row["ms_per_frame"] == 8


def test_seeds_are_averaged_and_paired_with_the_same_seed(table):
    records = [
        FULL,
        LESS,
        made_up_record("full", 2, cat=80.0, dog=60.0, eel=40.0),
        made_up_record("no_matching", 3, cat=0.0, dog=0.0, eel=0.0),
    ]
    rows = rows_of(summarise(table, records))
    assert rows["full"]["jf"] == 55 and rows["full"]["jf_range"] == [50, 60]
    assert rows["full"]["sequences"]["cat"]["jf"] == 75
    assert rows["full"]["training_loss"] == pytest.approx(0.75)
    assert rows["no_matching"]["seeds"] == [1, 3]
    assert rows["no_matching"]["difference"] == pytest.approx(-8)  # seed 1 alone has both


def test_variants_that_are_not_finished_are_left_blank(table):
    summary = summarise(table, [LESS])
    rows = rows_of(summary)
    assert "jf" not in rows["full"] and "difference" not in rows["no_matching"]
    assert rows["no_matching"]["published_difference"] == pytest.approx(-3.5)
    text = report.to_text(summary)
    assert "42.0" in text and "all of it" in text
    report.to_markdown(summarise(table, []))


def test_one_video_and_one_step_have_no_error(table):
    records = [
        made_up_record(name, 1, [0.5], cat=value)
        for name, value in (("full", 70.0), ("no_matching", 60.0))
    ]
    summary = summarise(table, records)
    assert rows_of(summary)["no_matching"]["standard_error"] is None
    assert "-10.0" in report.to_text(summary) and "±" not in report.to_text(summary)


def test_logs_of_other_lengths_are_not_compared(table):
    longer = made_up_record("full", 1, [0.5] * 3, cat=70.0, dog=50.0, eel=30.0)
    gone = made_up_record("full", 1, [], cat=70.0, dog=50.0, eel=30.0)
    for first in (longer, gone):
        summary = summarise(table, [first, LESS])
        assert rows_of(summary)["no_matching"]["loss_difference"] is None
        assert "-8.0 ± 5.3" in report.to_text(summary)


def test_the_markdown_says_what_the_figures_hold_for(table):
    lines = report.to_markdown(summarise(table, [FULL, LESS])).splitlines()
    conditions = lines[2]
    for part in (
        "3 steps of 2 clips at 32 x 64",
        "3 held-out videos",
        "32 pixels and fp32",
        "an abacus",
        "1 of 4 cores each, 2 at a time",
        "PyTorch 9.9",
        "DAVIS on another planet",
    ):
        assert part in conditions
    tables = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    assert tables[1][:4] == ["all of it", "52.0", "48.0", "50.0"]
    assert tables[2] == [
        "without GDM",
        "44.0",
        "40.0",
        "42.0",
        "-8.0 ± 5.3",
        "- / - / 51.5",
        "-3.5",
        "0.875",
        "+0.375 ± 0.125",
        "0.500 M",
        "8.0",
        "2",
    ]
    assert tables[3] == ["video", "all of it", "without GDM"]
    assert tables[4] == ["cat", "70.0", "60.0"] and tables[-1] == ["mean", "50.0", "42.0"]
    wide = {len(line.split("|")) for line in lines[4:8]}
    assert len(wide) == 1  # as many cells in every row as in the headings


def test_losses_and_times_that_are_absent_are_left_out(table):
    full = made_up_record("full", 1, [0.5, None, 0.5, 0.5], cat=70.0, dog=50.0)
    less = made_up_record("no_matching", 1, [0.75, 0.75, None, 1.0], cat=60.0, dog=50.0)
    summary = summarise(table, [{**full, "training_seconds": None}, less])
    rows = rows_of(summary)
    assert rows["full"]["training_loss"] == 0.5 and rows["no_matching"]["training_loss"] == 2.5 / 3
    assert rows["no_matching"]["loss_difference"][0] == pytest.approx(0.375)
    assert rows["full"]["training_minutes"] is None
    again = made_up_record("full", 2, cat=70.0, dog=50.0)
    rows = rows_of(summarise(table, [{**full, "training_seconds": None}, again]))
    assert rows["full"]["training_minutes"] == 1.5
    assert report.to_text(summary).splitlines()[2].endswith("-")


def test_a_table_without_published_scores_has_no_columns_for_them(tmp_path):
    variants = {"full": {}, "no_matching": {"network": {"matching": False}}}
    table = read_table(write_table(tmp_path, {"variants": variants, "published_on": None}))
    text = report.to_markdown(summarise(table, [FULL, LESS]))
    assert "ublished" not in text
    assert "| no_matching | 44.0 | 40.0 | 42.0 | -8.0 ± 5.3 | 0.875 | +0.375 ± 0.125 |" in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines[:4]}) == 1


def test_every_stage_is_told(tmp_path):
    path = write_table(tmp_path, second={"steps": 2, "batch": 1, "size": [64, 96]})
    conditions = report.to_markdown(summarise(read_table(path), [FULL])).splitlines()[2]
    assert "3 steps of 2 clips at 32 x 64, then 2 steps of 1 clips at 64 x 96, the" in conditions


def test_files_hold_every_video_and_every_run(table, tmp_path):
    report.write_report(tmp_path / "out", summarise(table, [FULL, LESS]))
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        "table.md",
        "table.json",
        "table.csv",
    }
    with (tmp_path / "out/table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(r["variant"], r["video"]) for r in rows[:4]] == [
        ("full", "cat"),
        ("full", "dog"),
        ("full", "eel"),
        ("full", "mean"),
    ]
    assert [float(rows[7][key]) for key in ("j", "f", "jf")] == [44, 40, 42]
    kept = json.loads((tmp_path / "out/table.json").read_text())
    assert kept["runs"] == [FULL, LESS] and kept["videos"] == ["cat", "dog", "eel"]
