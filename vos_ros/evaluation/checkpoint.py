# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Results of the sequences done so far, kept in a file so that an interrupted run can go on."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vos_ros.evaluation.results import ObjectResult, SequenceResult
from vos_ros.files import replacing


class Checkpoint:
    """One line of JSON for each finished sequence, after a line that says what run it is.

    `run` names everything that the results depend on; a file of another run is not taken up.
    """

    def __init__(self, path: Path, run: dict[str, Any]) -> None:
        self._path = path
        self._run = run

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def load(self) -> dict[str, SequenceResult]:
        """Results by sequence name; empty when there is no file or it is of another run."""
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines()
        except (FileNotFoundError, UnicodeDecodeError):
            return {}
        records = [_parsed(line) for line in lines]
        if not records or records[0] != {"run": self._run}:
            return {}
        results = [_result(record) for record in records[1:]]
        return {result.name: result for result in results if result is not None}

    def begin(self, results: dict[str, SequenceResult]) -> None:
        """Writes the file anew with the results that are taken over; makes its folder.

        The new one is written beside the old and takes its place when it is whole, so that no
        moment is without the results.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps({"run": self._run})]
        lines += [_line(result) for result in results.values()]
        with replacing(self._path) as beside:
            beside.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def add(self, result: SequenceResult) -> None:
        """Appends a finished sequence."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(_line(result) + "\n")

    def remove(self) -> None:
        """Deletes the file: the run is complete."""
        self._path.unlink(missing_ok=True)


def _line(result: SequenceResult) -> str:
    record = asdict(result)
    record["kept"] = {
        index: base64.b64encode(picture).decode() for index, picture in result.kept.items()
    }
    return json.dumps(record)


def _parsed(line: str) -> Any:
    # The last line is cut short when the run was killed while writing it.
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return None


def _result(record: Any) -> SequenceResult | None:
    try:
        numbers = {key: record[key] for key in ("name", "frames", "width", "height")}
        objects = tuple(
            ObjectResult(entry["id"], *(tuple(entry[key]) for key in ("scored", "j", "f")))
            for entry in record["objects"]
        )
        kept = {int(index): base64.b64decode(text) for index, text in record["kept"].items()}
        return SequenceResult(
            **numbers, objects=objects, step_ms=tuple(record["step_ms"]), kept=kept
        )
    except (TypeError, KeyError, ValueError, AttributeError):
        return None
