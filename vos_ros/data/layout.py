# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the readers of data sets share: listing folders, pairing masks and frames, reading lists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from vos_ros.data.sequence import SequenceError

FRAME_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
MASK_SUFFIXES = (".png",)


def files_in(folder: Path, suffixes: Sequence[str]) -> tuple[Path, ...]:
    """The files of a folder that end in one of `suffixes`, in the order of their numbers.

    Raises SequenceError when the folder is missing or holds none.
    """
    if not folder.is_dir():
        raise SequenceError(f"the sequence {folder.name} has no folder {folder}")
    # Names with a leading dot are the resource forks that some archivers leave behind.
    files = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in suffixes and not path.name.startswith(".")
    ]
    if not files:
        raise SequenceError(f"the folder {folder} holds no file ending in {', '.join(suffixes)}")
    return tuple(sorted(files, key=natural_order))


def natural_order(path: Path) -> tuple[tuple[int | str, ...], str]:
    """Sorts `2.png` before `10.png`; names with leading zeros as any sort would."""
    parts = re.split(r"(\d+)", path.name)
    return tuple(int(part) if index % 2 else part for index, part in enumerate(parts)), path.name


def folders_in(folder: Path) -> tuple[str, ...]:
    """Names of the folders in a folder, sorted; empty when it is missing."""
    if not folder.is_dir():
        return ()
    return tuple(
        sorted(
            path.name
            for path in folder.iterdir()
            if path.is_dir() and not path.name.startswith(".")
        )
    )


def paired(frames: Sequence[Path], masks: Sequence[Path]) -> dict[int, Path]:
    """The mask of each frame that has one, by the frame's index: they have one stem.

    Raises SequenceError for a mask without a frame, and for two files with one stem.
    """
    index_of = {path.stem: index for index, path in enumerate(frames)}
    if len(index_of) != len(frames):
        raise SequenceError(
            f"two frames in {frames[0].parent} differ only in their suffix; "
            "one image a frame is needed"
        )
    by_index: dict[int, Path] = {}
    for path in masks:
        if path.stem not in index_of:
            raise SequenceError(
                f"the mask {path} has no frame: {frames[0].parent} holds no image named {path.stem}"
            )
        if by_index.setdefault(index_of[path.stem], path) != path:
            raise SequenceError(
                f"two masks in {path.parent} differ only in their suffix; one a frame is needed"
            )
    return by_index


def read_list(path: Path) -> tuple[str, ...]:
    """Names of sequences in a text file, one a line, spaces included; raises SequenceError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SequenceError(f"the list {path} cannot be read: {error}") from error
    names = tuple(dict.fromkeys(_sequence_name(line) for line in lines if line.strip()))
    if not names:
        raise SequenceError(f"the list {path} is empty; it must name one sequence a line")
    return names


def _sequence_name(line: str) -> str:
    """`bear`, SegTrack's `*bear`, or DAVIS's `/JPEGImages/480p/bear/00000.jpg /Annotations/...`."""
    line = line.strip()
    if "/" not in line:
        return line.lstrip("*")
    # The path of the frame ends where that of the mask begins: names may hold spaces.
    return Path(re.split(r"\s+/", line)[0]).parent.name
