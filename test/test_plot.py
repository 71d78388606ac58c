# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`plot`: what became of the objects over time, out of bags and of what `record` wrote."""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from vos_ros.apps.plot import main
from vos_ros.drawing import colour_of
from vos_ros.recordings.bag_run import read_bag
from vos_ros.recordings.errors import RecordingError
from vos_ros.recordings.figure import series
from vos_ros.recordings.run import ROWS, ObjectRow, line_of, read_folder

pytest.importorskip("rclpy", reason="ROS 2 writes the bags of these tests")
from bags import DELAY, STORAGES, image, stamp, stamped, words, write_bag  # noqa: E402
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue  # noqa: E402

from vos_msgs.msg import ObjectPresence, ObjectPresenceArray  # noqa: E402
from vos_ros.recordings.new_bag import NewBag  # noqa: E402
from vos_ros.recordings.types import PRESENCE, message_types  # noqa: E402

COUNT = 6
LATE = 40_000_000  # ns from an image's receipt to that of its presence


def presence(number: int) -> ObjectPresenceArray:
    """Object 1 in every image, 2 from image 2 on and only in even ones."""
    objects = [ObjectPresence(id=1, name="cup", present=True, score=0.9, area_fraction=0.25)]
    if number >= 2:
        here = number % 2 == 0
        share = 0.5 if here else 0.0
        objects.append(ObjectPresence(id=2, present=here, score=0.1 * number, area_fraction=share))
    return stamped(ObjectPresenceArray(objects=objects), number)


def diagnostics(number: int) -> DiagnosticArray:
    told = "unknown" if number == 0 else str(10.5 * number)
    values = [KeyValue(key="latency median (ms)", value=told)]
    status = [
        DiagnosticStatus(name="vos: node"),
        DiagnosticStatus(name="vos: masks", values=values),
        DiagnosticStatus(name="other: masks", values=[KeyValue(key=values[0].key, value="1")]),
    ]
    return stamped(DiagnosticArray(status=status), number)


def write_run(path: Path, storage: str = "mcap", *, images: bool = True, custom=None) -> Path:
    """What `ros2 bag record` would leave: ROS's messages, each received in its own time."""
    topics = {"/vos/presence": presence, "/diagnostics": diagnostics}
    if images:
        topics["/eye"] = lambda number: image(np.zeros((4, 6, 3), np.uint8), number)
    source = write_bag(
        path.with_name(f"{path.name}_at_once"),
        storage,
        {topic: [make(number) for number in range(COUNT)] for topic, make in topics.items()},
    )
    from vos_ros.recordings.bag import Bag

    with Bag(source) as bag, NewBag(path, storage, custom or {}) as new:
        for connection in bag.connections:
            assert new.add_like(connection)
        for record in bag.records(list(topics)):
            topic = record.connection.topic
            new.copy(topic, record.time + (LATE if topic == "/vos/presence" else 0), record.data)
        new.worth_keeping = True
    return path


@pytest.mark.parametrize("storage", STORAGES)
def test_a_bag_tells_presence_and_both_latencies(tmp_path: Path, storage: str) -> None:
    run = read_bag(write_run(tmp_path / "run", storage))
    assert [row.stamp for row in run.rows] == [stamp(n) for n in range(COUNT)]
    assert [row.latency for row in run.rows] == [LATE / 1e6] * COUNT
    assert run.diagnosed == tuple((stamp(n), 10.5 * n) for n in range(1, COUNT))
    assert run.ids == (1, 2) and run.names == {1: "cup"}
    stamps, there = series(run, 2, "present")
    assert stamps.tolist() == [stamp(n) for n in range(COUNT)]
    np.testing.assert_array_equal(there, [math.nan, math.nan, 1, 0, 1, 0])
    np.testing.assert_allclose(series(run, 2, "score")[1][2:], [0.2, 0.3, 0.4, 0.5], rtol=1e-6)
    np.testing.assert_array_equal(series(run, 1, "area")[1], [0.25] * COUNT)


def test_without_images_latency_counts_from_the_stamp(tmp_path: Path) -> None:
    run = read_bag(write_run(tmp_path / "run", images=False))
    assert [row.latency for row in run.rows] == [(DELAY + LATE) / 1e6] * COUNT
    assert run.measured == "stamp to presence"


def test_masks_made_offline_have_no_latency(tmp_path: Path) -> None:
    run = read_bag(write_run(tmp_path / "run", custom={"vos_ros.replay": "offline"}))
    assert all(math.isnan(row.latency) for row in run.rows)
    assert run.measured == ""


@pytest.mark.parametrize(("rate", "factor"), [("0.25", 4.0), ("1", 1.0), ("2", 0.5)])
def test_latency_of_another_pace_is_counted_in_true_time(
    tmp_path: Path, rate: str, factor: float
) -> None:
    run = read_bag(write_run(tmp_path / "run", custom={"vos_ros.replay": f"rate {rate}"}))
    assert [row.latency for row in run.rows] == [factor * LATE / 1e6] * COUNT


def test_of_several_nodes_one_has_to_be_named(tmp_path: Path) -> None:
    path = tmp_path / "two"
    with NewBag(path, "mcap", {}) as new:
        store = message_types()
        for number, topic in enumerate(("/left/vos/presence", "/right/vos/presence")):
            new.add(topic, PRESENCE)
            header = store.types["std_msgs/msg/Header"](
                stamp=store.types["builtin_interfaces/msg/Time"](sec=number + 1, nanosec=0),
                frame_id="",
            )
            new.write(topic, 5, store.types[PRESENCE](header=header, objects=[]))
        new.worth_keeping = True
    with pytest.raises(RecordingError, match="one with --node: /left/vos/presence, /right"):
        read_bag(path)
    assert read_bag(path, "right/vos").rows[0].stamp == 2 * 10**9
    with pytest.raises(RecordingError, match="no presence, as /middle/presence"):
        read_bag(path, "middle")


def test_what_record_wrote_is_read_and_an_unfinished_last_line_forgiven(tmp_path: Path) -> None:
    lines = [
        line_of(stamp(n), stamp(n) + 30_000_000, f"masks/{n:05d}.png",
                [ObjectRow(4, "dog", n != 1, 0.5, 0.125)])
        for n in (0, 2, 1)
    ]  # fmt: skip
    (tmp_path / ROWS).write_text("".join(lines) + lines[0][:40])
    run = read_folder(tmp_path)
    assert [row.stamp for row in run.rows] == [stamp(0), stamp(1), stamp(2)]
    assert [row.latency for row in run.rows] == [30.0] * 3
    assert [row.objects[0].present for row in run.rows] == [True, False, True]
    assert json.loads(lines[0])["mask"] == "masks/00000.png"
    late = [line_of(stamp(n), stamp(n), "", run.rows[0].objects) for n in (0, 1, 2, 20, 21)]
    (tmp_path / ROWS).write_text("".join(late))
    stamps, score = series(read_folder(tmp_path), 4, "score")  # a silence breaks the line
    assert stamps.tolist() == [stamp(0), stamp(1), stamp(2), stamp(2) + 1, stamp(20), stamp(21)]
    np.testing.assert_array_equal(np.isnan(score), [False, False, False, True, False, False])
    (tmp_path / ROWS).write_text(lines[0] + "{}\n" + lines[1])
    with pytest.raises(RecordingError, match="line 2 of"):
        read_folder(tmp_path)


def test_the_figure_shows_each_object_in_its_colour(tmp_path: Path, capsys) -> None:
    out = tmp_path / "figures" / "run.png"
    assert main([str(write_run(tmp_path / "run")), "--out", str(out)]) == 0
    assert f"6 images in 0.5 s, 2 objects: '{out}'" in capsys.readouterr().out
    figure = cv2.imread(str(out))[..., ::-1].astype(int)
    assert min(figure.shape[:2]) > 500
    for object_id in (1, 2):  # bars, and the lines under the smoothing of their edges
        near = np.abs(figure - colour_of(object_id)).max(axis=2) < 12
        assert near.sum() > 500, object_id


@pytest.mark.parametrize("objects", [0, 1, 30])
def test_any_number_of_objects_makes_a_figure(tmp_path: Path, objects: int) -> None:
    rows = [ObjectRow(n + 1, f"thing {n}", True, 0.5, 0.01) for n in range(objects)]
    (tmp_path / ROWS).write_text(line_of(stamp(0), stamp(1), "", rows))
    assert main([str(tmp_path), "--out", str(tmp_path / "one.png")]) == 0
    assert (tmp_path / "one.png").stat().st_size > 1000


def test_what_cannot_be_drawn_is_told(tmp_path: Path, capsys) -> None:
    talk = write_bag(tmp_path / "talk", "mcap", {"/talk": words(1)})
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / ROWS).touch()
    for path, sentence in (
        (tmp_path / "none", "there is no bag at"),
        (talk, "holds no presence, as a topic of vos_msgs/msg/ObjectPresenceArray"),
        (empty, "holds no image that was answered"),
    ):
        assert main([str(path), "--out", str(tmp_path / "x.png")]) == 1
        assert sentence in capsys.readouterr().err
    assert main([str(write_run(tmp_path / "run")), "--out", str(tmp_path / "x.purple")]) == 1
    assert "cannot be written" in capsys.readouterr().err
