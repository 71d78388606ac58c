# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A runtime that several threads share: who is served when, together with whom, and who fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import pytest
import torch
from networks import SMALL
from runtime_turns import LONG, GatedRuntime, prepared, turn_of
from tiny import ColourNetwork, add_tiny_backbone

from vos_ros.runtimes import build_runtime, choose_runtime
from vos_ros.runtimes.shared import NETWORK_THREAD, RuntimeClosedError, Seat, SharedRuntime
from vos_ros.runtimes.together import Turn


@pytest.fixture
def ready():
    return prepared(ColourNetwork())


@pytest.fixture
def gated(ready) -> GatedRuntime:
    return GatedRuntime(ready)


@pytest.fixture
def shared(gated: GatedRuntime) -> Iterator[SharedRuntime]:
    runtime = SharedRuntime(gated)
    yield runtime
    gated.let_through(1000)
    assert runtime.close(LONG)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool


def submit(threads: ThreadPoolExecutor, seat: Seat, turn: Turn) -> Future:
    """Have a thread of its own wait for a turn; return once the turn is waiting."""
    before = seat.shared.waiting
    future = threads.submit(seat.advance, turn.image, turn.state)
    end = time.monotonic() + LONG
    while seat.shared.waiting == before:
        assert time.monotonic() < end and not future.done()
    return future


def begin(threads: ThreadPoolExecutor, seat: Seat, gated: GatedRuntime, turn: Turn) -> Future:
    """Submit a turn that is taken at once, so that what comes after it has to wait."""
    future = threads.submit(seat.advance, turn.image, turn.state)
    assert gated.entered.acquire(timeout=LONG)
    return future


def logits(future: Future) -> torch.Tensor:
    return future.result(LONG)[0].logits


def expected(ready, turn: Turn) -> torch.Tensor:
    with torch.inference_mode():
        return ready.advance(turn.image, turn.state)[0].logits


def test_a_seat_has_the_images_of_several_states_computed_one_by_one(ready, gated, shared):
    gated.let_through(3)
    turns = [turn_of(ready, objects, seed) for seed, objects in enumerate((1, 3, 2))]
    images = torch.cat([turn.image for turn in turns])
    found = shared.seat(False).advance_groups(images, [turn.state for turn in turns])
    for (prediction, state), turn in zip(found, turns, strict=True):
        torch.testing.assert_close(prediction.logits, expected(ready, turn), rtol=1e-4, atol=1e-4)
        assert state.count == turn.state.count


def test_turns_that_wait_at_the_same_moment_are_one_pass(ready, gated, shared, threads):
    seat = shared.seat(True)
    turns = [turn_of(ready, 1, seed) for seed in range(4)]
    first = begin(threads, seat, gated, turns[0])
    others = [submit(threads, seat, turn) for turn in turns[1:]]
    gated.let_through(2)
    for future, turn in zip([first, *others], turns, strict=True):
        torch.testing.assert_close(logits(future), expected(ready, turn), rtol=1e-4, atol=1e-4)
    assert gated.passes == [1, 3]


def test_turns_of_different_forms_are_passes_of_their_own(ready, gated, shared, threads):
    seat = shared.seat(True)
    sizes = ((64, 96), (96, 64), (64, 96), (64, 64), (96, 64))
    turns = [turn_of(ready, 1, seed, size) for seed, size in enumerate(sizes)]
    first = begin(threads, seat, gated, turns[0])
    futures = [submit(threads, seat, turn) for turn in turns]
    gated.let_through(4)
    for future, turn in zip(futures, turns, strict=True):
        torch.testing.assert_close(logits(future), expected(ready, turn), rtol=1e-4, atol=1e-4)
    assert logits(first) is not None
    assert gated.passes == [1, 2, 2, 1]


def test_where_they_take_turns_nobody_starves(ready, gated, shared, threads):
    """Four cameras come back as soon as they were served; each is served every fourth time."""
    seat = shared.seat(False)
    served: list[int] = []
    turn = turn_of(ready)
    gated.refuse = lambda images, state: served.append(int(state.steps[0, 0, 0]))

    def camera(number: int) -> Turn:
        steps = torch.full_like(turn.state.steps, number)
        return Turn(turn.image, type(turn.state)(turn.state.colours, steps, turn.state.previous))

    waiting = {begin(threads, seat, gated, camera(0)): 0}
    waiting |= {submit(threads, seat, camera(number)): number for number in (1, 2, 3)}
    for _ in range(40):
        gated.let_through()
        (done,) = wait(waiting, LONG, FIRST_COMPLETED).done
        assert gated.entered.acquire(timeout=LONG)  # the next is in hand
        number = waiting.pop(done)
        waiting[submit(threads, seat, camera(number))] = number
    assert served == [0, 1, 2, 3] * 10
    assert set(gated.passes) == {1}
    gated.let_through(len(waiting))


def test_who_wants_to_be_alone_is_and_loses_no_place_by_it(ready, gated, shared, threads):
    both = {True: shared.seat(True), False: shared.seat(False)}
    turns = [turn_of(ready, 1, seed) for seed in range(6)]
    first = begin(threads, both[True], gated, turns[0])
    wishes = [True, False, True, False, True]
    futures = [
        submit(threads, both[wish], turn) for wish, turn in zip(wishes, turns[1:], strict=True)
    ]
    gated.let_through(4)
    for future, turn in zip([first, *futures], turns, strict=True):
        torch.testing.assert_close(logits(future), expected(ready, turn), rtol=1e-4, atol=1e-4)
    assert gated.passes == [1, 3, 1, 1]


def test_what_fails_in_one_turn_fails_there_alone(ready, gated, shared, threads):
    seat = shared.seat(True)
    first = begin(threads, seat, gated, turn_of(ready))
    turns = [turn_of(ready, 1, seed) for seed in range(1, 4)]
    bad = turns[1].image

    def refuse(images: torch.Tensor, state: object) -> None:
        if any(torch.equal(image, bad[0]) for image in images):
            raise ZeroDivisionError("this image")

    gated.refuse = refuse
    futures = [submit(threads, seat, turn) for turn in turns]
    gated.let_through(5)
    assert logits(first) is not None
    with pytest.raises(ZeroDivisionError, match="this image"):
        futures[1].result(LONG)
    for number in (0, 2):
        torch.testing.assert_close(logits(futures[number]), expected(ready, turns[number]))
    assert gated.passes == [1, 3, 1, 1, 1]
    gated.let_through()
    assert logits(threads.submit(seat.advance, turns[0].image, turns[0].state)) is not None


def test_where_a_pass_of_many_does_not_fit_fewer_are_tried_from_then_on(
    ready, gated, shared, threads
):
    seat = shared.seat(True)

    def refuse(images: torch.Tensor, state: object) -> None:
        if len(images) > 2:
            raise torch.OutOfMemoryError("of four at once")

    gated.refuse = refuse
    gated.let_through(1000)
    turns = [turn_of(ready, 1, seed) for seed in range(5)]
    for round_ in range(2):
        del gated.passes[:]
        gated._through = threading.Semaphore(0)
        while gated.entered.acquire(blocking=False):
            pass
        first = begin(threads, seat, gated, turns[0])
        futures = [submit(threads, seat, turn) for turn in turns[1:]]
        gated.let_through(10)
        for future, turn in zip([first, *futures], turns, strict=True):
            torch.testing.assert_close(logits(future), expected(ready, turn), rtol=1e-4, atol=1e-4)
        assert gated.passes == ([1, 4, 1, 1, 1, 1] if round_ == 0 else [1, 2, 2])


def test_one_thread_computes_whoever_asks(ready, shared, gated, threads, monkeypatch):
    seen = set()
    own = type(ready).step

    def step(self, features, state):
        seen.add(threading.current_thread().name)
        return own(self, features, state)

    monkeypatch.setattr(type(ready), "step", step)
    seat = shared.seat(False)
    gated.let_through(4)
    turns = [turn_of(ready, 1, seed) for seed in range(4)]
    for future in [threads.submit(seat.advance, t.image, t.state) for t in turns]:
        future.result(LONG)
    assert seen == {NETWORK_THREAD}


def test_closing_ends_the_turn_in_hand_and_fails_the_others(ready, gated, shared, threads):
    seat = shared.seat(True)
    first = begin(threads, seat, gated, turn_of(ready))
    waiting = submit(threads, seat, turn_of(ready, 1, 1))
    assert shared.close(0) is False
    with pytest.raises(RuntimeClosedError):
        waiting.result(LONG)
    gated.let_through()
    assert logits(first) is not None
    assert shared.close(LONG) is True
    late = threads.submit(seat.advance, *vars(turn_of(ready)).values())
    with pytest.raises(RuntimeClosedError):
        late.result(LONG)


def test_what_a_first_step_would_wait_for_is_done_between_two_passes(ready, gated, shared, threads):
    done: list[tuple[tuple[int, ...], int, list[int]]] = []
    gated.ready = lambda images, state: done.append((images, state.count, list(gated.passes)))
    seat = shared.seat(False)
    turn = turn_of(ready, 2)
    first = begin(threads, seat, gated, turn)
    preparing = threads.submit(seat.ready, (1, 3, 64, 96), turn.state)
    assert not done
    gated.let_through()
    preparing.result(LONG)
    assert done == [((1, 3, 64, 96), 2, [1])]
    assert logits(first) is not None


@pytest.mark.skipif(
    choose_runtime("auto", torch.device("cpu"), "fp32") != "openvino",
    reason="OpenVINO is not installed",
)
def test_compiled_steps_of_as_many_forms_as_there_are_seats_are_kept(monkeypatch) -> None:
    """Six cameras with different numbers of objects: nothing is compiled twice."""
    add_tiny_backbone(monkeypatch)
    network = prepared(SMALL["dgmpm"]())
    runtime = build_runtime("openvino", network, "fp32")
    compiled: list[object] = []
    own = runtime._compiler.step
    monkeypatch.setattr(
        runtime._compiler, "step", lambda key, state: compiled.append(key) or own(key, state)
    )
    shared = SharedRuntime(runtime)
    turns = [turn_of(network, objects) for objects in range(1, 7)]
    seats = [shared.seat(False) for _ in turns]
    for _ in range(2):
        for seat, turn in zip(seats, turns, strict=True):
            seat.advance(turn.image, turn.state)
    assert len(compiled) == len(set(compiled)) == len(turns)
    assert shared.close(LONG)
