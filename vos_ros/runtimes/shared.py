# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One runtime for several segmenters, each of which has a thread of its own.

Segmenters wait for their turn; one thread of this file computes the turns, in the order in which
they came. With one come those that wait and may be computed in the same pass. As every segmenter
has one turn waiting at most, nobody waits for more than one turn of each of the others. What goes
wrong in a turn is its own segmenter's alone.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import torch
from torch import Tensor

from vos_ros.models.state import ObjectState, Prediction
from vos_ros.runtimes.base import Runtime, portions
from vos_ros.runtimes.together import Outcome, Turn, advance_together, alike

NETWORK_THREAD = "vos_network"
"""What the thread is called."""


class RuntimeClosedError(RuntimeError):
    """The runtime was closed before the turn was computed."""


@dataclass(frozen=True)
class Waiting:
    """A turn that waits.

    Attributes:
        turn: what is to be computed.
        together: whether that may be done in one pass with others.
        future: gets its outcome.
    """

    turn: Turn
    together: bool
    future: Future[Outcome]


class Seat:
    """A runtime by which one segmenter uses a shared one.

    Args:
        shared: the runtime.
        together: whether this segmenter's images may be computed in one pass with those of others.
    """

    def __init__(self, shared: SharedRuntime, together: bool) -> None:
        self.shared = shared
        self.together = together

    @property
    def trouble(self) -> str:
        """See `Runtime`."""
        return self.shared.trouble

    @property
    def threads_beside(self) -> int | None:
        """Of the shared runtime: another segmenter's step may be computed meanwhile."""
        return self.shared.threads_beside

    def advance(self, images: Tensor, state: ObjectState) -> tuple[Prediction, ObjectState]:
        """See `Runtime`; for one image. Waits until the turn has come and was computed.

        Raises:
            RuntimeClosedError: when the shared runtime was closed.
            Exception: what the runtime raised for this turn, by itself.
        """
        waiting = Waiting(Turn(images, state), self.together, Future())
        self.shared.submit(waiting)
        return waiting.future.result()

    def advance_groups(
        self, images: Tensor, states: Sequence[ObjectState]
    ) -> list[tuple[Prediction, ObjectState]]:
        """See `Runtime`; for one image with each of the states, one after the other."""
        return [
            self.advance(images[first:end], state)
            for state, (first, end) in zip(states, portions(states), strict=True)
        ]

    def serve(self, segmenters: int) -> None:
        """Nothing: the shared runtime knows its seats."""

    def ready(self, images: tuple[int, ...], state: ObjectState) -> None:
        """See `Runtime`; between two passes."""
        self.shared.ready(images, state)


class SharedRuntime:
    """Computes the turns of all who have a seat at it, on a thread of its own.

    Args:
        runtime: what computes them. It is used by one thread at a time.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._in_use = threading.Lock()
        self._changed = threading.Condition()
        self._waiting: deque[Waiting] = deque()
        self._closed = False
        self._seats = 0
        self._most = sys.maxsize
        # A daemon, so that a pass that never ends cannot keep the process from exiting.
        self._thread = threading.Thread(target=self._run, name=NETWORK_THREAD, daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str:
        """See `Runtime`."""
        return self._runtime.trouble

    @property
    def waiting(self) -> int:
        """How many turns wait now."""
        with self._changed:
            return len(self._waiting)

    @property
    def threads_beside(self) -> int | None:
        """See `Runtime`."""
        return self._runtime.threads_beside

    def seat(self, together: bool) -> Seat:
        """A runtime for one more segmenter; see `Seat`."""
        with self._changed:
            self._seats += 1
            self._runtime.serve(self._seats)
        return Seat(self, together)

    def submit(self, waiting: Waiting) -> None:
        """Have a turn wait.

        Raises:
            RuntimeClosedError: when `close` was called.
        """
        with self._changed:
            if self._closed:
                raise RuntimeClosedError("the network was let go")
            self._waiting.append(waiting)
            self._changed.notify()

    def ready(self, images: tuple[int, ...], state: ObjectState) -> None:
        """See `Runtime`; between two passes."""
        with self._in_use:
            self._runtime.ready(images, state)

    def close(self, timeout: float | None = None) -> bool:
        """Take no more turns, and fail those that wait.

        Args:
            timeout: seconds to wait for the turn in hand; None waits as long as it takes.

        Returns:
            Whether the thread has ended. Safe to call twice.
        """
        with self._changed:
            self._closed = True
            forgotten, self._waiting = self._waiting, deque()
            self._changed.notify()
        for each in forgotten:
            each.future.set_exception(RuntimeClosedError("the network was let go"))
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        with torch.inference_mode():
            while taken := self._taken():
                for numbers in alike([each.turn for each in taken]):
                    self._compute([taken[number] for number in numbers])
                del taken  # what it holds is not to live until the next turn comes

    def _taken(self) -> list[Waiting]:
        """Wait for turns and take those to be computed next; none when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting)
            if not self._waiting:
                return []
            taken = [self._waiting.popleft()]
            if taken[0].together:
                taken += [each for each in self._waiting if each.together]
                self._waiting = deque(each for each in self._waiting if not each.together)
            return taken

    def _compute(self, group: Sequence[Waiting]) -> None:
        """Compute turns of one form in as few passes as they have been found to fit into."""
        while group:
            part, group = group[: self._most], group[self._most :]
            if len(part) > 1 and self._compute_together(part):
                continue
            # What made a pass fail shows when each is computed alone; and only its own then fails.
            fine = [self._compute_alone(each) for each in part]
            if len(part) > 1 and all(fine):
                # Each fits and not all of them, as when memory is short.
                self._most = len(part) // 2

    def _compute_together(self, part: Sequence[Waiting]) -> bool:
        """Answer several turns by one pass; False, with none answered, when the pass fails."""
        try:
            outcomes = self._pass([each.turn for each in part])
        except Exception:
            return False
        for each, outcome in zip(part, outcomes, strict=True):
            each.future.set_result(outcome)
        return True

    def _compute_alone(self, waiting: Waiting) -> bool:
        """Answer one turn, be it by its error; whether it was none."""
        try:
            (outcome,) = self._pass([waiting.turn])
        except Exception as error:
            waiting.future.set_exception(error)
            return False
        waiting.future.set_result(outcome)
        return True

    def _pass(self, turns: Sequence[Turn]) -> list[Outcome]:
        with self._in_use:
            return advance_together(self._runtime, turns)
