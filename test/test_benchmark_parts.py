# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parts that are timed do what they are timed for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from dgmpm_cases import tiny_dgmpm
from tiny import CONFIG, add_tiny_backbone, tiny_gfddal

from vos_ros.benchmark.calls.parts import Builder, SegmenterCall
from vos_ros.benchmark.errors import BenchmarkError
from vos_ros.benchmark.film import make_film
from vos_ros.benchmark.models import Model, open_model, open_models
from vos_ros.benchmark.settings import Case, Size
from vos_ros.models import NETWORKS, build_network
from vos_ros.segmenter import VideoSegmenter
from vos_ros.weights import ModelCard, file_hash, save_network

CPU = torch.device("cpu")
NETWORK = {
    "gfddal": lambda: tiny_gfddal(contrast=40),
    "dgmpm": lambda: tiny_dgmpm(contrast=40),
}


@pytest.fixture(autouse=True)
def tiny_backbone(monkeypatch: pytest.MonkeyPatch) -> None:
    add_tiny_backbone(monkeypatch)


def case(what: str, objects: int = 2, precision: str = "fp32") -> Case:
    return Case(Size(150, 100), what, objects, "it", 64, precision, 1, "torch")


def builder(name: str) -> Builder:
    return Builder({"it": Model("it", NETWORK[name]().eval(), {})}, CPU)


@pytest.mark.parametrize("name", NETWORK)
def test_the_network_alone_goes_through_what_the_segmenter_goes_through(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Objects of random weights come and go, and look like one another; alone, the network knows
    # neither of absence nor of identity.
    monkeypatch.setattr("vos_ros.moment.state_after", lambda before, after, *_: after)
    monkeypatch.setattr("vos_ros.segmenter.identified", lambda moment, image, before: moment)
    segmenter = VideoSegmenter(NETWORK[name](), size=64, region=None)
    whole, alone = SegmenterCall(segmenter, make_film(Size(150, 100), 2)), builder(name)
    work = alone.work(case("network"))
    for _ in range(10):  # past the end of the film, too
        whole()
        work.call()
        wanted, found = segmenter._now.targets.state.tensors(), work.call.state.tensors()
        assert wanted.keys() == found.keys()
        for key, value in wanted.items():
            torch.testing.assert_close(found[key], value)


@pytest.mark.parametrize("what", ["network", "segmenter"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", NETWORK)
def test_the_state_of_an_object_is_what_the_formula_says(
    name: str, precision: str, what: str
) -> None:
    made = builder(name)
    rows = [made.work(case(what, objects, precision)).row for objects in (1, 3)]
    for row in rows:
        assert row.state_bytes == row.state_bytes_formula > 0
    assert rows[0].state_bytes == rows[1].state_bytes


def test_a_row_says_what_is_measured() -> None:
    row = builder("gfddal").work(case("segmenter", 3, "bf16")).row
    assert (row.what, row.model, row.size, row.objects) == ("segmenter", "it", "150x100", 3)
    # 150 x 100 scaled to a short side of 64, and padded to multiples of 32.
    assert (row.precision, row.internal_size, row.input) == ("bf16", 64, "96x64")
    assert row.variant is None and row.median_ms is None
    assert row.region == 1.5 and builder("gfddal").work(case("network")).row.region is None


def test_networks_alone_share_one_copy_and_segmenters_do_not() -> None:
    made = builder("gfddal")
    one, two = (made.work(case("network", objects)).call._network for objects in (1, 2))
    half = made.work(case("network", 1, "bf16")).call._network
    assert one is two is not half
    parts = [made.work(case("segmenter")).call.segmenter._network for _ in range(2)]
    assert parts[0] is not parts[1]


def weight_file(folder: Path) -> Path:
    folder.mkdir()
    path = folder / "weights.safetensors"
    save_network(path, build_network("gfddal", CONFIG), ModelCard("gfddal", CONFIG))
    return path


def test_a_weight_file_is_opened_with_its_hash(tmp_path: Path) -> None:
    path = weight_file(tmp_path / "a")
    model = open_model(str(path))
    assert model.name == "weights"
    assert model.facts["sha256"] == file_hash(path)
    assert model.facts["model"] == "gfddal" and model.facts["config"]["backbone"] == "tiny"
    assert model.facts["parameters"] == sum(
        np.prod(parameter.shape) for parameter in build_network("gfddal", CONFIG).parameters()
    )


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    paths = [str(weight_file(tmp_path / folder)) for folder in "ab"]
    models = open_models([*paths, "gfddal_lite0"])
    assert [model.name for model in models.values()] == [*paths, "gfddal_lite0"]


def stage_file(folder: Path, **changes) -> str:
    """A stage that ships, with some keys changed."""
    shipped = Path(__file__).parents[1] / "config/training/gfddal_lite0_stills.yaml"
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(shipped.read_text()), **changes}))
    return str(path)


def test_a_network_can_be_measured_before_it_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NETWORKS, "small", lambda: tiny_dgmpm())
    model = open_model("small")
    assert model.facts["sha256"] is None and not model.network.training
    described = open_model(stage_file(tmp_path, network=CONFIG))
    assert described.name == "mine"
    assert described.network.config == build_network("gfddal", CONFIG).config


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"network": {"backbone": "none"}}, "mine.yaml.*'none'"), ({"steps": "many"}, "steps")],
)
def test_a_stage_that_describes_no_network_is_refused(
    tmp_path: Path, changes: dict, said: str
) -> None:
    with pytest.raises(BenchmarkError, match=said):
        open_model(stage_file(tmp_path, **changes))


def test_a_name_of_nothing_is_refused_with_what_there_is() -> None:
    with pytest.raises(BenchmarkError, match="gfddal_lite0.*gfddal, dgmpm.*yaml"):
        open_model("gfdall")
