# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The `data` entry of a stage: what it may hold, in words and as a check.

    stills:                     # one entry, or a list of such entries
      folders: [PATH, ...]        folders of images/ and masks/ with equal stems
      coco:                       files in COCO's instance format
        - {annotations: FILE, images: FOLDER}
      backgrounds: PATH           a folder of photographs, to replace the scenery by
      weight: 1.0                 how often, beside the other entries
      mix: {NAME: SHARE, ...}     what is done to them: fields of vos_ros.data.still_mix.StillMix
    video:                      # one entry, or a list of such entries
      layout: davis2016           how it lies on disk: one of vos_ros.data.datasets.LAYOUTS
      root: PATH
      split: train
      max_gap: 6                  most annotated frames from one frame of a clip to the next
      reference: 0.3              share of the clips whose first frame is from anywhere
      weight: 1.0
      mix: {NAME: SHARE, ...}     likewise: fields of vos_ros.data.video_mix.VideoMix

`stills` need folders or coco, `video` needs root; what else is left out is as shown.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from vos_ros.data.datasets import LAYOUTS
from vos_ros.data.still_mix import StillMix
from vos_ros.data.video_mix import VideoMix
from vos_ros.training.stage import StageError


@dataclass(frozen=True)
class _Kind:
    """What an entry must be, in words and as a test."""

    words: str
    holds: Callable[[object], bool]


def entries_of(data: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The entries of `stills` or `video`: none, the one, or all of the list."""
    value = data.get(name, [])
    return list(value) if isinstance(value, (list, tuple)) else [value]


def video_layout(entry: dict[str, Any]) -> str:
    """How the videos of an entry lie on disk."""
    return entry.get("layout", "davis2016")


def video_split(entry: dict[str, Any]) -> str | None:
    """The split of a video entry; None where its layout has one split only."""
    has_splits = LAYOUTS[video_layout(entry)].split != ""
    return entry.get("split", "train" if has_splits else None)


def data_names(data: dict[str, Any]) -> list[str]:
    """What a stage reads, for a model card: paths as the stage has them, and splits."""
    names: list[str] = []
    for entry in entries_of(data, "stills"):
        names += entry.get("folders", [])
        names += [part["annotations"] for part in entry.get("coco", [])]
        names += [entry["backgrounds"]] if "backgrounds" in entry else []
    for entry in entries_of(data, "video"):
        names.append(" ".join(filter(None, [entry["root"], video_split(entry)])))
    return list(dict.fromkeys(names))


def check_data(data: dict[str, Any]) -> None:
    """Raise StageError unless every entry is one that is known, and of its kind."""
    if not data or not set(data) <= set(_ENTRIES):
        unknown = ", ".join(sorted(str(name) for name in set(data) - set(_ENTRIES)))
        raise StageError(f"data may hold stills and video, not {unknown or 'nothing'}")
    for name in data:
        entries = entries_of(data, name)
        if not entries:
            raise StageError(f"data/{name} must hold `name: value` entries, not an empty list")
        for number, entry in enumerate(entries):
            where = f"data/{name}" if len(entries) == 1 else f"data/{name}/{number}"
            _check_entry(where, entry, *_ENTRIES[name])
    try:
        math.fsum(entry.get("weight", 1) for name in data for entry in entries_of(data, name))
    except OverflowError as error:
        what = "add up to more than a number can hold; their ratios alone matter: make them smaller"
        raise StageError(f"the weights of data {what}") from error


def _check_entry(where: str, entry: object, kinds: dict[str, _Kind], needed: Sequence[str]) -> None:
    if not isinstance(entry, dict):
        raise StageError(f"{where} must hold `name: value` entries, not {entry!r}")
    for key, value in entry.items():
        if key not in kinds:
            raise StageError(f"{where}: unknown {key}; known are {', '.join(kinds)}")
        if not kinds[key].holds(value):
            raise StageError(f"{where}/{key} must be {kinds[key].words}, not {value!r}")
    if not any(key in entry for key in needed):
        raise StageError(f"{where}: {' or '.join(needed)} must be given")


def _text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _list_of(holds: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and value != [] and all(map(holds, value))


def _coco(value: object) -> bool:
    keys = {"annotations", "images"}
    return isinstance(value, dict) and set(value) == keys and all(map(_text, value.values()))


def _share(value: object) -> bool:
    return _number(value) and 0 <= value <= 1


def _shares(mix: type) -> _Kind:
    """Some fields of a mix by name."""
    names = [field.name for field in dataclasses.fields(mix)]
    words = f"shares, 0 to 1, by name, of {', '.join(names)}"

    def holds(value: object) -> bool:
        known = isinstance(value, dict) and set(value) <= set(names)
        return isinstance(value, dict) and known and all(map(_share, value.values()))

    if mix is not StillMix:
        return _Kind(words, holds)
    return _Kind(
        f"{words}; replaced and moved together 1 at most, of which {mix.replaced} and {mix.moved} "
        "stand where they are not given",
        lambda value: isinstance(value, dict) and holds(value) and _parts_of_all(mix(**value)),
    )


def _parts_of_all(mix: StillMix) -> bool:
    return mix.replaced + mix.moved <= 1 + 1e-9


_WEIGHT = _Kind("a number above 0", lambda v: _number(v) and 0 < v < math.inf)
#: the kinds of everything that an entry may hold, and of what it needs at least one
_ENTRIES: dict[str, tuple[dict[str, _Kind], tuple[str, ...]]] = {
    "stills": (
        {
            "folders": _Kind("a list of folders", _list_of(_text)),
            "coco": _Kind("a list of {annotations: file, images: folder}", _list_of(_coco)),
            "backgrounds": _Kind("a folder", _text),
            "weight": _WEIGHT,
            "mix": _shares(StillMix),
        },
        ("folders", "coco"),
    ),
    "video": (
        {
            "layout": _Kind(f"one of {', '.join(LAYOUTS)}", lambda v: _text(v) and v in LAYOUTS),
            "root": _Kind("a folder", _text),
            "split": _Kind("the name of a list of sequences", _text),
            "max_gap": _Kind(
                "a whole number of 1 or more",
                lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= 1,
            ),
            "reference": _Kind("a share, 0 to 1", _share),
            "weight": _WEIGHT,
            "mix": _shares(VideoMix),
        },
        ("root",),
    ),
}
