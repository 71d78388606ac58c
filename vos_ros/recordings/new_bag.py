# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writing a bag that is there whole or not at all."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from rosbags.interfaces import (
    Connection,
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from vos_ros.recordings.errors import RecordingError
from vos_ros.recordings.types import message_types

_NO_LIMIT = QosTime(2147483647, 4294967295)
#: as the node offers its results (`vos_ros.ros.qos.results`), for `ros2 bag play` to do the same
_RESULTS = Qos(
    QosHistory.KEEP_LAST,
    5,
    QosReliability.RELIABLE,
    QosDurability.VOLATILE,
    _NO_LIMIT,
    _NO_LIMIT,
    QosLiveliness.AUTOMATIC,
    _NO_LIMIT,
    False,
)


class NewBag:
    """A bag in the making; a context manager.

    It is written beside its place under a hidden name. However the block is left, by its end, an
    error or a signal, what was written until then becomes a readable bag in its place if it is
    `worth_keeping`; otherwise, and when that fails, nothing is left of it.

    Attributes:
        path: where it will be.
        worth_keeping: whether it holds what it is made for; false at first.
        kept: whether it is in its place.
    """

    def __init__(self, path: Path, storage: str, custom: dict[str, str]) -> None:
        """Begin.

        Args:
            path: of the folder to be; what is there already is never replaced.
            storage: ``mcap``, whose chunks are compressed with zstd, or ``sqlite3``.
            custom: what to put down beside the messages, by key.

        Raises:
            RecordingError: there is something at the path, or nothing can be written there.
        """
        self.path = path
        self.worth_keeping = self.kept = False
        refuse_existing(path)
        self._topics: dict[str, Connection] = {}
        self._types: dict[str, str] = {}
        with self._told():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._hidden = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            with self._told():
                plugin = StoragePlugin[storage.upper()]
                # The files in it bear the name of the folder.
                self._writer = Writer(self._hidden / path.name, version=9, storage_plugin=plugin)
                if plugin is StoragePlugin.MCAP:  # masks shrink to a hundredth
                    self._writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
                for key, value in custom.items():
                    self._writer.set_custom_data(key, value)
                self._writer.open()
        except BaseException:
            self._remove()
            raise

    def add(self, name: str, kind: str) -> None:
        """Take messages of a type of ours or of ROS on a topic."""
        with self._told():
            self._types[name] = kind
            self._topics[name] = self._writer.add_connection(
                name, kind, typestore=message_types(), offered_qos_profiles=[_RESULTS]
            )

    def add_like(self, other: Connection) -> bool:
        """Take messages copied from a topic of another bag; false when that does not define it."""
        with self._told():
            known = other.msgtype in message_types().fielddefs
            if not known and not (other.msgdef.data and other.digest):
                return False
            given: dict[str, Any] = {"typestore": message_types()}
            if other.msgdef.data and other.digest:
                given = {"msgdef": other.msgdef.data, "rihs01": other.digest}
            qos = getattr(other.ext, "offered_qos_profiles", ())
            self._topics[other.topic] = self._writer.add_connection(
                other.topic, other.msgtype, offered_qos_profiles=qos, **given
            )
            return True

    def write(self, topic: str, time: int, message: object) -> None:
        """Write a message, received at a time in ns, on a topic that was added."""
        with self._told():
            data = message_types().serialize_cdr(message, self._types[topic])
        self.copy(topic, time, data)

    def copy(self, topic: str, time: int, data: bytes | memoryview) -> None:
        """Write a message that is serialised already.

        Raises:
            RecordingError: the disk is full, or the like.
        """
        with self._told():
            self._writer.write(self._topics[topic], time, data)

    def __enter__(self) -> NewBag:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self.worth_keeping:
                with self._told():
                    self._writer.close()
                    (self._hidden / self.path.name).rename(self.path)
                    self.kept = True
            else:
                self._writer.abort()
        except BaseException:
            with suppress(Exception):
                self._writer.abort()
            raise
        finally:
            self._remove()

    def _remove(self) -> None:
        shutil.rmtree(self._hidden, ignore_errors=True)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise RecordingError(f"'{self.path}' cannot be written: {error}") from error


def refuse_existing(path: Path) -> None:
    """Raise RecordingError where there is something at the path."""
    if path.exists() or path.is_symlink():
        raise RecordingError(f"'{path}' is there already and is not replaced; name another")
