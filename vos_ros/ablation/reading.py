# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reading an ablation from its YAML file."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from vos_ros.ablation.table import SCORES, AblationTable, HeldOut, TableError, Variant
from vos_ros.inference import PRECISIONS
from vos_ros.training.stage import Stage, read_stage
from vos_ros.weights import file_hash


def read_table(
    path: Path | str, steps: int | None = None, imagenet: Path | None = None
) -> AblationTable:
    """Read an ablation's file and the stages that it names, by paths that start beside it.

    Args:
        path: of the file.
        steps: of each stage, instead of what it says.
        imagenet: file of ImageNet weights for the backbone, instead of the registry package's.

    Raises:
        TableError: when the file is absent, is not YAML, or has a missing, unknown or bad entry.
        StageError: when a stage cannot be used.
        OSError: when the ImageNet weights cannot be read.
    """
    path = Path(path)
    entries = _read_entries(path)
    try:
        table = AblationTable(
            name=path.stem,
            stages=_stages(entries.pop("stage"), path.parent, steps),
            imagenet=file_hash(imagenet) if imagenet else "",
            variants=_variants(entries.pop("variants")),
            held_out=_held_out(entries.pop("held_out")),
            **{name: _KINDS[name](name, value) for name, value in entries.items()},
        )
    except TableError as error:
        raise TableError(f"{path}: {error}") from error
    return table


def read_tables(
    paths: Sequence[Path], steps: int | None = None, imagenet: Path | None = None
) -> list[AblationTable]:
    """Read several ablations; see `read_table`.

    Raises:
        TableError: when two of one network have the same name, which their reports would share;
            else as `read_table`.
    """
    tables = [read_table(path, steps, imagenet) for path in paths]
    if len({(table.model, table.name) for table in tables}) < len(tables):
        raise TableError(
            "two of the tables have the same name and network; rename one or give it another --out"
        )
    return tables


def _read_entries(path: Path) -> dict[str, Any]:
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TableError(f"the table {path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise TableError(f"the table {path} is not YAML: {error}") from error
    needed = ("stage", "variants", "held_out")
    return _entries(str(path), entries, (*needed, *_KINDS), needed)


def _stages(value: object, folder: Path, steps: int | None) -> tuple[Stage, ...]:
    given = value if isinstance(value, list) and value else [value]
    names = [_text("stage", name) for name in given]
    stages = [read_stage(folder / name) for name in names]
    first = stages[0]
    if any((stage.model, stage.network) != (first.model, first.network) for stage in stages):
        raise TableError(f"the stages {', '.join(names)} are not of one and the same network")
    if steps is not None:
        stages = [dataclasses.replace(stage, steps=steps) for stage in stages]
    return tuple(stages)


def _variants(value: object) -> tuple[Variant, ...]:
    if not isinstance(value, dict) or not value:
        raise TableError("variants must hold `name: entries`, one at least")
    return tuple(_variant(name, entries) for name, entries in value.items())


def _variant(name: object, value: object) -> Variant:
    where = f"variants/{name}"
    if not isinstance(name, str) or not name.replace("_", "").isalnum():
        raise TableError(f"{where}: a name holds letters, digits and _ only, it names a folder")
    entries = _entries(where, value or {}, ("title", "network", "published"))
    network, published = entries.get("network", {}), entries.get("published", {})
    if not isinstance(network, dict):
        raise TableError(f"{where}/network must hold `argument: value` entries, not {network!r}")
    published = _entries(f"{where}/published", published, SCORES)
    for score, number in published.items():
        if not _number(number) or not 0 <= number <= 100:
            raise TableError(f"{where}/published/{score} must be percent, not {number!r}")
    return Variant(name, _text(f"{where}/title", entries.get("title", name)), network, published)


def _held_out(value: object) -> tuple[HeldOut, ...]:
    if not isinstance(value, list) or not value:
        raise TableError("held_out must be a list of videos' folders, one at least")
    return tuple(_folder(f"held_out/{index}", entry) for index, entry in enumerate(value))


def _folder(where: str, value: object) -> HeldOut:
    known = [f.name for f in dataclasses.fields(HeldOut)]
    entries = _entries(where, value, known, ("layout", "root"))
    names = entries.pop("sequences", [])
    twin = entries.pop("twin", False)
    if not isinstance(twin, bool):
        raise TableError(f"{where}/twin must be true or false, not {twin!r}")
    if not isinstance(names, list):
        raise TableError(f"{where}/sequences must be a list of names, not {names!r}")
    texts = {name: _text(f"{where}/{name}", text) for name, text in entries.items()}
    sequences = tuple(_text(f"{where}/sequences", name) for name in names)
    return HeldOut(**texts, sequences=sequences, twin=twin)


def _entries(
    where: str, value: object, known: Sequence[str], required: Sequence[str] = ()
) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TableError(f"{where} must hold `name: value` entries, not {value!r}")
    unknown = sorted(str(name) for name in value if name not in known)
    if unknown:
        raise TableError(f"{where}: unknown {', '.join(unknown)}; known are {', '.join(known)}")
    missing = [name for name in required if name not in value]
    if missing:
        raise TableError(f"{where}: {', '.join(missing)} must be given")
    return dict(value)


def _text(where: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TableError(f"{where} must be a text, not {value!r}")
    return value


def _seeds(where: str, value: object) -> tuple[int, ...]:
    seeds = value if isinstance(value, list) else []
    whole = all(type(seed) is int and seed >= 0 for seed in seeds)
    if not whole or not seeds or len(set(seeds)) < len(seeds):
        raise TableError(f"{where} must be a list of different whole numbers, not {value!r}")
    return tuple(seeds)


def _size(where: str, value: object) -> int:
    if type(value) is not int or value < 1:
        raise TableError(f"{where} must be a whole number of pixels, not {value!r}")
    return value


def _precision(where: str, value: object) -> str:
    if value not in PRECISIONS:
        raise TableError(f"{where} must be one of {', '.join(PRECISIONS)}, not {value!r}")
    return value


def _number(value: object) -> bool:
    return isinstance(value, int | float) and type(value) is not bool and math.isfinite(value)


_KINDS: dict[str, Callable[[str, object], Any]] = {
    "seeds": _seeds,
    "size": _size,
    "precision": _precision,
    "published_on": _text,
}
