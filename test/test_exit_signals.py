# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The notes taken of signals: an exception at most once, and only where it is asked for."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from vos_ros.ros.exit_signals import NUMBERS, ExitSignals


@pytest.fixture
def signals() -> Iterator[ExitSignals]:
    before = {number: signal.getsignal(number) for number in NUMBERS}
    signals = ExitSignals()
    signals.install()
    yield signals
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_is_noted_and_raises_nothing(signals, number):
    assert not signals.came
    signal.raise_signal(number)
    signal.raise_signal(number)
    assert signals.came


@pytest.mark.parametrize("number", NUMBERS)
def test_the_first_signal_interrupts_where_that_is_asked_for(signals, number):
    with pytest.raises(KeyboardInterrupt), signals.interrupting():
        signal.raise_signal(number)
    signal.raise_signal(number)
    assert signals.came


def test_later_signals_interrupt_nothing(signals):
    seen = []
    with pytest.raises(KeyboardInterrupt), signals.interrupting():
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGTERM)
            seen.append("cleaned up")
    assert seen == ["cleaned up"]


def test_a_signal_that_came_before_interrupts_at_once(signals):
    signal.raise_signal(signal.SIGTERM)
    entered = []
    with pytest.raises(KeyboardInterrupt), signals.interrupting():
        entered.append(True)
    assert not entered


def test_nothing_is_interrupted_afterwards(signals):
    with signals.interrupting():
        pass
    signal.raise_signal(signal.SIGINT)
    assert signals.came
