# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags made for tests. Their messages are serialised by ROS itself, not by what is under test."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rclpy.serialization import deserialize_message, serialize_message
from rosbags.rosbag2 import Reader, StoragePlugin, Writer
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

from vos_ros.recordings.types import message_types

BEGIN = 1_700_000_000_250_000_000
"""Stamp of the first image, ns."""
PERIOD = 100_000_000
DELAY = 3_000_000
"""How long after its stamp an image is received, ns."""
STORAGES = ("mcap", "sqlite3")


def stamp(number: int) -> int:
    return BEGIN + number * PERIOD


def image(rgb: np.ndarray, number: int, encoding: str = "rgb8") -> Image:
    pixels = rgb[..., ::-1] if encoding == "bgr8" else rgb
    message = Image(height=rgb.shape[0], width=rgb.shape[1], encoding=encoding)
    message.step = 3 * message.width
    message.data.frombytes(np.ascontiguousarray(pixels).tobytes())
    return stamped(message, number)


def compressed(rgb: np.ndarray, number: int) -> CompressedImage:
    _, data = cv2.imencode(".png", np.ascontiguousarray(rgb[..., ::-1]))
    message = CompressedImage(format="rgb8; png compressed bgr8")
    message.data.frombytes(data.tobytes())
    return stamped(message, number)


def stamped(message: Any, number: int) -> Any:
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp(number), 10**9)
    message.header.frame_id = "lens"
    return message


def write_bag(path: Path, storage: str, topics: dict[str, Iterable[Any]]) -> Path:
    """A bag of ROS messages by topic: number n of each comes `DELAY` after the stamp of n."""
    store = message_types()  # for the definitions that lie beside the messages
    with Writer(path, version=9, storage_plugin=StoragePlugin[storage.upper()]) as writer:
        for topic, messages in topics.items():
            connection = None
            for number, message in enumerate(messages):
                kind = type(message)
                name = f"{kind.__module__.split('.')[0]}/msg/{kind.__name__}"
                connection = connection or writer.add_connection(topic, name, typestore=store)
                writer.write(connection, stamp(number) + DELAY, serialize_message(message))
    return path


def words(count: int) -> list[String]:
    return [String(data=f"word {number}") for number in range(count)]


def read_bag(path: Path, topic: str, kind: type) -> list[tuple[int, Any]]:
    """When each message of a topic was received, ns, and the message as ROS itself reads it."""
    with Reader(path) as reader:
        chosen = [connection for connection in reader.connections if connection.topic == topic]
        assert chosen, f"no {topic} in {[c.topic for c in reader.connections]}"
        return [
            (time, deserialize_message(bytes(data), kind))
            for _, time, data in reader.messages(chosen)
        ]


def topics_of(path: Path) -> list[str]:
    with Reader(path) as reader:
        return sorted(connection.topic for connection in reader.connections)


def labels_of(message: Image) -> np.ndarray:
    assert (message.encoding, message.step) == ("mono8", message.width)
    return np.frombuffer(message.data, np.uint8).reshape(message.height, message.width)


def rows_of(path: Path) -> int:
    """Messages in a bag of SQLite, as SQLite itself counts them."""
    (file,) = path.glob("*.db3")
    with sqlite3.connect(file) as base:
        return base.execute("SELECT count(*) FROM messages").fetchone()[0]
