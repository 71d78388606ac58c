# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writes what the node spent its time on to a file that says so to Perfetto."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

from vos_ros.files import write_new
from vos_ros.ros.file_thread import FileThread, folder_of
from vos_ros.ros.requests import RequestError
from vos_ros.ros.trace import Trace


class TraceFile:
    """One file for each node, replaced whenever it is asked for: it never fills a disk.

    The methods belong to the node's executor.

    Args:
        directory: the parameter `trace_directory`.
        node: the node's full name, such as `/head/vos`.
        trace: what is written.
    """

    def __init__(self, directory: str, node: str, trace: Trace) -> None:
        self._directory = directory
        self._node = node
        self._trace = trace
        self._thread = FileThread()

    def write(self) -> Future[tuple[Path, int]]:
        """Write the file; the future has its path and the number of spans, or a `RequestError`."""
        return self._thread.submit(self._write)

    def close(self) -> None:
        """Let a file in hand be finished. Safe to call twice."""
        self._thread.close()

    def _write(self) -> tuple[Path, int]:
        folder = folder_of(self._directory, "vos_traces", "trace_directory")
        # Names of nodes are letters, digits and _, so that this is a name in the folder.
        path = folder / f"{self._node.strip('/').replace('/', '.')}.json"
        spans = self._trace.spans()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_new(path, self._trace.written(self._node).encode("ascii"))
        except OSError as error:
            raise RequestError(f"{path} cannot be written: {error.strerror or error}.") from error
        return path, len(spans)
