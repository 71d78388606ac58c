# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `card` writes into a weight file and prints, and that each shipped file has its card."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from vos_ros.apps.card import main, markdown
from vos_ros.models import build_network
from vos_ros.weights import ModelCard, read_card, save_network, weight_folders

CONFIG = {
    "backbone": "efficientnet_lite0",
    "direction_channels": 8,
    "guided_channels": 8,
    "fused_channels": 16,
    "decoder_channels": [8, 8, 8],
}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.safetensors"
    save_network(path, build_network("gfddal", CONFIG), ModelCard("gfddal", CONFIG, commit="abc"))
    return path


def written(folder: Path, weights: Path, /, **other: object) -> Path:
    """A report of `evaluate` made with a weight file."""
    row = {"j": 70.04, "f": 80.06, "jf": 75.05}
    about = {"name": weights.name, "model": "gfddal", "sha256": read_card(weights).sha256}
    path = folder / "report.json"
    path.write_text(
        json.dumps(
            {"dataset": "davis2016", "split": "dev", "size": 288, "precision": "fp32", **row}
            | {"weights": about, "sequences": {"dog": {**row, "frames": 60}}}
            | other
        )
    )
    return path


@pytest.fixture
def report(tmp_path: Path, weights: Path) -> Path:
    return written(tmp_path, weights)


def test_it_adds_what_is_given_and_leaves_the_tensors(
    weights: Path, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = load_file(weights)
    given = ["--data", "cats (public domain)", "--licence", "CC0", "--results", str(report)]
    assert main([str(weights), *given]) == 0
    printed = capsys.readouterr().out
    card = read_card(weights)
    assert card.data == ["cats (public domain)"] and card.licence == "CC0"
    assert card.commit == "abc"
    assert card.results["davis2016 dev, 288, fp32"]["sequences"]["dog"]["f"] == 80.1
    assert "| dog | 70.0 | 80.1 | 75.0 |" in printed
    after = load_file(weights)
    assert before.keys() == after.keys()
    assert all((before[name] == after[name]).all() for name in before)


def test_another_kind_of_measurement_has_another_name(weights: Path, tmp_path: Path) -> None:
    assert main([str(weights), "--results", str(written(tmp_path, weights, twin=True))]) == 0
    assert list(read_card(weights).results) == ["davis2016 dev, 288, fp32, beside its mirror image"]


def test_looking_closer_is_a_measurement_of_its_own(weights: Path, tmp_path: Path) -> None:
    for region in ({"margin": 1.8, "smallest": 0.2}, None):
        report = written(tmp_path, weights, region=region)
        assert main([str(weights), "--results", str(report)]) == 0
    assert list(read_card(weights).results) == [
        "davis2016 dev, 288, fp32, region of margin 1.8, at least 0.2 of the image",
        "davis2016 dev, 288, fp32",
    ]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"weights": None}, "scores masks from files"),
        (
            {"weights": {"name": "a.safetensors", "model": "dgmpm", "sha256": "0"}},
            "made with other weights, a.safetensors of dgmpm",
        ),
        ({"j": None, "f": None, "jf": None}, "holds no scores"),
    ],
)
def test_figures_of_something_else_are_refused(
    weights: Path, tmp_path: Path, other: dict, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = weights.read_bytes()
    assert main([str(weights), "--results", str(written(tmp_path, weights, **other))]) == 2
    assert words in capsys.readouterr().err
    assert weights.read_bytes() == before


def test_a_report_that_is_not_there_is_named(
    weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(weights), "--results", "absent.json"]) == 2
    assert capsys.readouterr().err == (
        "card: the report absent.json cannot be read: No such file or directory\n"
    )


def test_printing_alone_changes_no_byte(weights: Path) -> None:
    before = weights.read_bytes()
    assert main([str(weights)]) == 0
    assert weights.read_bytes() == before


@pytest.mark.parametrize("text", ["", "[]", '{"dataset": "davis2016"}', "{"])
def test_what_is_no_report_is_refused_with_its_name(
    weights: Path, tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    before = weights.read_bytes()
    assert main([str(weights), "--results", str(path)]) == 2
    assert str(path) in capsys.readouterr().err
    assert weights.read_bytes() == before


def test_every_shipped_file_has_its_card_beside_it() -> None:
    files = sorted(weight_folders()[0].glob("*.safetensors"))
    assert files
    for file in files:
        card = read_card(file)
        assert card.licence and card.data and card.schedule and card.results
        assert file.with_suffix(".md").read_text() == markdown(file.stem, card)
