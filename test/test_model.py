# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From parameters to a segmenter: what `auto` means here, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from vos_ros.models import NETWORKS, build_network
from vos_ros.region import RegionSettings
from vos_ros.ros import model
from vos_ros.ros.model import ModelError, ThreadSetting, build_segmenter, cpu_has_bf16
from vos_ros.ros.parameters import Settings
from vos_ros.weights import ModelCard, WeightsError, file_hash, load_network, save_network

NO_CUDA = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")


@pytest.fixture
def flags(tmp_path: Path, monkeypatch):
    """Make the CPU say that it has certain abilities."""

    def write(text: str) -> Path:
        path = tmp_path / "cpuinfo"
        path.write_text(f"processor\t: 0\nflags\t\t: {text}\nbugs\t: none avx512_bf16\n")
        return path

    return write


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("fpu sse avx512f avx512_bf16 erms", True),
        ("fpu amx_bf16 amx_tile", True),
        ("fpu sse avx2 avx512f", False),
        ("fpu not_avx512_bf16_really", False),
    ],
)
def test_the_cpu_says_whether_it_calculates_in_bf16(flags, text: str, has: bool):
    assert cpu_has_bf16(flags(text)) is has


def test_a_cpu_that_says_nothing_has_no_bf16(tmp_path: Path):
    assert cpu_has_bf16(tmp_path / "none") is False
    (tmp_path / "arm").write_text("Features\t: fp asimd\n")
    assert cpu_has_bf16(tmp_path / "arm") is False


@pytest.mark.parametrize(("has", "precision"), [(True, "bf16"), (False, "fp32")])
def test_auto_precision_on_the_cpu_is_bf16_where_it_is_fast(monkeypatch, has, precision):
    monkeypatch.setattr(model, "cpu_has_bf16", lambda: has)
    assert model.choose_precision("auto", "cpu") == precision
    assert model.choose_precision("fp32", "cpu") == "fp32"
    assert model.choose_precision("bf16", "cpu") == "bf16"


def test_auto_precision_on_cuda_is_bf16_where_it_is_supported(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert model.choose_precision("auto", "cuda:1") == "bf16"
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    assert model.choose_precision("auto", "cuda") == "fp32"
    assert model.choose_precision("fp16", "cuda") == "fp16"


def test_fp16_on_the_cpu_is_refused():
    with pytest.raises(ModelError, match="'fp16' is for CUDA devices; on the CPU use 'auto'"):
        model.choose_precision("fp16", "cpu")


def test_auto_device_is_cuda_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert model.choose_device("auto") == "cuda"
    assert model.choose_device("cpu") == "cpu"
    assert model.choose_device("cuda:1") == "cuda:1"
    with pytest.raises(ModelError, match="Device is 'cuda:2', but there is 2 CUDA devices"):
        model.choose_device("cuda:2")


@NO_CUDA
def test_auto_device_is_the_cpu_where_there_is_no_other():
    assert model.choose_device("auto") == "cpu"
    with pytest.raises(ModelError, match="no CUDA device that PyTorch can use; use 'auto' or"):
        model.choose_device("cuda")


def test_threads_are_set_and_put_back():
    before = torch.get_num_threads()
    wanted = before + 1
    setting = ThreadSetting(wanted)
    assert torch.get_num_threads() == wanted
    setting.undo()
    assert torch.get_num_threads() == before
    setting.undo()
    left_alone = ThreadSetting(0)
    assert torch.get_num_threads() == before
    left_alone.undo()
    assert torch.get_num_threads() == before


def test_of_several_settings_of_threads_the_newest_holds_until_all_are_undone():
    before = torch.get_num_threads()
    first, second = ThreadSetting(before + 1), ThreadSetting(before + 2)
    assert torch.get_num_threads() == before + 2
    first.undo()
    assert torch.get_num_threads() == before + 2
    third = ThreadSetting(before + 3)
    third.undo()
    assert torch.get_num_threads() == before + 2
    second.undo()
    assert torch.get_num_threads() == before


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """A weight file with untrained weights."""
    path = tmp_path_factory.mktemp("weights") / "untrained.safetensors"
    config = {"backbone": "efficientnet_lite0"}
    network = build_network("gfddal", config)
    save_network(path, network, ModelCard(model="gfddal", config=config))
    return path


def test_the_settings_reach_the_segmenter(weights: Path):
    segmenter, card, words = build_segmenter(
        Settings(
            weights=str(weights),
            device="cpu",
            precision="fp32",
            internal_size=96,
            max_objects=3,
            runtime="torch",
        )
    )
    assert segmenter.max_objects == 3
    assert segmenter.ids == ()
    assert card.model == "gfddal" and card.sha256 == file_hash(weights)
    assert words == "untrained on cpu in fp32, 96 pixels on the short side"


def test_the_runtime_is_chosen_and_named(weights: Path):
    pytest.importorskip("openvino")
    segmenter, _, words = build_segmenter(
        Settings(weights=str(weights), device="cpu", precision="bf16")
    )
    assert segmenter.runtime == "openvino"
    assert words == "untrained on cpu by openvino in bf16, 288 pixels on the short side"


def test_thresholds_that_contradict_each_other_are_refused(weights: Path):
    with pytest.raises(ValueError, match="vanish .* must not be above appear"):
        build_segmenter(
            Settings(weights=str(weights), device="cpu", presence_appear=0.2, presence_vanish=0.4)
        )


@pytest.mark.parametrize(
    ("margin", "wanted"), [(2.5, RegionSettings(margin=2.5, smallest=0.3)), (0.0, None)]
)
def test_a_margin_of_nothing_looks_at_the_whole_image(
    weights: Path, margin: float, wanted: RegionSettings | None
):
    segmenter, _, _ = build_segmenter(
        Settings(weights=str(weights), device="cpu", region_margin=margin, region_smallest=0.3)
    )
    assert segmenter.region == wanted


def test_a_margin_that_shows_nothing_beside_the_objects_is_refused(weights: Path):
    with pytest.raises(ValueError, match="margin must be at least 1.25, not 1.0"):
        build_segmenter(Settings(weights=str(weights), device="cpu", region_margin=1.0))


def test_missing_weights_are_refused():
    with pytest.raises(WeightsError, match="no weight file 'gfddal_nosuch'"):
        build_segmenter(Settings(weights="gfddal_nosuch", device="cpu"))


def test_weights_of_another_model_are_refused(weights: Path):
    with pytest.raises(ModelError, match="Model is 'dgmpm', but the weights 'untrained' are"):
        build_segmenter(Settings(model="dgmpm", weights=str(weights), device="cpu"))


@pytest.mark.parametrize("wanted", ["auto", "gfddal"])
def test_weights_of_the_model_asked_for_are_taken(weights: Path, wanted: str):
    assert model.choose_weights(wanted, str(weights)) == weights


@pytest.mark.parametrize("wanted", sorted(NETWORKS))
def test_every_network_ships_with_weights_of_its_own(wanted: str):
    network, card = load_network(model.choose_weights(wanted, ""))
    assert type(network) is NETWORKS[wanted]
    assert card.model == wanted
