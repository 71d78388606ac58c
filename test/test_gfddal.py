# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""GFDDAL as a whole: its switches, its configuration, its objects apart and its gradients."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from gfddal_cases import SWITCHES, H, W, boxes, build, encoded, frames
from tiny import CONFIG, TinyBackbone, add_tiny_backbone

from vos_ros.inference import prepare
from vos_ros.models import build_network
from vos_ros.models.gfddal import GfddalState
from vos_ros.models.gfddal.decoder import DilatedFeatureAggregation, GlobalGuide


@pytest.fixture(autouse=True)
def tiny_backbone(monkeypatch: pytest.MonkeyPatch) -> None:
    add_tiny_backbone(monkeypatch)
    torch.manual_seed(0)


@pytest.mark.parametrize("widths", [(16, 8, 8), (16, 8, 8, 8)])
@pytest.mark.parametrize("deepest", [True, False])
def test_predictions_have_the_promised_shapes(widths: tuple[int, ...], deepest: bool) -> None:
    network = build(decoder_channels=widths, deepest=deepest)
    stride = 4 if len(widths) == 3 else 2
    assert network.output_stride == stride
    features = encoded(network, frames(2))
    assert features.directions.shape == (2, CONFIG["direction_channels"], H // 16, W // 16)
    torch.testing.assert_close(features.directions.norm(dim=1), torch.ones(2, H // 16, W // 16))
    state = network.start(features, boxes().expand(2, -1, -1, -1))
    prediction, after = network.step(features, state)
    assert prediction.logits.shape == (2, 4, H // stride, W // stride)
    assert prediction.coarse_logits.shape == (2, 4, H // 16, W // 16)
    assert state.count == after.count == 3


@pytest.mark.parametrize("switch", SWITCHES)
def test_each_switch_removes_its_part_and_the_rest_runs(switch: str) -> None:
    whole, without = build(), build(**{switch: False})
    names = {name for name, _ in whole.named_parameters()}
    kept = {name for name, _ in without.named_parameters()}
    for beginning in SWITCHES[switch]:
        assert any(name.startswith(beginning) for name in names)
        assert not any(name.startswith(beginning) for name in kept)
    if switch == "guided_decoder":
        parts = {type(module) for module in without.modules()}
        assert not parts & {GlobalGuide, DilatedFeatureAggregation}
    else:
        missing = {"modulation": CONFIG["guided_channels"], "matching": 2, "appearance": 4}[switch]
        inputs = whole.merge.first.in_channels, without.merge.first.in_channels
        assert inputs[0] - inputs[1] == missing
    features = encoded(without, frames(1))
    state = without.start(features, boxes())
    for _ in range(2):
        prediction, state = without.step(features, state)
    assert prediction.logits.isfinite().all()


def test_a_network_without_any_cue_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot all be switched off"):
        build_network("gfddal", CONFIG | dict.fromkeys(("modulation", "matching", "appearance"), 0))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"decoder_channels": [16, 8]}, "strides 16, 8, 4"),
        ({"decoder_channels": [16, 8, 8, 8, 8]}, "not 5"),
        ({"decoder_channels": [16, 12, 8]}, "first three .* multiples of 8, not \\[16, 12, 8\\]"),
        ({"decoder_channels": [16, 8, 8, 0]}, "positive whole numbers, not \\[16, 8, 8, 0\\]"),
        ({"decoder_channels": 16}, "decoder_channels must be positive whole numbers, not 16"),
        ({"fused_channels": 12}, "fused_channels must be a positive multiple of 8, not 12"),
        ({"fused_channels": "x"}, "fused_channels must be a positive multiple of 8, not 'x'"),
        ({"guided_channels": 0}, "guided_channels must be a positive whole number, not 0"),
        ({"direction_channels": 8.0}, "direction_channels must be a positive whole number, not 8"),
        ({"deepest": "x"}, "deepest must be true or false, not 'x'"),
        ({"update_rate": 1.5}, "within 0..1, not 1.5"),
        ({"update_rate": "x"}, "within 0..1, not 'x'"),
        ({"backbone": "resnet9"}, "resnet9"),
    ],
)
def test_values_out_of_range_are_refused_in_words(changes: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        build_network("gfddal", CONFIG | changes)


@pytest.mark.parametrize("switch", [None, *SWITCHES])
def test_the_configuration_builds_the_same_network_again(switch: str | None) -> None:
    network = build(**({switch: False, "update_rate": 0.25, "deepest": False} if switch else {}))
    again = build_network("gfddal", json.loads(json.dumps(network.config)))
    assert again.config == network.config
    again.load_state_dict(network.state_dict())
    features, state = encoded(network, frames(1)), None
    for each in (network, again.eval().requires_grad_(False)):
        state = each.start(features, boxes())
        _, after = each.step(features, state)
        prediction, after = each.step(features, after)
        if each is network:
            expected, expected_state = prediction, after
    assert torch.equal(prediction.logits, expected.logits)
    assert torch.equal(after.means, expected_state.means)


def test_the_configuration_handed_out_is_a_copy() -> None:
    network = build()
    network.config["decoder_channels"].append(7)
    assert network.config["decoder_channels"] == CONFIG["decoder_channels"]


def test_normalisation_is_that_of_the_backbone() -> None:
    network, image = build(), frames(1)
    expected = (image[0].double().permute(1, 2, 0).numpy() / 255 - TinyBackbone.mean) / np.array(
        TinyBackbone.std
    )
    np.testing.assert_allclose(network.normalise(image)[0].permute(1, 2, 0), expected, atol=1e-5)


def test_objects_in_one_pass_are_those_of_passes_of_their_own() -> None:
    """Before aggregation an object knows of no other; the feedback is merged, so it is given."""
    network = build()
    features = [encoded(network, image.unsqueeze(0)) for image in frames(3)]
    state = network.start(features[0], boxes())
    single = [network.start(features[0], boxes()[:, k : k + 1]) for k in range(3)]
    for feature in features[1:]:
        prediction, after = network.step(feature, state)
        for k, own in enumerate(single):
            alone, _ = network.step(feature, own)
            for merged, logits in (
                (prediction.logits, alone.logits),
                (prediction.coarse_logits, alone.coarse_logits),
            ):
                torch.testing.assert_close(merged[:, 1 + k], logits[:, 1], atol=1e-4, rtol=1e-4)
        state = after
        single = [after.select([k]) for k in range(3)]
    differences = (prediction.logits[:, 1] - prediction.logits[:, 2]).abs()
    assert differences.max() > 0.1, "objects must differ for this to mean something"


def test_images_of_a_batch_do_not_see_each_other() -> None:
    network, images = build(), frames(2)
    masks = torch.cat([boxes(), boxes().flip(3)])
    features = encoded(network, images)
    prediction, state = network.step(features, network.start(features, masks))
    for n in range(2):
        own = encoded(network, images[n : n + 1])
        alone, after = network.step(own, network.start(own, masks[n : n + 1]))
        torch.testing.assert_close(prediction.logits[n], alone.logits[0], atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(state.means[n], after.means[0], atol=1e-4, rtol=1e-4)


def test_merged_probabilities_are_fed_back() -> None:
    network = build()
    features = encoded(network, frames(1))
    prediction, state = network.step(features, network.start(features, boxes()))
    torch.testing.assert_close(state.previous, prediction.logits.softmax(dim=1)[:, 1:])
    torch.testing.assert_close(state.coarse, prediction.coarse_logits.softmax(dim=1)[:, 1:])


def test_what_the_first_frame_gave_does_not_change() -> None:
    network = build(memory=3, memory_interval=3)
    state = start = network.start(encoded(network, frames(1)), boxes())
    for image in frames(4, seed=1):
        _, state = network.step(encoded(network, image.unsqueeze(0)), state)
    for field in dataclasses.fields(GfddalState):
        same = torch.equal(getattr(state, field.name), getattr(start, field.name))
        assert same != (field.name in GfddalState.renewed), field.name
    assert torch.equal(state.means[:, :, :2], start.means[:, :, :2])
    assert torch.equal(state.memory_values[:, :, 0], start.memory_values[:, :, 0])


@pytest.mark.parametrize("backbone", ["tiny", "resnet18"])
def test_gradients_reach_every_parameter(backbone: str) -> None:
    network = build_network("gfddal", CONFIG | {"backbone": backbone}).train()
    images = network.normalise(frames(3))
    features = network.encode(images)
    state = network.start(features.frame(0, 3), boxes())
    losses = []
    for index in (1, 2):
        prediction, state = network.step(features.frame(index, 3), state)
        for logits in (prediction.logits, prediction.coarse_logits):
            losses.append(-logits.log_softmax(dim=1)[:, index].mean())
    sum(losses).backward()
    # The instance norm takes out what a bias before it adds: that one can have no gradient.
    without = {
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().max() > 1e-12
    }
    assert without <= {"context.main.bias"}
    assert all(p.grad.isfinite().all() for p in network.parameters())
    assert (network.appearance.log_kappa.grad.abs() > 1e-9).all()


def test_cut_feedback_still_teaches_the_first_frame() -> None:
    network = build().requires_grad_(True)
    features = encoded(network, frames(1))
    _, state = network.step(features, network.start(features, boxes()))
    cut = state.feedback_detached()
    assert {name for name in vars(cut) if not getattr(cut, name).requires_grad} >= state.renewed
    assert cut.target_kernels.requires_grad and cut.guided_first.requires_grad
    assert not any(value.requires_grad for value in vars(state.detached()).values())


@pytest.mark.parametrize("backbone", ["tiny", "resnet18"])
def test_bfloat16_agrees_with_float32(backbone: str) -> None:
    """Probabilities within 0.005 on average and 0.05 at worst, over three frames with feedback."""
    network = build(backbone=backbone)
    results = {}
    for precision in ("fp32", "bf16"):
        ready = prepare(network, torch.device("cpu"), precision)
        with torch.inference_mode():
            state = ready.start(encoded(ready, frames(1)), boxes())
            for image in frames(3, seed=1):
                prediction, state = ready.step(encoded(ready, image.unsqueeze(0)), state)
        results[precision] = prediction.logits.softmax(dim=1)
        assert state.means.dtype == state.log_normalisers.dtype == torch.float32
        assert ready.appearance.log_kappa.dtype == torch.float32
        assert state.coarse.dtype == {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    assert results["fp32"].std() > 0.1, "probabilities must be spread for this to mean something"
    apart = (results["bf16"] - results["fp32"]).abs()
    assert apart.mean() < 0.005 and apart.max() < 0.05
