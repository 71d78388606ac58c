# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command: tables, files, refusals. What it times is tiny, and no time is looked at."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny import CONFIG, add_tiny_backbone

from vos_ros.apps import benchmark
from vos_ros.apps.benchmark_options import build_parser
from vos_ros.benchmark.calls import ceiling
from vos_ros.benchmark.errors import BenchmarkError
from vos_ros.benchmark.models import Model
from vos_ros.benchmark.row import COLUMNS
from vos_ros.benchmark.session import Means
from vos_ros.benchmark.settings import PARTS, Case
from vos_ros.benchmark.streams import StreamRun
from vos_ros.models import build_network
from vos_ros.weights import ModelCard, save_network

TINY = ["--sizes", "96x64", "--internal-size", "64", "--rounds", "2", "--calls", "2",
        "--warmup", "1", "--threads", "1", "--runtime", "torch",
        "--what", "network", "segmenter", "ceiling"]  # fmt: skip
#: what only streams have
STREAMED = {
    "camera_hz", "sent", "received", "dropped", "lost", "startup_ms", "memory_start_mb",
    "memory_end_mb", "memory_slope_mb_per_hour", "transport_ms", "wait_ms", "convert_ms",
    "publish_ms", "cameras",
}  # fmt: skip
#: which two rounds are too few to tell
INTERVAL = {"ratio_low", "ratio_high"}


@pytest.fixture(autouse=True)
def small_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = ceiling.ProbeSizes(product=8, convolution=(1, 4, 6, 5), copy=64)
    monkeypatch.setitem(ceiling.SIZES, "cpu", sizes)
    add_tiny_backbone(monkeypatch)


@pytest.fixture
def weights(tmp_path: Path) -> str:
    path = tmp_path / "tiny.safetensors"
    save_network(path, build_network("gfddal", CONFIG), ModelCard("gfddal", CONFIG))
    return str(path)


@pytest.fixture
def run(tmp_path: Path, weights: str, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict]:
    """Runs the command on the tiny network; returns what it wrote, and what it said as `out`."""

    def run(*arguments: str) -> dict:
        path = tmp_path / "new" / "out.json"
        argv = ["--weights", weights, *TINY, "--json", str(path), *arguments]
        assert benchmark.main(argv) == 0
        return {**json.loads(path.read_text()), "out": capsys.readouterr().out}

    return run


def test_rows_are_complete(run: Callable[..., dict]) -> None:
    report = run("--objects", "1", "3", "--precision", "fp32", "bf16")
    rows = report["rows"]
    assert all(tuple(row) == COLUMNS for row in rows)
    parts = [row for row in rows if row["model"]]
    probes = [row for row in rows if not row["model"]]
    combined = {(row["what"], row["objects"], row["precision"]) for row in parts}
    assert combined == {(w, k, p) for w in ("network", "segmenter") for k in (1, 3)
                        for p in ("fp32", "bf16")}  # fmt: skip
    assert len(parts) == 8
    for row in parts:
        wanted = set(COLUMNS) - STREAMED - INTERVAL - {"variant", "host_ms", "bytes_per_s"}
        if row["what"] == "network":  # is given its input, whatever it shows
            wanted -= {"region", "upload_ms", "step_ms", "download_ms"}
        assert {name for name, value in row.items() if value is not None} == wanted
        assert row["model"] == "tiny" and row["size"] == "96x64" and row["calls"] == 4
        assert 0 < row["median_ms"] <= row["p95_ms"] <= row["p99_ms"]
        assert row["fps"] == pytest.approx(1000 / row["median_ms"])
        assert row["operations_per_s"] == pytest.approx(row["operations"] * row["fps"])
    assert [(row["what"], row["precision"]) for row in probes] == [
        ("product", "fp32"), ("convolution", "fp32"), ("product", "bf16"), ("convolution", "bf16"),
        ("copy", None),
    ]  # fmt: skip
    assert probes[-1]["bytes_per_s"] == pytest.approx(128 / probes[-1]["median_ms"] * 1e3)


def test_the_report_says_with_what_it_was_measured(run: Callable[..., dict]) -> None:
    report = run("--objects", "1", "--precision", "fp32")
    assert report["device"] == "cpu" and report["threads"] == [torch.get_num_threads()] == [1]
    assert report["hardware"]["cpu"] and report["hardware"]["gpu"] is None
    assert report["versions"]["torch"] == torch.__version__
    assert report["effort"] == {"rounds": 2, "calls": 2, "warmup": 1, "seconds": None}
    assert report["models"]["tiny"]["model"] == "gfddal"
    assert len(report["models"]["tiny"]["sha256"]) == 64


def test_everything_is_on_the_terminal_and_in_the_document(
    run: Callable[..., dict], tmp_path: Path
) -> None:
    document = tmp_path / "notes" / "speed.md"
    report = run("--objects", "1", "2", "--precision", "fp32", "--markdown", str(document))
    text = document.read_text()
    assert report["hardware"]["cpu"] in report["out"] and text.startswith("## Measured on ")
    tables = [line.strip("| ").split(" | ") for line in text.splitlines() if line[:2] == "| "]
    parts = [cells for cells in tables if len(cells) == 8 and "segmenter" in cells[0]]
    assert [cells[0].split(", ")[0] for cells in parts] == ["segmenter"] * 2
    assert len(tables) == 3 + len(report["rows"]) + len(parts)  # and three heads
    for row in report["rows"]:
        median = f"{row['median_ms']:.2f}"
        assert any(cells[0] == row["what"] and median in cells for cells in tables)
        lines = [line.split() for line in report["out"].splitlines()]
        assert any(cells and cells[0] == row["what"] and median in cells for cells in lines)


def test_a_comparison_tells_its_sides_apart(run: Callable[..., dict]) -> None:
    report = run("--compare", "objects=1,precision=fp32", "objects=2,precision=bf16",
                 "--what", "network")  # fmt: skip
    one, two = report["rows"]
    assert (one["variant"], two["variant"]) == (
        "1. objects=1,precision=fp32", "2. objects=2,precision=bf16"
    )  # fmt: skip
    assert (one["objects"], two["objects"]) == (1, 2)
    assert one["ratio"] == 1 and one["variant"] in two["ratio_to"]
    assert two["ratio_p5"] <= two["ratio"] <= two["ratio_p95"]
    assert two["variant"] in report["out"]
    assert one["ceiling_ratio"] is None  # not asked for


def test_the_picture_has_a_panel_for_each_question(
    run: Callable[..., dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib.figure import Figure

    drawn = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *a, **k: (drawn.append(self), save(self, *a, **k))
    )
    path = tmp_path / "speed.svg"
    report = run("--sizes", "96x64", "160x96", "--objects", "1", "2", "3", "--precision", "fp32",
                 "--figure", str(path))  # fmt: skip
    assert path.read_text().lstrip().startswith("<?xml")
    panels = drawn[0].axes
    assert [panel.get_title() for panel in panels] == [
        f"{what}: time against {axis}" for what in ("network", "segmenter")
        for axis in ("objects", "image size")
    ]  # fmt: skip
    for number, panel in enumerate(panels):
        what = ("network", "segmenter")[number // 2]
        places, other = (("objects", "size"), ("size", "objects"))[number % 2]
        rows = [row for row in report["rows"] if row["what"] == what]
        marks = [mark.get_text() for mark in panel.get_xticklabels()]
        assert marks == list(dict.fromkeys(str(row[places]) for row in rows))
        heights = {tuple(container.lines[0].get_ydata()) for container in panel.containers}
        assert heights == {
            tuple(row["median_ms"] for row in rows if row[other] == value)
            for value in {row[other] for row in rows}
        }


class Streaming:
    """Means of streaming that send nothing: every mask takes as many milliseconds as asked for."""

    def __init__(self, *times: float, dies: str = "") -> None:
        self.times, self.dies = times, dies
        self.seen: list[tuple[Case, Model | None]] = []

    def stream(self, case: Case, model: Model | None) -> StreamRun:
        if self.dies:
            raise BenchmarkError(self.dies)
        self.seen.append((case, model))
        sent = range(10**9, 10**9 + 10**8 * len(self.times), 10**8)
        took = {stamp: stamp + round(ms * 1e6) for stamp, ms in zip(sent, self.times, strict=True)}
        if model is None:
            return StreamRun(sent, took)
        parts = {"step_ms": 3.25, "wait_ms": 0.5}
        return StreamRun(sent, took, 2.5, (400.0, 401.0), 7.0, parts, lost=0)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from vos_ros.apps.benchmark_conversion import conversion_work

        means = Means({"conversion": conversion_work}, stream=self.stream)
        monkeypatch.setattr(benchmark, "_means", lambda request, stack: means)


def test_streams_have_rows_of_their_own(
    run: Callable[..., dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    streaming = Streaming(10, 20, 30)
    streaming.install(monkeypatch)
    figure = tmp_path / "speed.png"
    report = run("--what", *PARTS, "ceiling", "--precision", "fp32", "--objects", "1", "2",
                 "--runs", "2", "--frames", "3", "--figure", str(figure))  # fmt: skip
    rows = {(row["what"], row["objects"]): row for row in report["rows"]}
    order = list(dict.fromkeys(what for what, _ in rows))
    assert order == ["network", "segmenter", "conversion", "node", "transport", "product",
                     "convolution", "copy"]  # fmt: skip
    assert len(rows) == len(report["rows"]) == 2 + 2 + 1 + 2 + 1 + 3
    node, transport = rows["node", 1], rows["transport", None]
    for row in (node, transport):
        assert (row["median_ms"], row["calls"], row["sent"], row["dropped"]) == (20, 6, 6, 0)
        assert (row["camera_hz"], row["fps"]) == (pytest.approx(10), pytest.approx(2 / 0.22))
        assert row["ceiling_ratio"] > 0 and row["ratio"] == 1
    assert (node["startup_ms"], node["step_ms"], node["memory_end_mb"]) == (2500, 3.25, 401)
    assert node["operations"] == rows["network", 1]["operations"] > 0
    assert node["model"] == "tiny" and node["threads"] == 1 and node["runtime"] == "torch"
    assert node["cameras"] == 1 and rows["network", 1]["cameras"] is None
    assert (transport["model"], transport["startup_ms"], transport["operations"]) == (None,) * 3
    assert transport["bytes_per_s"] == pytest.approx(2 * 4 * 96 * 64 / 20e-3)
    assert report["streams"]["runs"] == 2 and report["streams"]["frames"] == 3
    # There and back, with the network where there is one.
    assert [(case.what, case.objects) for case, _ in streaming.seen] == [
        ("node", 1), ("transport", None), ("node", 2), ("node", 2), ("transport", None), ("node", 1)
    ]  # fmt: skip
    assert all((model is None) == (case.what == "transport") for case, model in streaming.seen)
    assert figure.stat().st_size > 0
    assert "400 to 401, +7 an hour" in report["out"] and "3.25" in report["out"]


def test_a_node_that_dies_costs_no_figure_that_was_there(
    weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    Streaming(dies="node ended by itself with status 3").install(monkeypatch)
    path = tmp_path / "out.json"
    argv = ["--weights", weights, *TINY, "--what", "node", "conversion", "--json", str(path)]
    assert benchmark.main(argv) == 1
    said = capsys.readouterr()
    assert said.err.endswith("benchmark: node ended by itself with status 3\n")
    assert "MISSING: node ended by itself with status 3" in said.out
    assert [row["what"] for row in json.loads(path.read_text())["rows"]] == ["conversion"]


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The sentence of a run that ends with status 1."""
    assert benchmark.main([*TINY, *arguments]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("benchmark: ")
    return said.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--weights", "nothing_of_this_name"], "no weight file 'nothing_of_this_name'"),
        (["--sizes", "640"], "such as 640x480"),
        (["--objects", "0"], "1..255"),
        (["--objects", "200"], "200 objects have no room"),
        (["--precision", "int8"], "fp32, bf16, fp16"),
        (["--internal-size", "16"], "32..2160"),
        (["--device", "gpu"], "cpu, cuda or cuda:N"),
        (["--device", "meta"], "cannot be timed|only cpu and CUDA"),
        (["--rounds", "1"], "at least 2"),
        (["--what", "ceiling"], "network, segmenter"),
        (["--threads", "0"], "1..1024"),
        (["--runtime", "tvm"], "auto, torch, openvino"),
        (["--runtime", "openvino", "--precision", "fp16"], "not in fp16"),
        (["--what", "node", "--precision", "fp16"], "leave the node out of --what"),
        (
            ["--what", "transport", "--compare", "precision=fp32", "precision=bf16"],
            "none of the parts asked for depends on precision",
        ),
        (["--compare", "precision=bf16"], "two sides"),
        (["--figure", "speed.txt"], ".png, .svg, .pdf"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_a_sentence(
    arguments: list[str], said: str, weights: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = refused(capsys, "--weights", weights, *arguments)
    assert any(part in found for part in said.split("|"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_refused(
    weights: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no CUDA device" in refused(capsys, "--weights", weights, "--device", "cuda")


def test_an_output_that_cannot_be_written_is_told_before_anything_is_timed(
    weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = refused(capsys, "--weights", weights, "--json", str(tmp_path))
    assert f"{tmp_path} is a folder" in found


def test_a_missing_package_is_named(
    weights: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert "'matplotlib'" in refused(capsys, "--weights", weights, "--figure", "speed.png")


def test_an_interruption_ends_without_a_traceback(
    weights: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vos_ros.benchmark.session.take_turns", interrupted)
    assert benchmark.main([*TINY, "--weights", weights]) == 130
    assert capsys.readouterr().err.endswith("benchmark: interrupted\n")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_is_measured_by_its_own_clock(
    run: Callable[..., dict], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ceiling.SIZES, "cuda", ceiling.ProbeSizes(64, (1, 8, 16, 16), 1024))
    report = run("--device", "cuda", "--objects", "1", "3", "--precision", "fp32", "fp16")
    assert report["hardware"]["gpu"] and report["device"] == "cuda"
    for row in report["rows"]:
        assert (row["host_ms"] is None) == (row["what"] == "segmenter")
        if row["model"]:
            assert row["state_bytes"] == row["state_bytes_formula"]


DOCUMENT = (Path(__file__).parents[1] / "docs/benchmark.md").read_text()


def test_the_document_names_every_key_and_option() -> None:
    assert [name for name in COLUMNS if f"`{name}`" not in DOCUMENT] == []
    options = [
        text
        for action in build_parser()._actions
        for text in action.option_strings
        if text.startswith("--")
    ]
    assert [text for text in options if text not in DOCUMENT and text != "--help"] == []
