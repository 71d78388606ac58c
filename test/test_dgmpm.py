# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""DGMPM as a whole: its switches, its configuration, its objects apart and its gradients."""

import json

import numpy as np
import pytest
import torch
from dgmpm_cases import ABLATIONS, CONFIG, build, tiny_dgmpm
from gfddal_cases import H, W, boxes, encoded, frames
from references import resized
from scenes import FIRST, mask_of, moving
from tiny import add_tiny_backbone
from torch.nn import functional as F

from vos_ros.inference import prepare
from vos_ros.models import build_network
from vos_ros.models.dgmpm.attention import ChannelAttention, SpatialAttention
from vos_ros.models.dgmpm.embedding_distance import distance_map
from vos_ros.segmenter import SegmentationError, VideoSegmenter
from vos_ros.weights import ModelCard, load_network, save_network

VARIANTS = {"whole": {}, **ABLATIONS}


@pytest.fixture(autouse=True)
def tiny_backbone(monkeypatch: pytest.MonkeyPatch) -> None:
    add_tiny_backbone(monkeypatch)
    torch.manual_seed(0)


@pytest.mark.parametrize(
    ("widths", "embedding_stride", "output_stride"),
    [((32, 16, 8, 8, 8), 1, 1), ((32, 16, 8, 8, 8), 4, 2), ((16, 8, 8, 8), 2, 1), ((8,) * 3, 4, 4)],
)
def test_predictions_have_the_promised_shapes(
    widths: tuple[int, ...], embedding_stride: int, output_stride: int
) -> None:
    network = build(
        decoder_channels=widths, embedding_stride=embedding_stride, output_stride=output_stride
    )
    features = encoded(network, frames(2))
    assert features.embedding.shape == (2, 6, H // embedding_stride, W // embedding_stride)
    assert list(features.laterals) == [32, 16, 8, 4, 2][: len(widths)]
    state = network.start(features, boxes().expand(2, -1, -1, -1))
    assert state.anchors.shape == (2, 3, 2, 6) and state.anchors.dtype == torch.float32
    prediction, after = network.step(features, state)
    assert prediction.logits.shape == (2, 4, H // output_stride, W // output_stride)
    assert prediction.coarse_logits is None
    assert state.count == after.count == 3


def test_the_defaults_are_the_published_design() -> None:
    with torch.device("meta"):
        network = build_network("dgmpm", {})
    assert network.config["backbone"] == "resnet50"
    assert network.extractor.stride == network.output_stride == 1
    assert {conv.weight.shape[0] for conv in network.extractor.levels.values()} == {64}
    assert [conv.weight.shape[2:] for conv in network.extractor.levels.values()] == [(3, 3)] * 5
    assert {conv.out_channels for conv in network.laterals.values()} == {128}
    assert all(type(merge.attention) is SpatialAttention for merge in network.decoder.merges)


def test_each_row_of_the_ablation_changes_its_part_and_the_rest_runs() -> None:
    networks = {name: build(**changes) for name, changes in VARIANTS.items()}
    names = {k: {n for n, _ in v.named_parameters()} for k, v in networks.items()}
    assert any(n.startswith("extractor.") for n in names["whole"])
    assert not any(n.startswith("extractor.") for n in names["-EDM"])
    assert not any(".attention." in n for n in names["-SAB"])
    kinds = {type(merge.attention) for merge in networks["-SAB+CAB"].decoder.merges}
    assert kinds == {ChannelAttention}
    for name, network in networks.items():
        maps = 1 if name in ("-EDM", "-PM") else 2
        assert {level.maps.in_channels for level in network.decoder.levels} == {maps}
        features = encoded(network, frames(1))
        state = network.start(features, boxes())
        for _ in range(2):
            prediction, state = network.step(features, state)
        assert prediction.logits.isfinite().all() and prediction.logits.std() > 0.01


def test_a_network_without_any_guiding_map_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot both be switched off"):
        build(embedding_distance=False, previous_mask=False)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"decoder_channels": [16, 8]}, "3 to 5 numbers .*not 2"),
        ({"decoder_channels": [16, 8, 8, 8, 8, 8]}, "not 6"),
        ({"decoder_channels": [16, 12, 8]}, "multiples of 8, not"),
        ({"decoder_channels": [16, 8, 0]}, "multiples of 8, not"),
        ({"embedding_channels": 0}, "embedding_channels must be a positive whole number, not 0"),
        ({"attention_channels": "x"}, "attention_channels must be a positive whole number"),
        ({"previous_mask": 2}, "previous_mask must be true or false, not 2"),
        ({"embedding_stride": 8}, "1, 2 or 4, not 8"),
        ({"output_stride": 4}, "at most that of the last level, 2, not 4"),
        ({"output_stride": 8, "decoder_channels": [8, 8, 8]}, "1, 2 or 4 and at most .*, 8, not 8"),
        ({"attention": "both"}, "spatial, channel, none"),
        ({"backbone": "resnet9"}, "resnet9"),
    ],
)
def test_values_out_of_range_are_refused_in_words(changes: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        build_network("dgmpm", CONFIG | changes)


@pytest.mark.parametrize("name", VARIANTS)
def test_weights_and_configuration_make_the_same_network_again(tmp_path, name: str) -> None:
    network = build(**VARIANTS[name])
    path = tmp_path / "some.safetensors"
    for parameter in network.parameters():  # files keep weights in float16
        parameter.copy_(parameter.half())
    save_network(path, network, ModelCard(model="dgmpm", config=network.config))
    again, card = load_network(path)
    assert again.config == network.config == card.config == json.loads(json.dumps(card.config))
    results = []
    for each in (network, again):
        features = encoded(each, frames(1))
        _, state = each.step(features, each.start(features, boxes()))
        results.append(each.step(features, state)[0].logits)
    assert torch.equal(*results)


def test_the_configuration_handed_out_is_a_copy() -> None:
    network = build()
    network.config["decoder_channels"].append(7)
    assert network.config["decoder_channels"] == CONFIG["decoder_channels"]


def by_area(maps: np.ndarray, height: int, width: int) -> np.ndarray:
    """K x h x w, each cell of the result the mean of those it covers."""
    rows, columns = maps.shape[1] // height, maps.shape[2] // width
    return maps.reshape(-1, height, rows, width, columns).mean(axis=(2, 4))


@pytest.mark.parametrize(("embedding_stride", "output_stride"), [(1, 1), (4, 2), (2, 2)])
def test_both_guiding_maps_are_at_every_level(embedding_stride: int, output_stride: int) -> None:
    """Averaged down to it, or, where a map is coarser than a level, bilinear."""
    network = build(embedding_stride=embedding_stride, output_stride=output_stride)
    features = encoded(network, frames(1))
    state = network.start(features, boxes())
    later = encoded(network, frames(1, seed=1))
    maps = network.guiding_maps(later, state)
    distances = distance_map(later.embedding, state.anchors)[0].double().numpy()
    previous = boxes()[0].double().numpy()
    assert list(maps) == [32, 16, 8, 4, 2]
    for stride, found in maps.items():
        h, w = H // stride, W // stride
        assert found.shape == (3, 2, h, w)
        coarse = resized if stride < embedding_stride else by_area
        np.testing.assert_allclose(found[:, 0], coarse(distances, h, w), atol=1e-6)
        np.testing.assert_allclose(found[:, 1], by_area(previous, h, w), atol=1e-6)


def test_the_reference_is_the_first_frame_for_ever() -> None:
    network = build()
    first = encoded(network, frames(1))
    state = network.start(first, boxes())
    anchors = state.anchors.clone()
    for index in range(3):
        _, state = network.step(encoded(network, frames(1, seed=index)), state)
        assert torch.equal(state.anchors, anchors)


def test_merged_probabilities_are_fed_back() -> None:
    network = build()
    features = encoded(network, frames(1))
    state = network.start(features, boxes())
    torch.testing.assert_close(state.previous, F.avg_pool2d(boxes(), 2))
    prediction, after = network.step(features, state)
    torch.testing.assert_close(after.previous, prediction.logits.softmax(dim=1)[:, 1:])
    again, _ = network.step(features, after)
    assert (again.logits - prediction.logits).abs().max() > 1e-3, "and they must count"


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
            torch.testing.assert_close(
                prediction.logits[:, 1 + k], alone.logits[:, 1], atol=1e-4, rtol=1e-4
            )
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
        torch.testing.assert_close(state.anchors[n], after.anchors[0], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "backbone"), [*((name, "tiny") for name in VARIANTS), ("whole", "resnet18")]
)
def test_gradients_reach_every_parameter(name: str, backbone: str) -> None:
    network = tiny_dgmpm(backbone=backbone, **VARIANTS[name]).train()
    features = network.encode(network.normalise(frames(3)))
    state = network.start(features.frame(0, 3), boxes())
    losses = []
    for index in (1, 2):
        prediction, state = network.step(features.frame(index, 3), state)
        losses.append(-prediction.logits.log_softmax(dim=1)[:, index].mean())
    sum(losses).backward()
    without = {
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().max() > 1e-12
    }
    assert without == set()
    assert all(p.grad.isfinite().all() for p in network.parameters())


def test_cut_feedback_still_teaches_the_first_frame() -> None:
    network = build().requires_grad_(True)
    features = encoded(network, frames(1))
    _, state = network.step(features, network.start(features, boxes()))
    assert state.previous.requires_grad
    cut = state.feedback_detached()
    assert cut.anchors.requires_grad and not cut.previous.requires_grad
    assert not state.detached().anchors.requires_grad


@pytest.mark.parametrize("backbone", ["tiny", "resnet18"])
def test_bfloat16_agrees_with_float32(backbone: str) -> None:
    """Probabilities within 0.01 on average, over three frames with feedback."""
    network = tiny_dgmpm(contrast=20, backbone=backbone).eval().requires_grad_(False)
    results = {}
    for precision in ("fp32", "bf16"):
        ready = prepare(network, torch.device("cpu"), precision)
        with torch.inference_mode():
            state = ready.start(encoded(ready, frames(1)), boxes())
            for image in frames(3, seed=1):
                prediction, state = ready.step(encoded(ready, image.unsqueeze(0)), state)
        results[precision] = prediction.logits.softmax(dim=1)
        assert state.anchors.dtype == torch.float32
        assert state.previous.dtype == {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    assert results["fp32"].std() > 0.05, "probabilities must be spread for this to mean something"
    apart = (results["bf16"] - results["fp32"]).abs()
    assert apart.mean() < 0.01 and apart.max() < 0.1


# --- an object that fills the image ---------------------------------------------------------------

FULL = mask_of((0, 0, 96, 7))


def test_an_object_that_fills_the_image_is_refused_in_words() -> None:
    segmenter = VideoSegmenter(tiny_dgmpm(), size=64)
    message = "object 7 fills the whole image.*give a mask with background in it"
    with pytest.raises(SegmentationError, match=message):
        segmenter.start(moving(1)[0], FULL)
    assert segmenter.ids == ()
    segmenter.start(moving(1)[0], FIRST)
    with pytest.raises(SegmentationError, match=message):
        segmenter.add(moving(1)[0], FULL)
    assert segmenter.ids == (3, 200)


def test_two_objects_may_fill_the_image_each_being_background_to_the_other() -> None:
    mask = FULL.copy()
    mask[:, 40:] = 9
    segmenter = VideoSegmenter(tiny_dgmpm(), size=64)
    assert [entry.present for entry in segmenter.start(moving(1)[0], mask).objects] == [True, True]


def test_without_the_embedding_distance_no_background_is_needed() -> None:
    segmenter = VideoSegmenter(tiny_dgmpm(embedding_distance=False), size=64)
    segmenter.start(moving(1)[0], FULL)
    assert segmenter.step(moving(2)[1]).labels.shape == (64, 96)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_empty_side_leaves_the_prediction_finite(value: float) -> None:
    """Where nobody looked beforehand: the device cannot be asked without waiting for it."""
    network = build()
    features = encoded(network, frames(1))
    masks = boxes()
    masks[:, 1] = value
    prediction, state = network.step(features, network.start(features, masks))
    assert prediction.logits.isfinite().all() and state.anchors.isfinite().all()
