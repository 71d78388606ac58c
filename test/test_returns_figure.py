# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The figure of returns: what is drawn, counted by hand, and what is refused."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from vos_ros.apps.returns import main
from vos_ros.evaluation.returns_figure import write_figure

figures = pytest.importorskip("matplotlib.figure")


def clip(gap, frames, held=0.0, wrong=0, told=0, way="covered", look_alike=False):
    return {
        "clip": {"way": way, "look_alike": look_alike, "gap": gap, "seed": 0},
        "frames": frames,
        "held_wrong": held,
        "wrong": wrong,
        "wrong_doubted": told,
    }


def lines(figure) -> dict[str, dict[str, tuple[str, list[float]]]]:
    """By panel and label (or style): the values drawn, gap by gap."""
    return {
        panel.get_title(): {
            f"{line.get_linestyle()} {number % 3}": list(line.get_ydata())
            for number, line in enumerate(panel.get_lines())
        }
        for panel in figure.axes
        if panel.get_title()
    }


def test_means_are_drawn_gap_by_gap_and_before_is_dashed(tmp_path, monkeypatch):
    drawn = []
    save = figures.Figure.savefig
    monkeypatch.setattr(
        figures.Figure,
        "savefig",
        lambda own, *a, **k: (drawn.append(own), save(own, *a, **k)),
    )
    now = [
        clip(1, 0), clip(1, None, held=0.5), clip(10, 4, wrong=8, told=2), clip(10, 2),
        clip(1, None, 1.0, way="exit", look_alike=True),
    ]  # fmt: skip
    path = tmp_path / "deeper" / "returns.png"
    write_figure(path, "a network", now, [clip(1, 3), clip(10, None)])
    assert cv2.imread(str(path)).std() > 0
    found = lines(drawn[0])
    assert set(found) == {"covered, alone", "exit, beside a look-alike"}
    alone = found["covered, alone"]
    assert alone["- 0"] == [50, 100] and alone["- 1"] == [25, 0]
    np.testing.assert_equal(alone["- 2"], [np.nan, 25])
    assert alone["-- 0"] == [100, 0]
    assert found["exit, beside a look-alike"]["- 0"] == [0]


def test_it_is_drawn_by_the_command_beside_an_earlier_report(tmp_path):
    few = ["--size", "64", "--gaps", "1", "--seeds", "1", "--pairs", "0"]
    report, figure = tmp_path / "returns.json", tmp_path / "returns.png"
    assert main([*few, "--json", str(report)]) == 0
    assert main([*few, "--figure", str(figure), "--against", str(report)]) == 0
    assert cv2.imread(str(figure)).std() > 0


@pytest.mark.parametrize("text", ["", "[]", json.dumps({"pairs": []}), json.dumps({"clips": 1})])
def test_what_is_no_report_is_refused_by_name(tmp_path, capsys, text):
    file = tmp_path / "odd.json"
    file.write_text(text)
    assert main(["--against", str(file)]) == 1
    assert f"{file} is no report of `returns --json`" in capsys.readouterr().err


def test_a_figure_that_cannot_be_drawn_is_refused_at_once(tmp_path, capsys):
    assert main(["--figure", "returns.gif"]) == 1
    assert "a figure ends in .png, .jpg, .jpeg, .pdf, .svg" in capsys.readouterr().err
    assert main(["--against", str(tmp_path / "none.json")]) == 1
    assert "none.json" in capsys.readouterr().err
