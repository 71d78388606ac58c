# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The report of an evaluation and the checkpoint of an interrupted one."""

from __future__ import annotations

import numpy as np
import pytest

from vos_ros.evaluation.checkpoint import Checkpoint
from vos_ros.evaluation.report import build_report
from vos_ros.evaluation.results import ObjectResult, SequenceResult
from vos_ros.evaluation.tables import format_table


def result(name: str, j: list[float], f: list[float], *more: ObjectResult) -> SequenceResult:
    scored = tuple(range(1, len(j) + 1))
    objects = (ObjectResult(1, scored, tuple(j), tuple(f)), *more)
    return SequenceResult(name, len(j) + 2, 8, 6, objects, (1.0, 2.0, 9.0))


def test_overall_scores_are_means_over_videos_not_frames():
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
