# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A smaller copy of what a training reads, at the same places, for a machine elsewhere."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from vos_ros.data.faults import FaultLog
from vos_ros.data.pack_parts import Part
from vos_ros.data.pack_picture import SUFFIX, Packing, encoded, mask_bytes, shrunk
from vos_ros.data.stills import StillError
from vos_ros.files import replacing

RECORD = "packed.json"


class PackError(ValueError):
    """Something that cannot be packed, or not there; the message says what would be right."""


class Copy:
    """Packs sets that lie below one folder into another.

    Every file appears whole or not at all. What is there already is left as it is, so that a copy
    that was interrupted goes on.

    Attributes:
        faults: the files that could not be used.
        bytes: of all that was packed so far, earlier runs included.
    """

    def __init__(self, data: Path, out: Path, packing: Packing, faults: FaultLog) -> None:
        """Raises PackError when `out` holds something else, or lies in `data`."""
        self._data, self._out = _plain(data), _plain(out)
        self._packing, self.faults, self.bytes = packing, faults, 0
        self._taken: dict[Path, Path] = {}  # file in the copy -> what it is made of
        if self._out.is_relative_to(self._data):
            raise PackError(
                f"{out} lies in {data}, whose files it would be among; name another place"
            )
        self._begin()

    def pack(self, part: Part) -> Iterator[int]:
        """Pack a set; yields the bytes of the copy after each picture.

        Raises:
            PackError: when nothing of it can be used, or it is not below the folder.
        """
        count = 0
        for index in range(len(part)):
            count += self._picture(part, index)
            yield self.bytes
        if not count:
            raise PackError(f"nothing in {part.name} can be used")
        for path, content in part.closing().items():
            self._write(self.place(path), content)
        yield self.bytes

    def finish(self) -> None:
        """Put down that the copy is whole."""
        self._record(finished=True)

    def place(self, path: Path) -> Path:
        """Where a file goes. Raises PackError for one that is not below the folder of the data."""
        path = _plain(path)
        if not path.is_relative_to(self._data):
            raise PackError(
                f"{path} is not below {self._data}, so that it has no place in the copy; give the "
                "folder that holds all as --data, and name it from there in the stage"
            )
        return self._out / path.relative_to(self._data)

    def _picture(self, part: Part, index: int) -> bool:
        """Pack a picture and its masks; whether it is in the copy."""
        source = part.path(index)
        place = self.place(source)
        found = self._found(source, place)
        if found and not part.told:
            self._count(found, source)
            part.keep(index, None, found.name)
            return True
        picture = part.read(index)
        if picture is None:
            return False
        small = shrunk(picture, self._packing.size)
        suffix, content = encoded(picture, small, self._packing)
        target = found or place.with_suffix(suffix)
        if self._taken.get(target, source) != source:
            return self._leave(source, f"{self._taken[target]} has the same name but for its end")
        if not part.keep(index, small, target.name):
            return self._leave(source, f"no object is left of it at {self._packing.size} pixels")
        for path, values in small.masks.items():
            self._write(self.place(path).with_suffix(".png"), mask_bytes(values))
        # The picture is last: where it is, the masks are.
        if found:
            self._count(found, source)
        else:
            self._write(target, content, source)
        return True

    def _leave(self, source: Path, what: str) -> bool:
        self.faults.note(source, StillError(what, source))
        return False

    def _found(self, source: Path, place: Path) -> Path | None:
        """The picture where an earlier run, or another set, has packed it already."""
        for target in (place, place.with_suffix(SUFFIX)):
            if self._taken.get(target, source) == source and target.is_file():
                return target
        return None

    def _write(self, target: Path, content: bytes, source: Path | None = None) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with replacing(target) as partial:
                partial.write_bytes(content)
        except BaseException:
            with suppress(OSError):
                target.with_name(target.name + ".partial").unlink()
            raise
        self._count(target, source)

    def _count(self, target: Path, source: Path | None) -> None:
        if target not in self._taken:
            self.bytes += target.stat().st_size
        self._taken[target] = source or target

    def _begin(self) -> None:
        """Make the folder, or see that it holds a copy of this kind."""
        path = self._out / RECORD
        if path.is_file():
            try:
                record = json.loads(path.read_bytes())
                other = Packing(record["size"], record["quality"])
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise PackError(f"{path} is not the record of a copy ({error!r})") from error
            if other != self._packing:
                raise PackError(
                    f"{self._out} holds a copy of size {other.size} and quality {other.quality}; "
                    "give the same, another --out, or delete it"
                )
        elif self._out.exists() and (not self._out.is_dir() or any(self._out.iterdir())):
            raise PackError(f"{self._out} holds something else already; give another --out")
        self._out.mkdir(parents=True, exist_ok=True)
        self._record(finished=False)

    def _record(self, finished: bool) -> None:
        record = {"size": self._packing.size, "quality": self._packing.quality}
        text = json.dumps(record | {"finished": finished})
        with replacing(self._out / RECORD) as partial:
            partial.write_text(text + "\n", encoding="utf-8")


def _plain(path: Path) -> Path:
    """Absolute, without `..`; links stay, for what they lead to has its place by their name."""
    return Path(os.path.abspath(path))
