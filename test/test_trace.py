# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What time was spent on: kept, and written as others can show it."""

from __future__ import annotations

import json
import math
import os
import stat
import time
from pathlib import Path

import pytest
from sensor_msgs.msg import Image
from stage import Stage, order, stamp
from std_srvs.srv import Trigger

from vos_ros.ros.trace import Span, Trace, Track


def events(text: str) -> list[dict]:
    """The spans of a Chrome trace, by the time they began."""
    found = [event for event in json.loads(text)["traceEvents"] if event["ph"] == "X"]
    return sorted(found, key=lambda event: event["ts"])


def test_the_oldest_give_way():
    trace = Trace(spans=3)
    for number in range(5):
        trace.note(Track.WORKER, str(number), float(number), 0.5)
    assert [span.name for span in trace.spans()] == ["2", "3", "4"]


def test_a_row_of_parts_follows_on_and_unknown_times_are_left_out():
    trace = Trace()
    trace.note_row(10.0, [("a", 1.0), ("b", 2.0)], 7)
    trace.note(Track.MAILBOX, "wait", math.nan, 1.0)
    trace.note(Track.MAILBOX, "wait", 1.0, math.nan)
    assert trace.spans() == [
        Span(Track.WORKER, "a", 10.0, 1.0, 7),
        Span(Track.WORKER, "b", 11.0, 2.0, 7),
    ]


def test_what_is_written_is_a_chrome_trace():
    trace = Trace()
    began = time.perf_counter()
    trace.note(Track.WORKER, "network", began, 0.0305, stamp_ns=12_000_000_034)
    trace.note(Track.MAILBOX, "wait", began - 0.25, 0.25)
    content = json.loads(trace.written("/vos"))
    assert content["displayTimeUnit"] == "ms"
    zero = content["otherData"]["unix_time_of_zero"]
    assert zero + began == pytest.approx(time.time(), abs=60)
    names = {
        (event["name"], event.get("tid")): event["args"]["name"]
        for event in content["traceEvents"]
        if event["ph"] == "M"
    }
    assert names == {
        ("process_name", None): "/vos",
        ("thread_name", 1): "waiting for the worker",
        ("thread_name", 2): "vos_worker",
    }
    wait, network = events(trace.written("/vos"))
    assert (wait["name"], wait["tid"], wait["args"]) == ("wait", 1, {})
    assert (network["name"], network["tid"]) == ("network", 2)
    assert network["args"] == {"stamp_ns": 12_000_000_034}
    assert network["ts"] == pytest.approx(1e6 * began, abs=0.1)
    assert network["dur"] == pytest.approx(30500, abs=0.1)
    assert network["pid"] == wait["pid"] == os.getpid()


def test_nothing_is_kept_of_no_work():
    assert events(Trace().written("/vos")) == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "made" / "traces"


def written(stage: Stage) -> tuple[Path, list[dict]]:
    """Have the node write its trace; its path, and the spans in it."""
    client = stage.client.create_client(Trigger, "vos/write_trace")
    stage.until(client.service_is_ready)
    future = client.call_async(Trigger.Request())
    stage.until(future.done)
    answer = future.result()
    assert answer.success, answer.message
    path = Path(answer.message.split(" is in ")[1].split(";")[0])
    found = events(path.read_text(encoding="ascii"))
    assert f"the last {len(found)} pieces of work" in answer.message
    return path, found


def test_the_node_writes_what_its_time_was_spent_on(make_stage, folder):
    stage = make_stage(trace_directory=str(folder)).activate()
    stage.send(0)
    assert stage.call(order()).success
    for number in (1, 2):
        stage.send(number)
        stage.mask_of(number)
    heard: list[object] = []
    stage.client.create_subscription(Image, "vos/overlay", heard.append, 1)
    stage.until(lambda: stage.node.count_subscribers("vos/overlay") == 1)
    stage.send(3)
    stage.until(lambda: heard)
    path, found = written(stage)
    name = stage.node.get_fully_qualified_name().strip("/").replace("/", ".")
    assert path == folder / f"{name}.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (request,) = [event for event in found if event["name"] == "init_mask"]
    parts = ["wait", "convert", "upload", "network", "download", "publish"]
    for number in (1, 2, 3):
        stamp_ns = stamp(number).sec * 10**9 + stamp(number).nanosec
        own = [event for event in found if event["args"].get("stamp_ns") == stamp_ns]
        # The stand-in for the network says that it took longer than it did.
        names = [event["name"] for event in own]
        assert sorted(names) == sorted(parts + ["overlay"] * (number == 3))
        assert all(event["ts"] > request["ts"] for event in own)
        # Each begins no sooner than the one before has ended.
        work = [e for e in own if e["name"] in ("convert", "upload", "network", "download")]
        for one, other in zip(work, work[1:], strict=False):
            assert other["ts"] == pytest.approx(one["ts"] + one["dur"], abs=0.5)


def test_the_file_is_replaced_and_what_lies_in_its_place_is_not_written_through(
    make_stage, folder, tmp_path
):
    stage = make_stage(trace_directory=str(folder)).activate()
    path, found = written(stage)
    assert found == []
    precious = tmp_path / "precious"
    precious.write_text("mine")
    path.unlink()
    path.symlink_to(precious)
    path.with_name(path.name + ".partial").symlink_to(precious)
    stage.send(0)
    assert stage.call(order()).success
    again, found = written(stage)
    assert again == path and not path.is_symlink()
    assert "init_mask" in [event["name"] for event in found]
    assert precious.read_text() == "mine"
    assert [file.name for file in folder.iterdir()] == [path.name]


def test_a_trace_that_cannot_be_written_is_refused_in_words(make_stage, folder):
    stage = make_stage(trace_directory=str(folder))
    client = stage.client.create_client(Trigger, "vos/write_trace")

    def answer() -> Trigger.Response:
        stage.until(client.service_is_ready)
        future = client.call_async(Trigger.Request())
        stage.until(future.done)
        return future.result()

    assert answer().message == "The node is not configured; configure and activate it first."
    stage.activate()
    folder.parent.mkdir()
    folder.write_text("a file where the folder should be")
    refused = answer()
    assert not refused.success
    assert refused.message.endswith(".json cannot be written: File exists.")
