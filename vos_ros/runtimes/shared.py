# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One runtime for several segmenters, each of which has a thread of its own.

Segmenters wait for their turn; one thread of this file computes the turns. Nobody is passed over:
whoever waits has at most one turn waiting, and turns are taken in the order of their coming, or all
that wait at once. What goes wrong in a turn is its own segmenter's alone.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future

import torch
from torch import Tensor

from vos_ros.models.state import ObjectState, Prediction
from vos_ros.runtimes.base import Runtime
from vos_ros.runtimes.together import Outcome, Turn, advance_together, alike

Waiting = tuple[Turn, "Future[Outcome]"]
"""A turn, and what is to have its outcome."""
NETWORK_THREAD = "vos_network"
"""What the thread is called."""


class RuntimeClosedError(RuntimeError):
    """The runtime was closed before the turn was computed."""


class SharedRuntime:
    """Computes the turns of all who have a seat at it.

    Args:
        runtime: what computes them. It is used by one thread at a time.
        together: whether turns that wait at the same moment and are of one form are computed in
            one pass. Otherwise they take turns in the order in which they came.
    """

    def __init__(self, runtime: Runtime, *, together: bool) -> None:
        self._runtime = runtime
        self._together = together
        self._in_use = threading.Lock()
        self._changed = threading.Condition()
        self._waiting: deque[Waiting] = deque()
        self._closed = False
        self._most = sys.maxsize
        # A daemon, so that a pass that never ends cannot keep the process from exiting.
        self._thread = threading.Thread(target=self._run, name=NETWORK_THREAD, daemon=True)
        self._thread.start()

    @property
    def together(self) -> bool:
        """Whether turns that wait at the same moment are computed in one pass."""
        return self._together

    def advance(self, images: Tensor, state: ObjectState) -> tuple[Prediction, ObjectState]:
        """See `Runtime`; for one image. Waits until the turn has come and was computed.

        Raises:
            RuntimeClosedError: when `close` was called.
            Exception: what the runtime raised for this turn, by itself.
        """
        future: Future[Outcome] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeClosedError("the network was let go")
            self._waiting.append((Turn(images, state), future))
            self._changed.notify()
        return future.result()

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
        for _, future in forgotten:
            future.set_exception(RuntimeClosedError("the network was let go"))
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        with torch.inference_mode():
            while taken := self._taken():
                turns = [turn for turn, _ in taken]
                for numbers in alike(turns):
                    self._compute([taken[number] for number in numbers])
                del taken, turns  # what they held is not to live until the next turn comes

    def _taken(self) -> list[Waiting]:
        """Wait for turns and take those to be computed next; none when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting)
            count = len(self._waiting) if self._together else 1
            return [self._waiting.popleft() for _ in range(min(count, len(self._waiting)))]

    def _compute(self, group: Sequence[Waiting]) -> None:
        """Compute turns of one form in as few passes as they have been found to fit into."""
        while group:
            part, group = group[: self._most], group[self._most :]
            if len(part) > 1 and self._compute_together(part):
                continue
            # What made a pass fail shows when each is computed alone; and only its own then fails.
            fine = [self._compute_alone(*each) for each in part]
            if len(part) > 1 and all(fine):
                # Each fits and not all of them, as when memory is short.
                self._most = len(part) // 2

    def _compute_together(self, part: Sequence[Waiting]) -> bool:
        """Answer several turns by one pass; False, with none answered, when the pass fails."""
        try:
            outcomes = self._pass([turn for turn, _ in part])
        except Exception:
            return False
        for (_, future), outcome in zip(part, outcomes, strict=True):
            future.set_result(outcome)
        return True

    def _compute_alone(self, turn: Turn, future: Future[Outcome]) -> bool:
        """Answer one turn, be it by its error; whether it was none."""
        try:
            (outcome,) = self._pass([turn])
        except Exception as error:
            future.set_exception(error)
            return False
        future.set_result(outcome)
        return True

    def _pass(self, turns: Sequence[Turn]) -> list[Outcome]:
        with self._in_use:
            return advance_together(self._runtime, turns)
