# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`explain`: figures whose colours are their numbers, the files it writes, and what it refuses."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from explaining import HEIGHT, IDS, NETWORKS, WIDTH, clip, first_mask
from tiny import add_tiny_backbone

from vos_ros.apps.explain import main
from vos_ros.explain.errors import ExplainError
from vos_ros.explain.figure import Row, limits, write_figure
from vos_ros.explain.layout import wrapped
from vos_ros.explain.panels import Cell, Column, Part, Scale
from vos_ros.weights import SHIPPED_WEIGHTS, ModelCard, save_network

ROOT = Path(__file__).parents[1]
SHARE = Scale("share", 0.0, 1.0)
PARTS = {
    "gfddal": ["modulation", "matching", "appearance", "memory", "output"],
    "dgmpm": ["distance", "attention", "output"],
}


def rows_of(*cells: tuple[Cell, ...]) -> list[Row]:
    """Rows of frames 1, 2, ..., without an outline."""
    nothing = np.zeros((32, 32), np.float32)
    return [Row(n, (64, 64), (64, 64), nothing, given) for n, given in enumerate(cells, 1)]


def part_of(*columns: Column) -> Part:
    return Part("part", "section 9: a part", "What it says.", columns, lambda scene: ())


def colours(path: Path) -> set[tuple[int, ...]]:
    """Those that cover more than 1 % of a picture, as RGB."""
    picture = cv2.imread(str(path))[..., ::-1].reshape(-1, 3)
    values, counts = np.unique(picture, axis=0, return_counts=True)
    return {tuple(map(int, value)) for value in values[counts > 0.01 * len(picture)]}


# --- figures --------------------------------------------------------------------------------------


def test_numbers_are_drawn_in_the_colours_of_their_scale(tmp_path: Path) -> None:
    """The ends of viridis, and the middle of a signed scale, which is next to white."""
    part = part_of(Column("a", "eq. 1", SHARE), Column("b", "eq. 2", Scale("sign", signed=True)))
    maps = [np.full((2, 2), value, np.float32) for value in (0, 1)]
    signed = [np.zeros((2, 2), np.float32), np.array([[0, 0], [0, -2]], np.float32)]
    rows = rows_of(*((Cell(a), Cell(b)) for a, b in zip(maps, signed, strict=True)))
    write_figure(tmp_path / "x" / "it.png", part, rows, "some", "about it")
    found = colours(tmp_path / "x" / "it.png")
    assert {(68, 1, 84), (253, 231, 36), (24, 24, 24)} <= found
    assert any(min(colour) > 235 for colour in found), found


def test_limits_hold_for_all_that_shares_a_scale() -> None:
    one, other = Scale("open"), Scale("signed", signed=True)
    part = part_of(Column("a", "", one), Column("b", "", one), Column("c", "", other))
    cells = [tuple(Cell(np.array([[value]])) for value in row) for row in ((3, 5, 1), (4, 9, -2))]
    rows = rows_of(*cells)
    assert limits(one, part, rows) == (3, 9)
    assert limits(other, part, rows) == (-2, 2)
    flat = part_of(Column("c", "", Scale("flat")))
    low, high = limits(Scale("flat"), flat, rows_of((Cell(np.ones((2, 2))),)))
    assert low == 1 < high


@pytest.mark.parametrize("kind", ["png", "jpg", "pdf", "svg"])
def test_a_figure_says_what_it_shows(tmp_path: Path, kind: str) -> None:
    picture = np.full((9, 16, 3), 200, np.uint8)
    columns = (Column("a picture", "section 9.1"), Column("a map", "equation 99", SHARE))
    cells = (
        Cell(picture=picture, frame=(0.1, 0.2, 0.5, 0.5), mark=(9, 9)),
        Cell(np.eye(2), picture, "frame 77", outline=np.eye(32)),
    )
    path = tmp_path / f"it.{kind}"
    write_figure(path, part_of(*columns), rows_of(cells), "gfddal", "what it was made of")
    begin = {"png": b"\x89PNG", "jpg": b"\xff\xd8", "pdf": b"%PDF", "svg": b"<?xml"}[kind]
    assert path.read_bytes().startswith(begin)
    if kind == "svg":  # letters are outlines there, and their text a comment beside each
        text = path.read_text()
        for words in ("GFDDAL, section 9: a part", "a picture", "section 9.1", "a map",
                      "equation 99", "share", "frame 1", "frame 77", "What it says.",
                      "what it was made of"):  # fmt: skip
            assert f"<!-- {words} -->" in text, words


def test_long_words_stay_within_the_figure() -> None:
    words = "a clip of a name that is long " * 12
    lines = wrapped(words)
    assert " ".join(lines) == words.strip()
    assert len(lines) == 4 and max(map(len, lines)) < 125
    assert max(map(len, lines)) - min(map(len, lines)) < 30
    assert wrapped("") == []


def test_what_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part, rows = part_of(Column("a", "", SHARE)), rows_of((Cell(np.ones((2, 2))),))
    (tmp_path / "file").touch()
    with pytest.raises(ExplainError, match="cannot be written"):
        write_figure(tmp_path / "file" / "it.png", part, rows, "some", "")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ExplainError, match="pip install matplotlib"):
        write_figure(tmp_path / "it.png", part, rows, "some", "")


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def on_disk(tmp_path: Path, one_thread: None) -> list[str]:
    """The options that name a small clip of six frames and its mask."""
    (tmp_path / "frames").mkdir()
    for number, image in clip():
        cv2.imwrite(str(tmp_path / "frames" / f"{number}.png"), image[..., ::-1])
    cv2.imwrite(str(tmp_path / "first.png"), first_mask())
    return ["--video", str(tmp_path / "frames"), "--mask", str(tmp_path / "first.png"),
            "--out", str(tmp_path / "out")]  # fmt: skip


def test_both_shipped_networks_are_drawn(on_disk: list[str], tmp_path: Path, capsys) -> None:
    assert main([*on_disk, "--frames", "2", "--size", str(HEIGHT)]) == 0
    expected = [f"{model}_{name}.png" for model in SHIPPED_WEIGHTS for name in PARTS[model]]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(expected)
    told = capsys.readouterr().out.splitlines()
    assert told == [f"wrote {tmp_path / 'out' / name}" for name in expected]
    for path in (tmp_path / "out").iterdir():
        assert cv2.imread(str(path)).shape[1] > 1200


@pytest.mark.parametrize("kind", NETWORKS)
def test_weights_of_ones_own(
    kind: str, on_disk: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_tiny_backbone(monkeypatch)
    network = NETWORKS[kind]()
    save_network(tmp_path / "mine.safetensors", network, ModelCard(kind, network.config))
    options = ["--weights", str(tmp_path / "mine.safetensors"), "--object", str(IDS[1])]
    assert main([*on_disk, *options, "--format", "svg"]) == 0
    names = [path.name for path in (tmp_path / "out").iterdir()]
    assert sorted(names) == sorted(f"{kind}_{name}.svg" for name in PARTS[kind])
    text = (tmp_path / "out" / f"{kind}_output.svg").read_text()
    for words in ("frame 1", "frame 3", "frame 5"):  # three, to the end
        assert f"<!-- {words} -->" in text
    assert f"<!-- mine, object {IDS[1]} of 'frames', mask given at frame 0, short side " in text


@pytest.mark.parametrize(
    ("options", "status", "sentence"),
    [
        (["--object", "3"], 2, "holds no object 3, but 2, 7"),
        (["--frames", "0", "3"], 2, "frame 0 is not after frame 0, which the mask belongs to"),
        (["--frames", "3", "--start", "4"], 2, "frame 3 is not after frame 4"),
        (["--frames", "6"], 2, "has 6 frames, counted from 0: there is no frame 6"),
        (["--start", "5"], 2, "after frame 5: name some with --frames"),
        (["--weights", "nowhere"], 2, "no weight file 'nowhere'"),
        (["--size", "16"], 2, "at least 32"),
        (["--region-margin", "1"], 2, "margin must be at least 1.25"),
        (["--mask", "nowhere.png"], 2, "nowhere.png"),
        (["--video", "nowhere.mp4"], 2, "no video file or folder of frames at 'nowhere.mp4'"),
    ],
)
def test_what_is_of_no_use_is_told_in_a_sentence(
    options: list[str], status: int, sentence: str, on_disk: list[str], tmp_path: Path, capsys
) -> None:
    assert main([*on_disk, *options]) == status
    said = capsys.readouterr().err
    assert said.startswith("explain: ") and sentence in said and said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_frames_of_several_sizes_are_refused(on_disk: list[str], tmp_path: Path, capsys) -> None:
    odd = np.zeros((2 * HEIGHT, WIDTH, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "frames" / "6.png"), odd)
    assert main([*on_disk, "--model", "dgmpm", "--frames", "3"]) == 1
    assert "frame 1 is of another size than frame 0" in capsys.readouterr().err


def test_a_network_is_named_once(on_disk: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*on_disk, "--model", "gfddal", "--weights", "dgmpm_lite0"])
    assert ended.value.code == 2 and "not allowed with" in capsys.readouterr().err


# --- the documents --------------------------------------------------------------------------------


@pytest.mark.parametrize("model", SHIPPED_WEIGHTS)
def test_the_document_of_a_network_shows_every_part(model: str) -> None:
    text = (ROOT / f"docs/explained_{model}.md").read_text(encoding="utf-8")
    for name in PARTS[model]:
        picture = ROOT / f"docs/figures/explain/{model}_{name}.jpg"
        assert f"](figures/explain/{picture.name})" in text
        assert 20_000 < picture.stat().st_size < 250_000
