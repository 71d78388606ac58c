# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far a training is: a bar on a terminal, a line now and then anywhere else."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol, TextIO

from tqdm import tqdm

_BETWEEN = 30.0  # s between two lines
_MEMORY = 0.9  # share of the time per step that is kept at the next one


class Progress(Protocol):
    """Is shown every step, and closed after the last.

    Beside the step and its values it is told how many files were skipped and how many steps were
    left out until then.
    """

    def show(
        self, step: int, values: Mapping[str, float], skipped: int = 0, left_out: int = 0
    ) -> None:
        """Show a step that is done."""

    def close(self) -> None:
        """Write what is left to write; nothing is shown any more."""


def open_progress(first: int, last: int, file: TextIO) -> Progress:
    """What suits the file: a terminal or not.

    Args:
        first: steps done before.
        last: the step after which it ends.
        file: to write to.
    """
    return Bar(first, last, file) if file.isatty() else Lines(first, last, file)


class Bar:
    """A bar that is drawn anew, with the time it will take."""

    def __init__(self, first: int, last: int, file: TextIO) -> None:
        self._bar = tqdm(
            total=last, initial=first, unit="step", mininterval=0.5, file=file, dynamic_ncols=True
        )

    def show(
        self, step: int, values: Mapping[str, float], skipped: int = 0, left_out: int = 0
    ) -> None:
        """See `Progress`."""
        shown = {"loss": f"{values['loss']:.3f}", "clips/s": f"{values['clips_per_second']:.1f}"}
        if skipped:
            shown["skipped"] = str(skipped)
        if left_out:
            shown["left out"] = str(left_out)
        self._bar.set_postfix(shown, refresh=False)
        self._bar.update(step - self._bar.n)

    def close(self) -> None:
        """See `Progress`."""
        self._bar.close()


class Lines:
    """A line after the first step, one every half minute, one after the last step."""

    def __init__(
        self, first: int, last: int, file: TextIO, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._last, self._file, self._clock = last, file, clock
        self._step, self._time = first, clock()
        self._seconds: float | None = None  # per step
        self._due = self._time
        self._unwritten = ""

    def show(
        self, step: int, values: Mapping[str, float], skipped: int = 0, left_out: int = 0
    ) -> None:
        """See `Progress`."""
        now = self._clock()
        took = (now - self._time) / max(1, step - self._step)
        before = took if self._seconds is None else self._seconds
        self._seconds = _MEMORY * before + (1 - _MEMORY) * took
        self._step, self._time = step, now
        left = tqdm.format_interval(round(self._seconds * (self._last - step)))
        self._unwritten = (
            f"step {step}/{self._last}: loss {values['loss']:.3f}, "
            f"{values['clips_per_second']:.1f} clips/s, {left} left"
            + (f", files skipped: {skipped}" if skipped else "")
            + (f", steps left out: {left_out}" if left_out else "")
        )
        if now >= self._due or step >= self._last:
            self._write()
            self._due = now + _BETWEEN

    def close(self) -> None:
        """See `Progress`."""
        self._write()

    def _write(self) -> None:
        if self._unwritten:
            print(self._unwritten, file=self._file, flush=True)
        self._unwritten = ""
