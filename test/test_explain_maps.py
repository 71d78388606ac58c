# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The maps that `explain` shows are those that the networks compute, and nothing is disturbed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from dgmpm_cases import tiny_dgmpm
from explaining import (
    HEIGHT,
    IDS,
    NETWORKS,
    SIZE,
    START,
    WANTED,
    WIDTH,
    clip,
    first_mask,
    remembering_gfddal,
    viewing,
    watched,
)
from tiny import ColourNetwork, add_tiny_backbone
from torch import Tensor, nn

from vos_ros.explain import dgmpm, gfddal
from vos_ros.explain.errors import ExplainError
from vos_ros.explain.explanation import explained
from vos_ros.explain.panels import labels_of
from vos_ros.explain.scene import Scene, scenes
from vos_ros.explain.taps import Taps
from vos_ros.explain.watching import WatchingRuntime
from vos_ros.models.state import ObjectState
from vos_ros.region import RegionSettings
from vos_ros.runtimes.eager import EagerRuntime
from vos_ros.segmenter import VideoSegmenter, ready_network

SLOT = 1  # of IDS[1], which is looked at


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch, one_thread: None) -> None:
    add_tiny_backbone(monkeypatch)


def hooks(network: nn.Module) -> int:
    return sum(len(part._forward_hooks) for part in network.modules())


def numbers(values: Tensor) -> np.ndarray:
    return values.detach().double().numpy()


def directions_of(ready, image: np.ndarray) -> np.ndarray:
    """D x places, of an image that the network sees as it is."""
    frame = torch.from_numpy(image).permute(2, 0, 1)[None]
    with torch.inference_mode():
        found = ready.network.encode(ready.network.normalise(frame)).directions[0].flatten(1)
    return numbers(found)


# --- taps -----------------------------------------------------------------------------------------


def test_a_tap_hears_what_was_said_when_it_was_said() -> None:
    layer = nn.Sequential(nn.Linear(2, 3), nn.ReLU(inplace=True))
    nn.init.constant_(layer[0].weight, 1)
    nn.init.constant_(layer[0].bias, -1)
    given = torch.tensor([[1.0, -2.0]])
    with Taps({"linear": layer[0], "both": layer}) as heard:
        result = layer(given)
        given.zero_()
    assert torch.equal(heard["linear"].inputs[0], torch.tensor([[1.0, -2.0]]))
    assert torch.equal(heard["linear"].output, torch.full((1, 3), -2.0))
    assert torch.equal(heard["both"].output, torch.zeros(1, 3)) and not result.any()


def test_taps_are_gone_afterwards_whatever_happened() -> None:
    layer = nn.Linear(2, 2)
    with pytest.raises(RuntimeError), Taps({"it": layer}):
        assert hooks(layer) == 1
        layer(torch.zeros(1, 5))
    assert hooks(layer) == 0


@pytest.mark.parametrize("kind", NETWORKS)
def test_nothing_is_left_in_the_network(kind: str) -> None:
    ready, found = watched(NETWORKS[kind]())
    assert len(found) == len(WANTED) and all(scene.step.heard for scene in found)
    assert hooks(ready.network) == 0


@pytest.mark.parametrize("kind", NETWORKS)
def test_steps_are_the_same_to_the_bit(kind: str) -> None:
    """Those of the runtime, and what a segmenter makes of a clip with it."""
    ready = ready_network(NETWORKS[kind](), "cpu", "fp32", "torch", True)
    explainer = {"gfddal": gfddal, "dgmpm": dgmpm}[kind]
    watching = WatchingRuntime(ready.network, explainer.listened(ready.network))
    plain = EagerRuntime(ready.network)
    masks = torch.zeros(1, 2, HEIGHT, WIDTH)
    masks[:, 0, :32, :48], masks[:, 1, 32:, 48:] = 1, 1
    frames = [
        ready.network.normalise(torch.from_numpy(image).permute(2, 0, 1)[None])
        for _, image in clip()
    ]
    with torch.inference_mode():
        state = other = ready.network.start(ready.network.encode(frames[0]), masks)
        for frame in frames[1:]:
            expected, state = plain.advance(frame, state)
            found, other = watching.advance(frame, other)
            assert torch.equal(found.logits, expected.logits)
            assert same(other, state) and watching.last.after is other
    segmenters = [VideoSegmenter(r, size=SIZE) for r in (ready, ready.with_runtime(watching))]
    for segmenter in segmenters:
        segmenter.start(clip()[0][1], first_mask())
    for _, image in clip()[1:]:
        one, two = (segmenter.step(image) for segmenter in segmenters)
        assert np.array_equal(one.labels, two.labels) and one.objects == two.objects


def same(one: ObjectState, two: ObjectState) -> bool:
    pairs = zip(one.tensors().values(), two.tensors().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


# --- scenes ---------------------------------------------------------------------------------------


def test_a_scene_is_of_its_frame_and_its_object() -> None:
    _, found = watched(remembering_gfddal())
    frames = dict(clip())
    for scene, number in zip(found, WANTED, strict=True):
        assert scene.number == number and scene.slot == SLOT
        assert np.array_equal(scene.image, frames[number])
        assert np.array_equal(scene.view, frames[number])  # nothing is scaled here
        logits = numbers(scene.step.prediction.logits[0])
        odds = np.exp(logits - logits.max(axis=0))
        np.testing.assert_allclose(scene.soft_mask(), odds[1 + SLOT] / odds.sum(axis=0), atol=1e-6)


def test_a_closer_look_is_framed_where_it_is() -> None:
    """The network is shown a part; the frame drawn around it says which."""
    mask = np.where(first_mask() == IDS[1], IDS[1], 0)
    frames = [clip()[0], (START + 1, clip()[0][1])]  # it stands still
    ready = ready_network(remembering_gfddal(), "cpu", "fp32", "torch", True)
    closely = viewing(wanted=(START + 1,), region=RegionSettings(1.5, 0.2), size=32)
    (scene,) = scenes(ready, {}, frames, mask, closely)
    region = scene.geometry.region
    assert region.width < WIDTH and region.height < HEIGHT
    left, top, width, height = labels_of(scene).frame
    window = frames[0][1][
        round(top * HEIGHT) : round((top + height) * HEIGHT),
        round(left * WIDTH) : round((left + width) * WIDTH),
    ]
    assert window.shape[:2] == region.size
    scaled = torch.nn.functional.interpolate(
        torch.from_numpy(window.copy()).permute(2, 0, 1)[None].float(), scene.view.shape[:2],
        mode="bilinear", antialias=True,
    )  # fmt: skip
    shown = scaled[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(scene.view.astype(float), shown, atol=1.01)


def test_nothing_after_the_last_wanted_frame_is_read() -> None:
    read = []

    def frames():
        for number, image in clip():
            read.append(number)
            yield number, image

    ready = ready_network(NETWORKS["dgmpm"](), "cpu", "fp32", "torch", True)
    list(scenes(ready, {}, frames(), first_mask(), viewing(wanted=(START + 2,))))
    assert read == [START, START + 1, START + 2]


def test_a_clip_that_ends_or_changes_is_told() -> None:
    ready = ready_network(NETWORKS["dgmpm"](), "cpu", "fp32", "torch", True)
    with pytest.raises(ExplainError, match="ends with frame 10; there is no 30"):
        list(scenes(ready, {}, clip(), first_mask(), viewing(wanted=(30,))))
    other = [*clip(2), (START + 2, np.zeros((32, 32, 3), np.uint8))]
    with pytest.raises(ExplainError, match="frame 7 is of another size than frame 5"):
        list(scenes(ready, {}, other, first_mask(), viewing()))
    with pytest.raises(ExplainError, match="ends before the frame that the mask belongs to"):
        list(scenes(ready, {}, [], first_mask(), viewing()))


# --- GFDDAL ---------------------------------------------------------------------------------------


@pytest.fixture
def guided() -> tuple[object, list[Scene]]:
    more = {"merge": "merge", "block": "modulation.current", "memory": "memory"}
    return watched(remembering_gfddal(), more)


def test_matches_are_the_best_cosines(guided) -> None:
    """By NumPy, from the embeddings of both frames and the mask, and as the network read them."""
    ready, found = guided
    mask = (first_mask() == IDS[1]).astype(float)
    cells = mask.reshape(HEIGHT // 16, 16, WIDTH // 16, 16).mean(axis=(1, 3)).ravel()
    first = directions_of(ready, clip()[0][1])
    for scene in found:
        _, p, q, difference = gfddal.matching_cells(scene)
        cosines = first.T @ directions_of(ready, scene.image)
        expected_p = (cells[:, None] * cosines).max(axis=0).reshape(p.values.shape)
        expected_q = ((1 - cells)[:, None] * cosines).max(axis=0).reshape(p.values.shape)
        np.testing.assert_allclose(p.values, expected_p, atol=1e-5)
        np.testing.assert_allclose(q.values, expected_q, atol=1e-5)
        np.testing.assert_allclose(difference.values, expected_p - expected_q, atol=1e-5)
        read = scene.step.heard["merge"].inputs[0][SLOT].numpy()
        for values in (p.values, q.values):
            assert any(np.array_equal(values, cue) for cue in read)


def test_posteriors_add_up_to_one_and_are_those_read(guided) -> None:
    ready, found = guided
    kappa = np.exp(numbers(ready.network.appearance.log_kappa))
    for scene in found:
        posterior = np.stack([cell.values for cell in gfddal.appearance_cells(scene)[1:]])
        assert posterior.shape[0] == 4 and posterior.min() >= 0
        np.testing.assert_allclose(posterior.sum(axis=0), 1, atol=1e-6)
        means = numbers(scene.step.state.means[0, SLOT])
        logs = numbers(scene.step.state.log_normalisers[0, SLOT])[:, None]
        logs = logs + kappa[:, None] * (means @ directions_of(ready, scene.image))
        expected = np.exp(logs - logs.max(axis=0))
        expected = (expected / expected.sum(axis=0)).reshape(posterior.shape)
        np.testing.assert_allclose(posterior, expected, atol=1e-5)
        read = scene.step.heard["merge"].inputs[0][SLOT].numpy()
        assert all(any(np.array_equal(one, cue) for cue in read) for one in posterior)


def test_alpha_and_beta_are_what_steers_the_features(guided) -> None:
    _, found = guided
    for scene in found:
        heard = scene.step.heard
        alpha, beta = heard["alpha and beta"].output.chunk(2, dim=1)
        features = scene.step.features.context
        torch.testing.assert_close(heard["block"].output, alpha * features + beta)
        _, coarse, *shown = gfddal.modulation_cells(scene)
        for cell, values in zip(shown, (alpha, beta, heard["guided"].output), strict=True):
            np.testing.assert_allclose(cell.values, values[SLOT].mean(dim=0), atol=1e-6)
        assert np.array_equal(coarse.values, scene.step.state.coarse[0, SLOT])


def test_reading_is_the_softmax_of_cosines(guided) -> None:
    ready, found = guided
    memory = ready.network.memory
    sharpness = float(memory.log_sharpness.exp())
    for scene in found:
        state, directions = scene.step.state, scene.step.features.directions
        shape = directions.shape[-2:]
        with torch.inference_mode():
            shares = gfddal.reading(memory, state, directions, SLOT, (1, 2))
            seen = gfddal.vote(memory, scene)
        assert shares.shape == (3, *shape)
        keys = numbers(state.memory_keys[0, SLOT]).reshape(-1, directions.shape[1])
        logs = sharpness * keys @ numbers(directions[0, :, 1, 2])
        expected = np.exp(logs - logs.max())
        expected /= expected.sum()
        np.testing.assert_allclose(shares.flatten(), expected, atol=1e-5)
        masks = np.concatenate([numbers(f.masks[SLOT]).ravel() for f in scene.remembered])
        np.testing.assert_allclose(seen[1, 2], expected @ masks, atol=1e-5)
        # And it is by these weights that the network reads.
        values = numbers(state.memory_values[0, SLOT]).reshape(len(logs), -1)
        read = scene.step.heard["memory"].output[SLOT, :, 1, 2]
        np.testing.assert_allclose(read, expected @ values, atol=1e-4)


def test_remembered_frames_are_known_again(guided) -> None:
    ready, found = guided
    frames = dict(clip())
    for scene in found:
        first, between, last = scene.remembered
        assert first.number == START and START <= between.number <= last.number < scene.number
        for index, frame in enumerate(scene.remembered):
            assert np.array_equal(frame.view, frames[frame.number])
            np.testing.assert_allclose(
                directions_of(ready, frames[frame.number]).T,
                numbers(scene.step.state.memory_keys[0, SLOT, index]), atol=1e-6,
            )  # fmt: skip
    mask = (first_mask() == IDS[1]).reshape(HEIGHT // 16, 16, WIDTH // 16, 16).mean(axis=(1, 3))
    np.testing.assert_allclose(found[0].remembered[0].masks[SLOT], mask, atol=1e-6)
    # The memory keeps every second frame; that one is the last one, too.
    assert [[f.number for f in scene.remembered] for scene in found] == [[5, 5, 6], [5, 9, 9]]


def test_the_surest_place_is_inside() -> None:
    soft = np.zeros((64, 96), np.float32)
    soft[0:16, 80:96] = 1  # as sure, but alone, in a corner
    soft[16:64, 0:48] = 0.9
    assert gfddal.surest_place(soft, 16) == (2, 1)


@pytest.mark.parametrize(
    ("switched_off", "names"),
    [
        ({"modulation": False}, "matching appearance memory output"),
        ({"matching": False}, "modulation appearance memory output"),
        ({"appearance": False}, "modulation matching memory output"),
        ({"memory": 0}, "modulation matching appearance output"),
    ],
)
def test_a_part_that_is_not_there_is_not_shown(switched_off: dict, names: str) -> None:
    found = explained(
        remembering_gfddal(**switched_off), clip(), first_mask(), viewing(wanted=(START + 1,))
    )
    assert " ".join(found) == names
    for part, rows in found.values():
        assert all(len(row.cells) == len(part.columns) for row in rows)


# --- DGMPM ----------------------------------------------------------------------------------------


def test_distances_are_euclidean() -> None:
    ready, found = watched(NETWORKS["dgmpm"]())
    for scene in found:
        _, foreground, background, nearer = dgmpm.distance_cells(scene)
        vectors = numbers(scene.step.features.embedding[0])
        anchors = numbers(scene.step.state.anchors[0, SLOT])
        apart = [np.linalg.norm(vectors - anchor[:, None, None], axis=0) for anchor in anchors]
        np.testing.assert_allclose(foreground.values, apart[0], atol=1e-3)
        np.testing.assert_allclose(background.values, apart[1], atol=1e-3)
        expected = 1 / (1 + np.exp(apart[0] - apart[1]))
        np.testing.assert_allclose(nearer.values, expected, atol=1e-3)
        levels = ready.network.guiding_maps(scene.step.features, scene.step.state)
        assert np.array_equal(levels[2][SLOT, 0], nearer.values)  # the embedding's stride is 2


def test_attention_is_what_the_shallow_features_are_multiplied_by() -> None:
    ready, found = watched(NETWORKS["dgmpm"]())
    *_, part, _ = dgmpm.parts(ready.network)
    strides = ready.network.decoder.strides[1:]
    assert part.name == "attention" and len(part.columns) == 1 + len(strides) == 5
    for scene in found:
        for stride, cell in zip(strides, part.cells(scene)[1:], strict=True):
            call = scene.step.heard[f"attention {stride}"]
            deep, shallow = call.inputs
            assert cell.values.shape == (HEIGHT // stride, WIDTH // stride)
            assert 0 <= cell.values.min() < cell.values.max() <= 1
            weighted = call.output[SLOT, deep.shape[1] :].numpy()
            np.testing.assert_array_equal(weighted, cell.values * shallow[SLOT].numpy())


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"embedding_distance": False}, "attention output"),
        ({"attention": "channel"}, "distance output"),
        ({"attention": "none", "previous_mask": False}, "distance output"),
    ],
)
def test_ablated_parts_are_not_shown(changes: dict, names: str) -> None:
    network = tiny_dgmpm(**changes)
    found = explained(network, clip(), first_mask(), viewing(wanted=(START + 1,)))
    assert " ".join(found) == names
    titles = [column.title for column in found["output"][0].columns]
    assert ("previous mask" in titles) == network.previous_mask
    for part, rows in found.values():
        assert all(len(row.cells) == len(part.columns) for row in rows)


def test_another_network_is_refused() -> None:
    with pytest.raises(ExplainError, match="how a ColourNetwork is to be explained"):
        explained(ColourNetwork(), clip(), first_mask(), viewing())
