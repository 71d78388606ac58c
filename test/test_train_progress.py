# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a training says of itself while it runs."""

from __future__ import annotations

import io

from vos_ros.apps.train_progress import Bar, Lines, open_progress

VALUES = {"loss": 0.4564, "clips_per_second": 2.04}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def lines(first: int, last: int) -> tuple[Lines, io.StringIO, Clock]:
    file, clock = io.StringIO(), Clock()
    return Lines(first, last, file, clock), file, clock


def test_a_bar_is_for_terminals_only():
    assert isinstance(open_progress(0, 5, Terminal()), Bar)
    assert isinstance(open_progress(0, 5, io.StringIO()), Lines)


def test_the_bar_tells_loss_speed_time_and_what_was_skipped():
    file = Terminal()
    bar = open_progress(2, 5, file)
    for step in (3, 4, 5):
        bar.show(step, VALUES, skipped=7)
    bar.close()
    last = file.getvalue().replace("\r", "\n").strip().splitlines()[-1]
    assert "5/5" in last and "loss=0.456" in last and "clips/s=2.0" in last and "skipped=7" in last
    assert "00:00<00:00" in last


def test_a_line_tells_the_same_with_the_time_that_is_left():
    progress, file, clock = lines(4, 104)
    clock.now += 2
    progress.show(5, VALUES)
    # 99 steps of 2 s
    assert file.getvalue() == "step 5/104: loss 0.456, 2.0 clips/s, 03:18 left\n"


def test_the_time_left_follows_the_speed_slowly():
    progress, file, clock = lines(0, 1002)
    clock.now += 1
    progress.show(1, VALUES)
    clock.now += 31  # one slow step: 0.9 x 1 + 0.1 x 31 = 4 s, 1000 times
    progress.show(2, VALUES)
    assert file.getvalue().splitlines()[1].endswith("1:06:40 left")


def test_lines_are_half_a_minute_apart_but_the_first_and_the_last_are_there():
    progress, file, clock = lines(0, 100)
    for step in range(1, 101):
        clock.now += 1
        progress.show(step, VALUES)
    progress.close()
    told = [int(line.split()[1].split("/")[0]) for line in file.getvalue().splitlines()]
    assert told == [1, 31, 61, 91, 100]


def test_the_step_at_which_it_was_stopped_is_told():
    progress, file, clock = lines(0, 100)
    for step in (1, 2, 3):
        clock.now += 1
        progress.show(step, VALUES)
    progress.close()
    assert [line.split(":")[0] for line in file.getvalue().splitlines()] == [
        "step 1/100", "step 3/100"
    ]  # fmt: skip


def test_skipped_files_are_counted_in_a_line():
    progress, file, _ = lines(0, 1)
    progress.show(1, VALUES, skipped=3)
    assert file.getvalue().endswith("00:00 left, files skipped: 3\n")


def test_steps_that_were_left_out_are_counted_too():
    progress, file, _ = lines(0, 1)
    progress.show(1, VALUES, skipped=3, left_out=2)
    assert file.getvalue().endswith("files skipped: 3, steps left out: 2\n")
    terminal = Terminal()
    bar = open_progress(0, 1, terminal)
    bar.show(1, VALUES, left_out=2)
    bar.close()
    assert "left out=2" in terminal.getvalue()


def test_nothing_done_is_nothing_said():
    progress, file, _ = lines(3, 3)
    progress.close()
    assert file.getvalue() == ""
