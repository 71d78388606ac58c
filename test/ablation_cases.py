# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A small ablation: its table and stage, data to train on and to score on, records made up."""

from __future__ import annotations

import copy
from pathlib import Path

import yaml
from train_cases import STAGE as TRAINED
from train_cases import draw_data

STAGE = TRAINED | {"steps": 3, "unfreeze": 1.0, "frozen_stride": 32}
TABLE = {
    "stage": "stage.yaml",
    "published_on": "DAVIS on another planet",
    "variants": {
        "full": {"title": "all of it", "published": {"j": 50.0, "f": 60.0, "jf": 55.0}},
        "no_matching": {
            "title": "without GDM",
            "network": {"matching": False},
            "published": {"jf": 51.5},
        },
    },
    "held_out": [{"layout": "davis2016", "root": "davis", "split": "train"}],
    "size": 32,
}


def write_table(
    folder: Path,
    table: dict | None = None,
    stage: dict | None = None,
    second: dict | None = None,
    name: str = "table",
) -> Path:
    """The table and the stage beside it; entries given here replace those above, None drops one.

    Entries of a `second` stage make it one that follows the first.
    """
    first = STAGE | (stage or {})
    table = copy.deepcopy(TABLE) | (table or {})
    if second is not None:
        _write(folder / "second.yaml", first | second)
        table["stage"] = ["stage.yaml", "second.yaml"]
    _write(folder / "stage.yaml", first)
    return _write(folder / f"{name}.yaml", table)


def _write(path: Path, entries: dict) -> Path:
    kept = {key: value for key, value in entries.items() if value is not None}
    path.write_text(yaml.safe_dump(kept, sort_keys=False))
    return path


def write_data(folder: Path) -> Path:
    """Stills, and a video of four frames that is trained on and scored on alike."""
    return draw_data(folder)


def made_up_record(variant: str, seed: int, losses: list[float] | None = None, **jf: float) -> dict:
    """A record with J two above and F two below the J&F of every video."""
    sequences = {
        name: {
            "j": value + 2,
            "f": value - 2,
            "jf": value,
            "ms_per_frame": {"median": 7.0},
            "frames_scored": 5,
        }
        for name, value in jf.items()
    }
    mean = sum(jf.values()) / len(jf)
    return {
        "variant": variant,
        "seed": seed,
        "j": mean + 2,
        "f": mean - 2,
        "jf": mean,
        "ms_per_frame": {"median": 8.0},
        "sequences": sequences,
        "parameters": 3_500_000,
        "backbone_parameters": 3_000_000,
        "training_seconds": 90.0,
        "last_losses": losses if losses is not None else [0.25 * seed, 0.75 * seed],
        "hardware": {"cpu": "an abacus", "cores": 4, "gpu": None},
        "versions": {"torch": "9.9"},
        "threads": 1,
        "beside": 2,
        "device": "cpu",
    }
