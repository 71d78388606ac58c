# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reading a rosbag2 folder or file, MCAP or SQLite, without ROS.

A bag is a file from elsewhere. Whatever in it does not fit is a `RecordingError` with a sentence:
rosbags' readers raise errors of a dozen kinds for what is damaged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from rosbags.interfaces import Connection
from rosbags.rosbag2 import Reader

from vos_ros.recordings.errors import RecordingError
from vos_ros.recordings.types import COMPRESSED, IMAGE, message_types

IMAGE_TYPES = (IMAGE, COMPRESSED)
_NO_PICTURE = "/compressedDepth"  # a CompressedImage by its type, but image_transport's depth


@dataclass(frozen=True)
class Topic:
    """One topic of a bag: its name, its type and how many messages it has."""

    name: str
    type: str
    count: int


class Record(NamedTuple):
    """One message as it lies in the bag.

    Attributes:
        connection: its topic and type, as the bag has them.
        time: when it was received, ns by the recorder's clock.
        data: the serialised message.
    """

    connection: Connection
    time: int
    data: bytes


class Bag:
    """An open bag; a context manager.

    Attributes:
        path: of the folder, or of the one file.
        storage: ``mcap`` or ``sqlite3``.
        custom: what its maker put down beside the messages, by key.
    """

    def __init__(self, path: Path | str) -> None:
        """Open it.

        Raises:
            RecordingError: there is none, or it is damaged, unfinished or of another kind.
        """
        self.path = Path(path)
        self.storage = _storage(self.path)
        with self._told():
            self._reader = Reader(self.path)
            self._reader.open()
            metadata = self._reader.storage.metadata
            self.custom: dict[str, str] = dict(metadata.custom or {})
            self.starts, self.ends = self._reader.start_time, self._reader.end_time

    starts: int  # when its first message was received, ns
    ends: int  # 1 ns after its last one

    def __enter__(self) -> Bag:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close it. Safe to call twice."""
        if self._reader.is_open:
            self._reader.close()

    @property
    def connections(self) -> list[Connection]:
        """The topics with all that the bag says of them."""
        return list(self._reader.connections)

    @property
    def topics(self) -> list[Topic]:
        """What there is, by name."""
        found = [Topic(c.topic, c.msgtype, c.msgcount) for c in self._reader.connections]
        return sorted(found, key=lambda topic: (topic.name, topic.type))

    def image_topic(self, wanted: str = "") -> Topic:
        """The topic of the camera: the one asked for, or the only one with images.

        Raises:
            RecordingError: there is none, or several and none was asked for; it says which.
        """
        images = [
            topic
            for topic in self.topics
            if topic.type in IMAGE_TYPES and topic.count and not topic.name.endswith(_NO_PICTURE)
        ]
        chosen = [topic for topic in images if topic.name.lstrip("/") == wanted.lstrip("/")]
        chosen = chosen if wanted else images
        if len(chosen) == 1:
            return chosen[0]
        listed = "; ".join(f"{t.name} ({t.type}, {t.count} messages)" for t in images)
        if not images:
            others = ", ".join(topic.name for topic in self.topics) or "nothing at all"
            raise RecordingError(f"'{self.path}' holds no images; it holds: {others}")
        if wanted:
            raise RecordingError(f"'{self.path}' has no images on {wanted}; it has: {listed}")
        raise RecordingError(
            f"'{self.path}' has images on several topics; name one with --topic: {listed}"
        )

    def records(self, names: Collection[str]) -> Iterator[Record]:
        """Yield the messages of some topics by the time they were received.

        Raises:
            RecordingError: the bag is damaged there.
        """
        wanted = [c for c in self._reader.connections if c.topic in names]
        if not wanted:
            return  # to rosbags, no connection means all of them
        with self._told():
            messages = self._reader.messages(wanted)
        while True:
            with self._told():
                found = next(messages, None)
            if found is None:
                return
            yield Record(*found)

    def message(self, record: Record) -> Any:
        """Return a message: an object with the fields of its type, its numbers in numpy arrays.

        Raises:
            RecordingError: it is damaged, or of a type that is not known here.
        """
        kind = record.connection.msgtype
        store = message_types()
        if kind not in store.fielddefs:
            raise RecordingError(f"'{self.path}' has messages of {kind}, not known here")
        self._check_definition(record.connection)
        with self._told():
            return store.deserialize_cdr(record.data, kind)

    def _check_definition(self, connection: Connection) -> None:
        """Refuse messages of one of our types that had other fields when they were recorded."""
        if connection.digest and connection.msgtype.startswith("vos_msgs/"):
            if connection.digest != message_types().hash_rihs01(connection.msgtype):
                raise RecordingError(
                    f"'{self.path}' was recorded with another version of {connection.msgtype}; "
                    "read it with the version of vos_ros that recorded it"
                )

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise RecordingError(_damaged(self.path, error)) from error


def _storage(path: Path) -> str:
    """How a bag is stored, told by the names of its files."""
    if not path.exists():
        raise RecordingError(f"there is no bag at '{path}'")
    if path.is_dir():
        names = [item.name for item in path.iterdir()]
        files = [name for name in names if ".mcap" in name or ".db3" in name]
        if "metadata.yaml" not in names:
            advice = f": give its file '{files[0]}', or run `ros2 bag reindex`" if files else ""
            raise RecordingError(
                f"'{path}' has no metadata.yaml: it is no bag, or its recording was cut off{advice}"
            )
        return "mcap" if any(".mcap" in name for name in files) else "sqlite3"
    storage = {".mcap": "mcap", ".db3": "sqlite3"}.get(path.suffix)
    if storage is None:
        hint = "; a ROS 1 bag is made one by `rosbags-convert`" if path.suffix == ".bag" else ""
        raise RecordingError(
            f"'{path}' is no rosbag2: that is a folder with a metadata.yaml, or one of its files,"
            f" .mcap or .db3{hint}"
        )
    return storage


def _damaged(path: Path, error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"the bag '{path}' cannot be read: {error.strerror}"
    words = str(error) or type(error).__name__
    return (
        f"the bag '{path}' cannot be read: {words.rstrip('.')}. It is damaged, or was cut off, as"
        " when its recording was ended by force; `mcap recover`, or `ros2 bag reindex` for"
        " SQLite, may bring back what is left"
    )
