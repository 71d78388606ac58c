# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a soak is made of: plan, ledger, memory and report, each by itself."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from vos_ros.apps.soak import main
from vos_ros.apps.soak_faults import CAUSES
from vos_ros.soak.ledger import KEPT_SECONDS, Ledger
from vos_ros.soak.memory import MemoryCurve, resident_megabytes
from vos_ros.soak.plan import FAULTS, plan
from vos_ros.soak.report import Report

DOCUMENT = Path(__file__).parents[1] / "docs/soak.md"


# --- the plan


def some(count: int, *arguments, **rest) -> list:
    return list(itertools.islice(plan(*arguments, **rest), count))


def test_a_seed_says_all_and_another_one_something_else():
    assert some(100, 3, 2.0) == some(100, 3, 2.0)
    assert [p.kind for p in some(100, 3, 2.0)] != [p.kind for p in some(100, 4, 2.0)]


def test_a_longer_run_begins_as_a_shorter_one():
    assert some(200, 3, 2.0)[:50] == some(50, 3, 2.0)


def test_every_kind_comes_before_any_comes_again_but_the_end_less_and_less_often():
    kinds = iter([planned.kind for planned in some(9 * len(FAULTS), 5, 1.0)])
    for pack in range(1, 9):
        expected = set(FAULTS) if pack in (1, 2, 4, 8) else set(FAULTS) - {"end"}
        assert Counter(itertools.islice(kinds, len(expected))) == Counter(expected)


def test_the_end_alone_comes_again_and_again():
    assert [planned.kind for planned in some(5, 5, 1.0, ["end"])] == ["end"] * 5


def test_faults_are_so_far_apart():
    times = np.array([0.0, *(planned.at for planned in some(2000, 7, 2.5))])
    gaps = np.diff(times)
    assert gaps.min() >= 1.25 and gaps.max() <= 3.75
    assert gaps.mean() == pytest.approx(2.5, rel=0.05)


def test_only_the_kinds_asked_for_come():
    assert Counter(p.kind for p in some(6, 0, 1.0, ["init", "silence"])) == {
        "init": 3,
        "silence": 3,
    }


def test_every_kind_can_be_caused_and_is_described():
    assert set(CAUSES) == set(FAULTS)
    faults = DOCUMENT.read_text(encoding="utf-8").split("What is promised")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", faults, re.M)
    assert dict(rows) == FAULTS


# --- the ledger


def sent(*stamps: int, size=(4, 3), timed=True) -> Ledger:
    ledger = Ledger()
    for number, stamp in enumerate(stamps):
        ledger.send(stamp, number, size, timed=timed, now=float(number))
    return ledger


MASK = np.array([[0, 1, 1, 0]] * 3, np.uint8)


def test_a_mask_of_an_image_is_timed_once():
    ledger = sent(100, 200)
    assert ledger.receive(100, MASK, {1}, now=2.5) is None
    assert ledger.receive(100, MASK, {1}, now=9.0) is None
    assert ledger.receive(200, MASK, {1}, now=3.0) is None
    assert list(ledger.latencies) == [2.5, 2.0]
    assert ledger.masks == 3
    assert [stamp for stamp, _ in ledger.answered(after=-1)] == [200, 100]
    assert [stamp for stamp, _ in ledger.answered(after=0)] == [200]


@pytest.mark.parametrize(
    "stamps, timed",
    [((0,), True), ((100, 100), True), ((100,), False)],
    ids=["no stamp", "a stamp of two", "nothing was followed"],
)
def test_a_mask_whose_time_would_say_nothing_is_not_timed(stamps, timed):
    ledger = sent(*stamps, timed=timed)
    assert ledger.receive(stamps[0], MASK, {1}, 5.0) is None
    assert not ledger.latencies


def test_a_mask_of_no_image_is_told():
    assert "of which no image was sent" in sent(100).receive(101, MASK, {1}, 1.0)
    assert "of which no image was sent" in sent().receive(0, MASK, {1}, 1.0)


def test_a_mask_of_another_size_is_told():
    assert sent(100).receive(100, MASK.T, {1}, 1.0) == "a mask is 3 x 4 and its image is 4 x 3"
    assert "is broken" in sent(100, size=None).receive(100, MASK, {1}, 1.0)


def test_what_belongs_to_an_image_may_be_another_thing_than_a_mask():
    ledger = sent(100)
    assert ledger.mismatch("the depth", 100, (3, 4)) is None
    assert ledger.mismatch("the depth", 101, (3, 4)).startswith("the depth has the stamp 101, of")
    assert ledger.mismatch("it", 100, (4, 3)) == "it is 3 x 4 and its image is 4 x 3"
    assert ledger.masks == 0


def test_ids_that_nobody_asked_for_are_told():
    assert "[1]" in sent(100).receive(100, MASK, {2, 3}, 1.0)


def test_old_images_are_let_go():
    ledger = sent(100, 200)
    ledger.send(300, 2, (4, 3), timed=True, now=KEPT_SECONDS + 0.5)
    assert "of which no image" in ledger.receive(100, MASK, {1}, KEPT_SECONDS + 1)
    assert ledger.receive(200, MASK, {1}, KEPT_SECONDS + 1) is None


# --- memory


def test_the_slope_is_that_of_a_straight_line_after_the_warm_up():
    curve = MemoryCurve(warm_up=100)
    for second in range(400):
        curve.add(second, 1000 - 5 * second if second < 100 else 200 + 36 * second / 3600)
    assert curve.slope() == pytest.approx(36)


def test_the_slope_has_the_least_squares():
    chance = np.random.default_rng(0)
    seconds, megabytes = np.arange(50.0), chance.normal(500, 20, 50)
    curve = MemoryCurve(warm_up=0)
    for second, held in zip(seconds, megabytes, strict=True):
        curve.add(second, held)
    apart = seconds - seconds.mean()
    assert curve.slope() == pytest.approx((apart * megabytes).sum() / (apart**2).sum() * 3600)


def test_few_samples_have_no_slope():
    curve = MemoryCurve(warm_up=5)
    for second in range(14):
        curve.add(second, 100)
    assert curve.slope() is None
    curve.add(14, 100)
    assert curve.slope() == pytest.approx(0, abs=1e-6)


def test_the_memory_of_a_process_grows_with_what_it_holds():
    # A process of its own: one that has let go of memory takes more without growing.
    program = "input(); held = b'x' * 64_000_000; print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-u", "-c", "print('up');" + program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout.readline() == "up\n"
        before = resident_megabytes(child.pid)
        child.stdin.write("\n")
        child.stdin.flush()
        assert child.stdout.readline() == "held\n"
        grown = resident_megabytes(child.pid) - before
        child.communicate("\n")
    assert grown == pytest.approx(64, abs=8)
    assert resident_megabytes(2**30) is None


# --- the report


def report(**changes) -> Report:
    given = {"seconds": 60, "seed": 1, "every": 2.0, "rate": 15.0, "node": {}, "warm_up": 0.0}
    return Report(**{**given, **changes})


def test_a_report_without_anything_is_whole():
    told = report().as_json()
    promised = {
        "frames",
        "masks",
        "faults",
        "restarts",
        "memory_slope_mb_per_hour",
        "worst_latency_ms",
        "seconds",
        "seed",
        "hardware",
        "versions",
    }
    assert promised <= set(told)
    assert told["memory_slope_mb_per_hour"] is None and told["worst_latency_ms"] is None
    assert not report().failed


def test_a_figure_that_cannot_be_drawn_is_refused_before_the_soak(tmp_path, capsys):
    assert main(["--seconds", "1", "--logs", str(tmp_path), "--figure", "soak.gif"]) == 2
    assert "a figure ends in .png, .svg, .pdf; soak.gif does not" in capsys.readouterr().err


def test_times_are_told_in_milliseconds():
    of = report()
    of.ledger.latencies.extend(n / 1000 for n in range(1, 102))
    told = of.as_json()
    assert told["latency_ms"] == {"median": 51.0, "p95": 96.0, "worst": 101.0}
    assert told["worst_latency_ms"] == 101.0


@pytest.mark.parametrize("changes", [{"restarts": 1}, {"broken": ["a promise"]}])
def test_a_new_start_and_a_broken_promise_are_failures(changes):
    of = report(**changes)
    assert of.failed
    assert ("BROKEN: a promise" in of.describe()) == ("broken" in changes)


def test_the_longest_lived_node_tells_of_the_memory():
    of = report(curves=[MemoryCurve(0), MemoryCurve(0)])
    for second in range(30):
        of.curves[0].add(second, second / 3600)
    of.curves[1].add(0, 999)
    assert of.as_json()["memory_slope_mb_per_hour"] == 1.0
