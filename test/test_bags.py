# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags from elsewhere: what is damaged, cut off or no bag at all is told in a sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from vos_ros.recordings.bag import Bag
from vos_ros.recordings.errors import RecordingError
from vos_ros.recordings.messages import PresenceMessages, mask_message, stamp_text
from vos_ros.recordings.new_bag import NewBag
from vos_ros.recordings.types import IMAGE, PRESENCE, message_types

pytest.importorskip("rclpy", reason="ROS 2 writes the bags of these tests")
from ament_index_python import get_package_share_directory  # noqa: E402
from bags import STORAGES, image, read_bag, topics_of, words, write_bag  # noqa: E402
from rclpy.serialization import deserialize_message  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402
from std_msgs.msg import Header  # noqa: E402

from vos_msgs.msg import ObjectPresenceArray  # noqa: E402
from vos_ros.moment import Segmentation  # noqa: E402
from vos_ros.presence import ObjectPresence  # noqa: E402
from vos_ros.ros.images import labels_to_message  # noqa: E402
from vos_ros.ros.publishers import presence_message  # noqa: E402

RANDOM = np.random.default_rng(3)


@pytest.fixture(params=STORAGES)
def bag(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Six images and six words."""
    pictures = [image(RANDOM.integers(0, 256, (48, 64, 3), np.uint8), n) for n in range(6)]
    return write_bag(tmp_path / "run", request.param, {"/eye": pictures, "/talk": words(6)})


def data_file(bag: Path) -> Path:
    (found,) = [item for item in bag.iterdir() if item.suffix in (".mcap", ".db3")]
    return found


def read_all(path: Path) -> int:
    with Bag(path) as bag:
        topic = bag.image_topic()
        return sum(1 for record in bag.records([topic.name]) if bag.message(record).data.size)


def test_a_folder_and_its_file_hold_the_same(bag: Path) -> None:
    for path in (bag, data_file(bag)):
        with Bag(path) as read:
            assert read.storage in data_file(bag).suffix.replace("db3", "sqlite3")
            assert [(t.name, t.count) for t in read.topics] == [("/eye", 6), ("/talk", 6)]
            expected = read_bag(bag, "/eye", Image)
            found = [(r.time, read.message(r)) for r in read.records(["/eye"])]
            assert [time for time, _ in found] == [time for time, _ in expected]
            for (_, one), (_, other) in zip(found, expected, strict=True):
                assert bytes(one.data) == bytes(other.data)
                assert (one.width, one.height, one.encoding) == (64, 48, "rgb8")
            assert list(read.records(["/nothing"])) == []


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_bag_that_is_cut_off_is_told(bag: Path, share: float) -> None:
    file = data_file(bag)
    whole = file.read_bytes()
    file.write_bytes(whole[: int(share * len(whole))])
    for path in (bag, file):
        with pytest.raises(RecordingError, match="damaged, or was cut off"):
            read_all(path)


def test_damage_anywhere_is_told_or_does_no_harm(bag: Path) -> None:
    """Bytes are changed in what is not pixels: a bag gives its images or a `RecordingError`."""
    file = data_file(bag)
    whole = file.read_bytes()
    told = 0
    for _ in range(60):
        damaged = bytearray(whole)
        place = int(RANDOM.choice([RANDOM.integers(300), len(whole) - RANDOM.integers(1, 1500)]))
        damaged[place : place + 8] = RANDOM.bytes(len(damaged[place : place + 8]))
        file.write_bytes(damaged)
        try:
            assert read_all(bag) <= 6
        except RecordingError as error:
            told += 1
            assert str(bag) in str(error)
    assert told > 0


def test_what_is_no_bag_is_told(tmp_path: Path, bag: Path) -> None:
    with pytest.raises(RecordingError, match="there is no bag at"):
        Bag(tmp_path / "none")
    old = tmp_path / "old.bag"
    old.write_bytes(b"#ROSBAG V2.0\n")
    with pytest.raises(RecordingError, match="rosbags-convert"):
        Bag(old)
    (tmp_path / "folder").mkdir()
    with pytest.raises(RecordingError, match=r"no metadata\.yaml: it is no bag"):
        Bag(tmp_path / "folder")
    (bag / "metadata.yaml").unlink()
    with pytest.raises(RecordingError, match=f"give its file '{data_file(bag).name}'"):
        Bag(bag)


@pytest.mark.parametrize("text", ["", "[1, 2", "rosbag2_bagfile_information: {version: 99}"])
def test_damaged_metadata_is_told(bag: Path, text: str) -> None:
    (bag / "metadata.yaml").write_text(text)
    with pytest.raises(RecordingError, match="cannot be read"):
        Bag(bag)


def test_a_bag_without_images_says_what_it_holds(tmp_path: Path) -> None:
    with Bag(write_bag(tmp_path / "run", "mcap", {"/talk": words(2)})) as bag:
        with pytest.raises(RecordingError, match="holds no images; it holds: /talk"):
            bag.image_topic()


# What is written -----------------------------------------------------------------------------


def found(seed: int) -> Segmentation:
    random = np.random.default_rng(seed)
    entries = []
    for object_id in (2, 7):
        box = tuple(random.integers(0, 99, 4).tolist())
        here = bool(random.integers(2))
        entries.append(
            ObjectPresence(
                object_id,
                here,
                float(np.float32(random.random())),
                0.5,
                box,
                0 if here else 3,
                doubtful=here and bool(random.integers(2)),
                rivals=tuple(
                    sorted(random.choice(255, random.integers(3), replace=False).tolist())
                ),
            )
        )
    return Segmentation(random.integers(0, 9, (12, 20), np.uint8), tuple(entries))


def test_messages_are_those_that_the_node_publishes() -> None:
    """For both masks and presence: made by ROS's own types, and by those of the bags."""
    store, names = message_types(), {2: "cup"}
    ours, last_seen = PresenceMessages(names), {2: Header().stamp, 7: Header().stamp}
    for seed in range(8):
        header = Header(frame_id="lens")
        header.stamp.sec, header.stamp.nanosec = seed, 7 * seed
        plain = store.types["std_msgs/msg/Header"](
            stamp=store.types["builtin_interfaces/msg/Time"](sec=seed, nanosec=7 * seed),
            frame_id="lens",
        )
        result = found(seed)
        last_seen |= {item.id: header.stamp for item in result.objects if item.present}
        expected = presence_message(header, result, names, last_seen)
        data = store.serialize_cdr(ours.message(plain, result), PRESENCE)
        assert deserialize_message(bytes(data), ObjectPresenceArray) == expected
        data = store.serialize_cdr(mask_message(plain, result.labels), IMAGE)
        expected = labels_to_message(result.labels, header)
        assert deserialize_message(bytes(data), Image) == expected


def test_our_types_have_the_hashes_that_ros_gives_them() -> None:
    folder = Path(get_package_share_directory("vos_msgs"), "msg")
    stated = json.loads((folder / "ObjectPresenceArray.json").read_text())["type_hashes"]
    (expected,) = (entry["hash_string"] for entry in stated if entry["type_name"] == PRESENCE)
    assert message_types().hash_rihs01(PRESENCE) == expected


def test_presence_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with NewBag(path, "sqlite3", {}) as new:
        new.add("/vos/presence", PRESENCE)
        header = message_types().types["std_msgs/msg/Header"](
            stamp=message_types().types["builtin_interfaces/msg/Time"](sec=1, nanosec=2),
            frame_id="",
        )
        new.write("/vos/presence", 5, PresenceMessages({}).message(header, found(0)))
        new.worth_keeping = True
    with Bag(path) as bag:
        (record,) = bag.records(["/vos/presence"])
        assert len(bag.message(record).objects) == 2
    metadata = path / "metadata.yaml"
    digest = message_types().hash_rihs01(PRESENCE)
    metadata.write_text(metadata.read_text().replace(digest, ""))  # then the file's own counts
    with Bag(path) as bag:
        (record,) = bag.records(["/vos/presence"])
        other = record.connection._replace(digest="RIHS01_" + 64 * "0")
        with pytest.raises(RecordingError, match="another version of vos_msgs"):
            bag.message(record._replace(connection=other))


@pytest.mark.parametrize("storage", STORAGES)
def test_a_new_bag_is_there_whole_or_not_at_all(tmp_path: Path, storage: str) -> None:
    for name, worth in (("kept", True), ("gone", False)):
        with pytest.raises(KeyboardInterrupt), NewBag(tmp_path / name, storage, {}) as new:
            new.add("/m", IMAGE)
            plain = message_types().types["std_msgs/msg/Header"](
                stamp=message_types().types["builtin_interfaces/msg/Time"](sec=1, nanosec=2),
                frame_id="",
            )
            new.write("/m", 5, mask_message(plain, np.zeros((3, 4), np.uint8)))
            new.worth_keeping = worth
            assert not (tmp_path / name).exists()
            raise KeyboardInterrupt
        assert new.kept is worth
    assert [item.name for item in tmp_path.iterdir()] == ["kept"]
    assert topics_of(tmp_path / "kept") == ["/m"]
    with pytest.raises(RecordingError, match="is there already"):
        NewBag(tmp_path / "kept", storage, {})


def test_where_nothing_can_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RecordingError, match="cannot be written"):
        NewBag(tmp_path / "file" / "bag", "mcap", {})
    with pytest.raises(RecordingError, match="cannot be written"):
        with NewBag(tmp_path / "bag", "mcap", {}) as new:
            new.worth_keeping = True
            shutil.rmtree(new._hidden)
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


def test_stamps_are_written_in_full() -> None:
    assert stamp_text(1_700_000_000_000_000_007) == "1700000000.000000007"
