# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The reports on the node's health: every threshold, from both sides."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from vos_ros.ros.device_memory import Memory
from vos_ros.ros.health import REPORTS
from vos_ros.ros.picture import Level, Picture, Report, show
from vos_ros.ros.size_choice import SizeView
from vos_ros.ros.statistics import NO_COUNTS, Lately, Statistics
from vos_ros.ros.stream_watch import CameraView, Oddities
from vos_ros.ros.troubles import Trouble

CAMERA = CameraView(
    topic="/eye",
    publishers=1,
    form=(640, 480, "bgr8"),
    age=0.02,
    waiting=0.0,
    silent=False,
    oddities=Oddities(),
)
STATISTICS = Statistics(
    received=3000,
    processed=2000,
    dropped=1000,
    latency_median=0.1,
    latency_p95=0.2,
    step_median=0.04,
    step_p95=0.05,
    transport_median=0.002,
    wait_median=0.02,
    convert_median=0.001,
    upload_median=0.006,
    network_median=0.03,
    download_median=0.004,
    publish_median=0.003,
)
WELL = Picture(
    state="active",
    built="gfddal_lite0 on cpu",
    weights="c0ffee" * 10,
    trouble=None,
    refused=0,
    callbacks_failed=0,
    now=1000.0,
    camera=CAMERA,
    statistics=STATISTICS,
    lately=Lately(10.0, {**NO_COUNTS, "received": 300, "processed": 200, "dropped": 100}),
    ids=(1, 2),
    present={1: True, 2: True},
    doubts=(),
    strangers=(),
    exchanges=0,
    runtime_trouble="",
    memory=Memory("cpu", 500e6, 8e9, 16e9),
    camera_timeout=2.0,
    latency_warning=0.5,
    size=SizeView(224, 128, 288, deadline=0.05, median=0.041, changes=2),
)


def report(name: str, **changes: Any) -> Report:
    return REPORTS[name](dataclasses.replace(WELL, **changes))


def seen(**changes: Any) -> CameraView:
    return dataclasses.replace(CAMERA, **changes)


def lately(seconds: float = 10.0, **counts: int) -> Lately:
    return Lately(seconds, {**NO_COUNTS, **counts})


def taking(latency: float) -> Statistics:
    return dataclasses.replace(STATISTICS, latency_median=latency)


def at_size(size: int, median: float | None, deadline: float = 0.05) -> SizeView:
    return SizeView(size, 128, 288, deadline, median, changes=0)


def with_free(share: float) -> Memory:
    return Memory("cuda:0 (fast one)", 1e9, share * 16e9, 16e9)


def test_a_node_that_is_well_says_so():
    assert {name: (make(WELL).level, make(WELL).message) for name, make in REPORTS.items()} == {
        "node": (Level.OK, "The node is active."),
        "camera": (Level.OK, "Images come at 30 Hz."),
        "masks": (Level.OK, "Masks are sent at 20 Hz."),
        "objects": (Level.OK, "2 followed, all in sight."),
        "device": (Level.OK, "The network runs on cpu."),
    }


def test_a_node_that_is_not_configured_is_not_ill():
    idle = Picture(
        state="unconfigured",
        built="",
        weights="",
        trouble=None,
        refused=0,
        callbacks_failed=0,
        now=1.0,
        camera=None,
        statistics=Statistics(),
        lately=Lately(0.0, dict(NO_COUNTS)),
        ids=(),
        present={},
        doubts=(),
        strangers=(),
        exchanges=0,
        runtime_trouble="",
        memory=None,
        camera_timeout=2.0,
        latency_warning=0.5,
    )
    reports = [make(idle) for make in REPORTS.values()]
    assert {entry.level for entry in reports} == {Level.OK}
    assert all(entry.message.endswith(".") for entry in reports)


def test_values_are_those_of_the_picture():
    assert report("masks").values == {
        "rate (Hz)": "20",
        "processed": "2000",
        "dropped": "1000",
        "idle": "0",
        "skipped": "0",
        "failed": "0",
        "caught up": "0",
        "latency median (ms)": "100",
        "latency 95 % (ms)": "200",
        "transport (ms)": "2",
        "wait (ms)": "20",
        "convert (ms)": "1",
        "upload (ms)": "6",
        "step (ms)": "30",
        "download (ms)": "4",
        "inference (ms)": "40",
        "inference 95 % (ms)": "50",
        "publish (ms)": "3",
        "internal size (pixels)": "224",
        "deadline (ms)": "50",
        "changes of size": "2",
    }
    odd = Oddities(unstamped=1, repeated=2, jumps=3, changes=4, silences=5)
    values = report("camera", camera=seen(oddities=odd, age=0.25)).values
    assert values == {
        "topic": "/eye",
        "publishers": "1",
        "rate (Hz)": "30",
        "age of last image (s)": "0.25",
        "size": "640 x 480",
        "encoding": "bgr8",
        "received": "3000",
        "rejected": "0",
        "lost in transport": "0",
        "without stamp": "1",
        "repeated stamps": "2",
        "time jumps": "3",
        "changes of size or encoding": "4",
        "silences": "5",
    }
    assert report("objects", ids=(1, 2, 7), present={1: True, 2: False, 9: False}).values == {
        "followed": "1, 2, 7",
        "present": "1",
        "lost": "2",
        "may be swapped": "none",
        "may be something else": "none",
        "swaps undone": "0",
    }
    swapped = report("objects", doubts=((1, 2), (1, 9)), exchanges=3).values
    assert (swapped["may be swapped"], swapped["swaps undone"]) == ("1 and 2", "3")
    assert report("device").values == {
        "device": "cpu",
        "memory of this process (MB)": "500",
        "memory free (MB)": "8000",
        "memory in all (MB)": "16000",
        "not compiled": "nothing",
    }


def test_what_was_not_measured_is_unknown():
    nothing = {"statistics": Statistics(), "lately": lately(seconds=0.0), "size": None}
    unmeasured = report("masks", **nothing).values
    assert {unmeasured[key] for key in unmeasured if key.endswith(("(ms)", "(Hz)"))} == {"unknown"}


@pytest.mark.parametrize(
    ("name", "changes", "level", "words"),
    [
        # silence
        ("camera", {"camera": seen(silent=True, age=9.9)}, Level.WARN, "No image has come for 9.9"),
        ("camera", {"camera": seen(silent=True, age=10.1)}, Level.ERROR, "for 10.1 s."),
        ("camera", {"camera": seen(waiting=4.9, form=None, age=math.nan)}, Level.OK, "30 Hz"),
        ("camera", {"camera": seen(waiting=5.1, form=None)}, Level.WARN, "so far, in 5 s"),
        # bad images
        ("camera", {"lately": lately(received=9, rejected=1)}, Level.WARN, "1 of the last 9 imag"),
        ("camera", {"lately": lately(received=9, rejected=9)}, Level.ERROR, "9 of the last 9"),
        # lost images
        ("camera", {"lately": lately(received=95, lost=5)}, Level.WARN, "5 of the last 100"),
        ("camera", {"lately": lately(received=96, lost=5)}, Level.OK, "9.6 Hz"),
        # stamps
        ("camera", {"camera": seen(oddities=Oddities(unstamped=1))}, Level.WARN, "no stamp"),
        ("camera", {"camera": seen(oddities=Oddities(repeated=1))}, Level.WARN, "the same stamp"),
        ("camera", {"camera": seen(oddities=Oddities(jumps=2))}, Level.OK, "time so far: 2."),
        # latency
        ("masks", {"statistics": taking(0.5)}, Level.OK, "20 Hz"),
        ("masks", {"size": at_size(224, median=0.06)}, Level.OK, "20 Hz"),
        ("masks", {"size": at_size(128, median=None)}, Level.OK, "20 Hz"),
        ("masks", {"size": at_size(128, median=0.05)}, Level.OK, "20 Hz"),
        (
            "masks",
            {"size": at_size(128, median=0.06)},
            Level.WARN,
            "Images take 60.0 ms at the small",
        ),
        ("masks", {"size": at_size(128, median=9.0, deadline=0.0)}, Level.OK, "20 Hz"),
        ("masks", {"statistics": taking(0.51)}, Level.WARN, "Masks come 0.51 s after their images"),
        ("masks", {"statistics": taking(2.0)}, Level.WARN, "2.00 s"),
        ("masks", {"statistics": taking(2.1)}, Level.ERROR, "2.10 s"),
        ("masks", {"statistics": taking(0.3), "latency_warning": 0.2}, Level.WARN, "0.30 s"),
        ("masks", {"statistics": taking(61.0)}, Level.WARN, "the images are 61.0 s old: the came"),
        ("masks", {"statistics": taking(-0.1)}, Level.WARN, "are 0.1 s in the future: the camera"),
        ("masks", {"statistics": taking(math.nan)}, Level.OK, "20 Hz"),
        # dropped frames
        ("masks", {"lately": lately(processed=10, dropped=10)}, Level.OK, "1 Hz"),
        ("masks", {"lately": lately(processed=10, dropped=11)}, Level.WARN, "52% of the frames"),
        # no masks
        ("masks", {"lately": lately(dropped=100)}, Level.ERROR, "no mask was sent for 10 s"),
        ("masks", {"lately": lately(seconds=4.0, dropped=100)}, Level.OK, "0 Hz"),
        ("masks", {"lately": lately(idle=100), "ids": ()}, Level.OK, "Nothing is followed."),
        ("masks", {"lately": lately(failed=3)}, Level.ERROR, "that failed lately: 3."),
        ("masks", {"lately": lately(failed=3, processed=9)}, Level.WARN, "that failed lately: 3."),
        # objects
        ("objects", {"present": {1: True, 2: False}}, Level.WARN, "Out of sight: 2."),
        ("objects", {"present": {1: True, 9: False}}, Level.OK, "2 followed"),
        ("objects", {"ids": ()}, Level.OK, "Nothing is followed."),
        ("objects", {"doubts": ((1, 2),)}, Level.WARN, "Objects 1 and 2 may have been swapped."),
        ("objects", {"strangers": (2, 9)}, Level.WARN, "May be something else: 2."),
        # memory
        ("device", {"memory": with_free(0.101)}, Level.OK, "runs on cuda:0 (fast one)"),
        ("device", {"memory": with_free(0.099)}, Level.WARN, "9.9% of the memory of cuda:0"),
        ("device", {"memory": with_free(0.029)}, Level.ERROR, "2.9% of the memory of cuda:0"),
        (
            "device",
            {"runtime_trouble": "Odd: no."},
            Level.WARN,
            "(Odd: no.). Set runtime:=torch",
        ),
        ("device", {"memory": Memory("cpu", math.nan, math.nan, math.nan)}, Level.OK, "on cpu"),
    ],
)
def test_thresholds(name: str, changes: dict[str, Any], level: Level, words: str):
    made = report(name, **changes)
    assert (made.level, words in made.message) == (level, True), made.message
    assert made.message.endswith(".")


@pytest.mark.parametrize(
    ("serious", "lasting", "age", "level"),
    [
        (False, False, 9.9, Level.WARN),
        (False, False, 10.1, Level.OK),
        (True, False, 9.9, Level.ERROR),
        (True, False, 10.1, Level.OK),
        (True, True, 1e6, Level.ERROR),
    ],
)
def test_the_last_error_shows_for_a_while(serious, lasting, age, level):
    made = report("node", trouble=Trouble("It broke.", serious, lasting, WELL.now - age))
    assert made.level == level
    assert ("It broke." in made.message) == (level is not Level.OK)
    assert made.values["last error"] == "It broke."
    assert float(made.values["age of last error (s)"]) == pytest.approx(age, rel=1e-3)


@pytest.mark.parametrize(
    ("value", "text"),
    [(3, "3"), ("three", "three"), (2 / 3, "0.6667"), (12345.6, "12346"), (math.nan, "unknown")],
)
def test_values_are_written_with_four_digits(value, text):
    assert show(value) == text


def test_a_report_is_as_bad_as_its_worst_and_gives_every_reason():
    made = Report()
    made.find(Level.WARN, "One.")
    made.find(Level.ERROR, "Two.")
    made.find(Level.OK, "Three.")
    assert (made.level, made.otherwise("Nothing.").message) == (Level.ERROR, "One. Two. Three.")
