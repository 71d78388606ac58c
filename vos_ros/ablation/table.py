# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An ablation, as its YAML file states it: its variants, how they are trained and scored."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from vos_ros.training.stage import Stage, read_stage

SCORES = ("j", "f", "jf")
"""What is compared, percent: J, F and their mean."""
PRECISIONS = ("fp32", "bf16", "fp16")


class TableError(ValueError):
    """An ablation that cannot be made; the message says what to change."""


@dataclass(frozen=True)
class Variant:
    """One row of the table.

    Attributes:
        name: of its folder and for the command line.
        title: what the paper calls it.
        network: what differs from the network of the stage: keyword arguments.
        published: the paper's scores, percent, by `SCORES`; what it does not print is left out.
    """

    name: str
    title: str
    network: dict = field(default_factory=dict)
    published: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class HeldOut:
    """Videos that are scored.

    Attributes:
        layout: of the folder, one of `vos_ros.data.datasets.LAYOUTS`.
        root: the folder, relative to the data folder.
        split: list of sequences; the layout's own when empty.
        sequences: only these; all when empty.
        protocol: what they are scored by, one of `vos_ros.evaluation.protocols.PROTOCOLS`. That of
            DAVIS-2016 takes whatever is not background for one object.
        twin: whether every frame stands beside its own mirror image, so that the object has a
            double that is not it; the names of the videos then end in ``-twin``.
    """

    layout: str
    root: str
    split: str = ""
    sequences: tuple[str, ...] = ()
    protocol: str = "davis2016"
    twin: bool = False


@dataclass(frozen=True)
class AblationTable:
    """Everything that decides what an ablation finds.

    Attributes:
        stage: what every variant is trained with.
        variants: the first is the one that the others are compared with.
        seeds: every variant is trained once with each.
        held_out: the videos that are scored.
        size: short side of the image inside the network while scoring, pixels.
        precision: of the arithmetic while scoring: ``fp32``, ``bf16`` or ``fp16``.
        published_on: what the published scores were measured on.
    """

    stage: Stage
    variants: tuple[Variant, ...]
    held_out: tuple[HeldOut, ...]
    seeds: tuple[int, ...] = (1,)
    size: int = 240
    precision: str = "fp32"
    published_on: str = ""

    def stage_of(self, variant: Variant, seed: int) -> Stage:
        """What a variant is trained with."""
        network = {**self.stage.network, **variant.network}
        return dataclasses.replace(self.stage, network=network, seed=seed)


def read_table(path: Path | str, steps: int | None = None) -> AblationTable:
    """Read an ablation's file and the stage that it names, which lies beside it.

    Args:
        path: of the file.
        steps: another number of steps than the stage says.

    Raises:
        TableError: when the file is absent, is not YAML, or has a missing, unknown or bad entry.
        StageError: when the stage cannot be used.
    """
    path = Path(path)
    entries = _read_entries(path)
    try:
        stage = read_stage(path.parent / _text("stage", entries.pop("stage")))
        table = AblationTable(
            stage=stage if steps is None else dataclasses.replace(stage, steps=steps),
            variants=_variants(entries.pop("variants")),
            held_out=_held_out(entries.pop("held_out")),
            **{name: _KINDS[name](name, value) for name, value in entries.items()},
        )
    except TableError as error:
        raise TableError(f"{path}: {error}") from error
    return table


def read_tables(paths: Sequence[Path], steps: int | None = None) -> list[AblationTable]:
    """Read several ablations, of different networks: each has a folder named after its network.

    Raises:
        TableError: when two are of the same network; else as `read_table`.
    """
    tables = [read_table(path, steps) for path in paths]
    models = [table.stage.model for table in tables]
    if len(set(models)) < len(models):
        raise TableError("two of the tables are of the same network; give each another --out")
    return tables


def _read_entries(path: Path) -> dict:
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TableError(f"the table {path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise TableError(f"the table {path} is not YAML: {error}") from error
    known = [f.name for f in dataclasses.fields(AblationTable)]
    return _entries(str(path), entries, known, ("stage", "variants", "held_out"))


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


def _entries(where: str, value: object, known, required=()) -> dict:
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
    whole = isinstance(value, list) and all(type(seed) is int and seed >= 0 for seed in value)
    if not whole or not value or len(set(value)) < len(value):
        raise TableError(f"{where} must be a list of different whole numbers, not {value!r}")
    return tuple(value)


def _size(where: str, value: object) -> int:
    if type(value) is not int or value < 1:
        raise TableError(f"{where} must be a whole number of pixels, not {value!r}")
    return value


def _precision(where: str, value: object) -> str:
    if value not in PRECISIONS:
        raise TableError(f"{where} must be one of {', '.join(PRECISIONS)}, not {value!r}")
    return value


def _number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


_KINDS = {"seeds": _seeds, "size": _size, "precision": _precision, "published_on": _text}
