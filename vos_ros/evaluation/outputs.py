# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a file can be written, tried before the hours of work that it is to hold."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from vos_ros.evaluation.errors import EvaluationError


def need_file(path: Path, suffixes: Collection[str] = ()) -> None:
    """Raises EvaluationError unless `path` can be written and ends in one of `suffixes`, if any.

    Makes its folder; leaves neither a file where there was none, nor another content where there
    was one.
    """
    if suffixes and path.suffix.lower() not in suffixes:
        raise EvaluationError(
            f"{path} must end in {' or '.join(sorted(suffixes))}, which says "
            "what kind of picture it is"
        )
    try:
        if path.is_dir():
            raise EvaluationError(f"{path} is a folder; the name of a file is needed")
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.open("xb").close()
            path.unlink()
        elif path.is_file():  # not /dev/stdout, nor a pipe, which may be opened once only
            path.open("ab").close()
    except OSError as error:
        raise EvaluationError(f"{path} cannot be written: {error.strerror}") from error


def need_folder(path: Path) -> None:
    """Raises EvaluationError unless files can be written in the folder `path`; makes it."""
    if path.exists() and not path.is_dir():
        raise EvaluationError(f"{path} is a file; the name of a folder is needed")
    need_file(path / f".{os.getpid()}.tried")
