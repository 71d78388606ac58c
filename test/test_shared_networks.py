# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One network for several cameras: loaded once, results as if alone, memory by the formula."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from held_memory import tensor_bytes
from networks import SMALL
from scenes import BLUE, FIRST, RED, mask_of, scene
from tiny import ColourNetwork, add_tiny_backbone

from vos_ros.models.state import SegmentationNetwork
from vos_ros.ros.model import NetworkChoice
from vos_ros.ros.parameters import Settings
from vos_ros.ros.shared_networks import CameraNetwork, SharedNetworks
from vos_ros.runtimes.shared import NETWORK_THREAD
from vos_ros.segmenter import VideoSegmenter, ready_network
from vos_ros.weights import ModelCard

LONG = 30.0
CARD = ModelCard("small", {})
CHOICE = NetworkChoice(Path("a"), "cpu", "fp32", "torch")


class Opener:
    """Makes a small network ready, and tells how often it was asked for which."""

    def __init__(self, network: SegmentationNetwork) -> None:
        self._network = network
        self.asked: list[NetworkChoice] = []
        self.error: Exception | None = None
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def __call__(self, choice: NetworkChoice):
        self.asked.append(choice)
        assert self.may_go_on.wait(LONG)
        if self.error is not None:
            raise self.error
        ready = ready_network(self._network, choice.device, choice.precision, "torch", True)
        return ready, CARD


def network_threads() -> int:
    return sum(thread.name == NETWORK_THREAD for thread in threading.enumerate())


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Every test gives back what it takes."""
    before = network_threads()
    yield
    assert network_threads() == before


@pytest.fixture
def opener() -> Opener:
    return Opener(ColourNetwork())


def test_a_network_is_loaded_once_and_let_go_by_the_last(opener: Opener) -> None:
    networks = SharedNetworks(opener)
    seats = [networks.take(CHOICE, together=True)[0] for _ in range(3)]
    assert len(opener.asked) == 1
    assert len({id(seat.network) for seat in seats}) == 1
    for left in (2, 1, 0):
        networks.give_back(CHOICE)
        assert networks.count == bool(left) == network_threads()
    networks.take(CHOICE, together=True)
    assert len(opener.asked) == 2
    networks.give_back(CHOICE)


def test_another_choice_is_another_network(opener: Opener) -> None:
    networks = SharedNetworks(opener)
    choices = [CHOICE, NetworkChoice(Path("a"), "cpu", "bf16", "torch")]
    seats = [networks.take(choice, together=True)[0] for choice in choices]
    assert [seat.precision for seat in seats] == ["fp32", "bf16"]
    assert networks.count == 2
    for choice in choices:
        networks.give_back(choice)


def test_who_comes_while_it_is_loaded_waits_for_it(opener: Opener) -> None:
    networks = SharedNetworks(opener)
    opener.may_go_on.clear()
    with ThreadPoolExecutor(2) as pool:
        seats = [pool.submit(networks.take, CHOICE, True) for _ in range(2)]
        opener.may_go_on.set()
        one, other = (seat.result(LONG)[0] for seat in seats)
    assert one.network is other.network
    assert len(opener.asked) == 1
    for _ in seats:
        networks.give_back(CHOICE)


def test_a_camera_that_cannot_have_its_network_leaves_nothing_behind(opener: Opener) -> None:
    networks = SharedNetworks(opener)
    camera = CameraNetwork(networks)
    opener.error = ValueError("damaged")
    with pytest.raises(ValueError, match="damaged"):
        camera.build(Settings(device="cpu"))
    opener.error = None
    with pytest.raises(ValueError, match="margin"):
        camera.build(Settings(device="cpu", region_margin=1.0))
    assert networks.count == 0
    camera.let_go()


def test_a_camera_uses_one_network_at_a_time(opener: Opener) -> None:
    networks = SharedNetworks(opener)
    camera = CameraNetwork(networks)
    for precision in ("fp32", "bf16", "bf16"):
        _, card, words = camera.build(Settings(device="cpu", precision=precision))
        assert card is CARD
        assert precision in words and words.endswith("the network shared")
        assert networks.count == 1
    camera.let_go()
    camera.let_go()
    assert networks.count == 0


@pytest.mark.parametrize(
    ("batching", "device", "together"),
    [
        ("auto", "cpu", False),
        ("auto", "cuda", True),
        ("auto", "cuda:1", True),
        ("always", "cpu", True),
        ("never", "cuda", False),
    ],
)
def test_by_itself_batching_goes_by_the_device(
    batching: str, device: str, together: bool, opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    class Networks:
        def take(self, choice: NetworkChoice, together: bool):
            asked.append(together)
            return opener(CHOICE)

        def give_back(self, choice: NetworkChoice) -> None:
            pass

    monkeypatch.setattr("vos_ros.ros.model.choose_device", lambda wanted: wanted)
    CameraNetwork(Networks()).build(Settings(device=device, precision="fp32", batching=batching))
    assert asked == [together]


class Film:
    """What one camera sees: two squares that move, differently for every camera."""

    def __init__(self, number: int, objects: int) -> None:
        self._number = number
        self.mask = mask_of(*((4, 8 + number, 20, 1), (60, 40, 20, 2))[:objects])

    def frame(self, index: int) -> np.ndarray:
        red = (4 + 2 * index, 8 + self._number, 20, RED)
        return scene(red, (60, 40 - index, 20, BLUE), seed=100 * self._number + index)


def followed(segmenter: VideoSegmenter, film: Film, frames: int = 6) -> list[np.ndarray]:
    """The labels of a film's frames after the first."""
    segmenter.start(film.frame(0), film.mask)
    return [segmenter.step(film.frame(index)).labels for index in range(1, frames)]


@pytest.fixture
def on_one(
    network: SegmentationNetwork,
) -> Iterator[Callable[[int, bool], Sequence[VideoSegmenter]]]:
    """Makes segmenters on one network; and gives it back."""
    networks = SharedNetworks(Opener(network))
    taken = 0

    def make(count: int, together: bool) -> list[VideoSegmenter]:
        nonlocal taken
        taken += count
        readies = [networks.take(CHOICE, together)[0] for _ in range(count)]
        return [VideoSegmenter(ready, size=64) for ready in readies]

    yield make
    for _ in range(taken):
        networks.give_back(CHOICE)


@pytest.mark.parametrize("together", [False, True])
def test_cameras_that_share_find_what_each_would_find_alone(network, on_one, together) -> None:
    """Two with two objects, one with one; all at the same time."""
    films = [Film(number, objects) for number, objects in enumerate((2, 2, 1))]
    alone = [followed(VideoSegmenter(network, size=64), film) for film in films]
    with ThreadPoolExecutor(len(films)) as pool:
        shared = list(pool.map(followed, on_one(len(films), together), films))
    for expected, found in zip(alone, shared, strict=True):
        agreeing = [np.mean(a == b) for a, b in zip(expected, found, strict=True)]
        assert min(agreeing) >= 0.999, agreeing


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("together", [False, True])
def test_cameras_that_share_a_gpu_find_what_each_would_find_alone(network, together) -> None:
    films = [Film(number, objects) for number, objects in enumerate((2, 2, 1))]
    alone = [followed(VideoSegmenter(network, size=64, device="cuda"), film) for film in films]
    networks = SharedNetworks(Opener(network))
    choice = NetworkChoice(Path("a"), "cuda", "fp32", "torch")
    readies = [networks.take(choice, together)[0] for _ in films]
    with ThreadPoolExecutor(len(films)) as pool:
        segmenters = [VideoSegmenter(ready, size=64) for ready in readies]
        shared = list(pool.map(followed, segmenters, films))
    for _ in films:
        networks.give_back(choice)
    for expected, found in zip(alone, shared, strict=True):
        agreeing = [np.mean(a == b) for a, b in zip(expected, found, strict=True)]
        assert min(agreeing) >= 0.99, agreeing


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("name", ["gfddal", "dgmpm"])
def test_memory_is_weights_and_so_much_for_each_object_of_each_camera(
    name: str, together: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_tiny_backbone(monkeypatch)
    network = SMALL[name]()
    films = [Film(number, 2) for number in range(3)]
    before = tensor_bytes()
    networks = SharedNetworks(Opener(network))
    readies = [networks.take(CHOICE, together)[0] for _ in films]
    weights = readies[0].weight_bytes
    per_object = readies[0].network.state_bytes(64, 96)
    assert weights > 0 and per_object > 0
    segmenters = [VideoSegmenter(ready, size=64) for ready in readies]
    with ThreadPoolExecutor(len(films)) as pool:
        for frames in (2, 10):
            list(pool.map(followed, segmenters, films, [frames] * len(films)))
            expected = weights + len(films) * 2 * per_object
            # Constants of the network are counted for every object, and need not be held so often.
            assert 0.999 * expected <= tensor_bytes() - before <= expected
    assert sum(segmenter.state_bytes for segmenter in segmenters) == expected - weights
    for _ in readies:
        networks.give_back(CHOICE)


def test_the_film_is_not_the_same_for_every_camera() -> None:
    assert np.mean(Film(0, 2).frame(3) == Film(1, 2).frame(3)) < 0.9
    assert set(np.unique(FIRST)) == {0, 3, 200}
