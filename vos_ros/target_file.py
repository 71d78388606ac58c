# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files of taught objects: what a network has learned of them, kept in one folder.

A file is one ``NAME.safetensors``. Its metadata say what it is of; its tensors are what was
learned, as they were, and a small picture of each object. Nothing in it is ever executed, and
nothing outside the folder is read or written, whatever a name or a link says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from vos_ros.learned import Learned
from vos_ros.masks import SegmentationError
from vos_ros.safetensors_header import metadata_of
from vos_ros.target_folder import MAX_BYTES, TargetFileError, TargetFolder
from vos_ros.weights import ModelCard

__all__ = ["TargetFileError", "TaughtObjects", "load_targets", "save_targets"]

#: a thumbnail's longer side has at most this many pixels
MAX_THUMBNAIL = 128
#: an object's name has at most this many characters
MAX_NAME = 255

_FORMAT = "vos_ros.targets.1"
_STATE = re.compile(r"state\.([a-z_]{1,64})")
_THUMBNAIL = re.compile(r"thumbnail\.([1-9][0-9]{0,2})")
#: 255 objects with the longest names take half of it
_MAX_HEADER = 1 << 20


@dataclass(frozen=True, eq=False)
class TaughtObjects:
    """Objects as they are kept.

    Attributes:
        learned: what the network knows of them.
        names: for people, by id; an object without a name has none here.
        thumbnails: for people, by id: h x w x 3 uint8 RGB, at most `MAX_THUMBNAIL` a side.
    """

    learned: Learned
    names: Mapping[int, str] = field(default_factory=dict)
    thumbnails: Mapping[int, np.ndarray] = field(default_factory=dict)


def save_targets(folder: Path | str, name: str, taught: TaughtObjects, card: ModelCard) -> Path:
    """Write objects to a file of a folder, which is made if it is not there.

    An older file of that name is replaced once the new one is whole on the disk.

    Args:
        folder: the only one that is written to.
        name: of the file, without folder and suffix.
        taught: the objects.
        card: of the weights they were learned with.

    Returns:
        The file.

    Raises:
        TargetFileError: when the name is none, what is to be written could not be read again, or
            the system refuses; an older file is as it was.
    """
    return TargetFolder(folder).write(name, _content(taught, card))


def load_targets(folder: Path | str, name: str, card: ModelCard) -> TaughtObjects:
    """Read objects from a file of a folder.

    Args:
        folder: the only one that is read from.
        name: of the file, without folder and suffix.
        card: of the weights that are to go on with the objects.

    Raises:
        TargetFileError: when the name is none, there is no such file, it is damaged, foreign or too
            large, or is of another network or other weights.
    """
    files = TargetFolder(folder)
    path, content = files.path(name), files.read(name)
    metadata = _metadata(path, content)
    described = _described(path, metadata)
    _check_weights(path, described, card)
    try:
        tensors = load(content)
    except (SafetensorError, RuntimeError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise _damaged(path, error) from error
    return _taught(path, described, tensors)


def _metadata(path: Path, content: bytes) -> dict[str, Any]:
    try:
        metadata = metadata_of(content, _MAX_HEADER)
    except ValueError as error:
        raise _damaged(path, error) from error
    found = metadata.get("format")
    if found != _FORMAT:
        raise TargetFileError(
            f"{path} is a safetensors file, but not one of taught objects: its format is "
            f"{str(found)[:80]!r}, expected {_FORMAT!r}"
        )
    return metadata


@dataclass(frozen=True)
class _Description:
    """What the metadata say; each entry has the type stated."""

    model: str
    weights: str
    precision: str
    size: int
    padded: list[int]
    ids: list[int]
    names: list[str]


def _described(path: Path, metadata: dict[str, Any]) -> _Description:
    try:
        described = _Description(**json.loads(metadata.get("objects", "")))
    except (TypeError, ValueError, RecursionError) as error:
        raise _damaged(path, f"its description cannot be read ({str(error)[:200]})") from error
    kinds = {"str": str, "int": int, "list[int]": list, "list[str]": list}
    for name, annotation in _Description.__annotations__.items():
        kind = kinds[annotation]
        if type(getattr(described, name)) is not kind:
            raise _damaged(path, f"{name} in its description must be of the type {kind.__name__}")
    whole = [*described.padded, *described.ids]
    if len(described.padded) != 2 or not all(type(number) is int for number in whole):
        raise _damaged(path, "sizes and ids in its description must be whole numbers")
    names = described.names
    if len(names) != len(described.ids) or not all(type(name) is str for name in names):
        raise _damaged(path, "its description must have a name, or an empty one, for each id")
    return described


def _check_weights(path: Path, described: _Description, card: ModelCard) -> None:
    if described.model != card.model:
        raise TargetFileError(
            f"{path} is of the network {described.model[:40]!r}, and this is {card.model!r}; use "
            "that network, or show the objects again"
        )
    if described.weights != card.sha256:
        raise TargetFileError(
            f"{path} was made with other weights ({described.weights[:12]}..., these are "
            f"{card.sha256[:12]}...), which see objects differently; use those, or show the "
            "objects again"
        )


def _taught(path: Path, described: _Description, tensors: dict[str, Tensor]) -> TaughtObjects:
    state, thumbnails = _sorted_out(path, tensors)
    learned = Learned(
        ids=tuple(described.ids),
        tensors=state,
        padded=(described.padded[0], described.padded[1]),
        size=described.size,
        precision=described.precision,
    )
    names = {i: name for i, name in zip(described.ids, described.names, strict=True) if name}
    taught = TaughtObjects(learned, names, thumbnails)
    try:
        _check(taught)
    except (SegmentationError, TargetFileError) as error:
        raise _damaged(path, error) from error
    return taught


def _sorted_out(
    path: Path, tensors: dict[str, Tensor]
) -> tuple[dict[str, Tensor], dict[int, np.ndarray]]:
    """Tensors of the state by their fields, and thumbnails by their ids."""
    state: dict[str, Tensor] = {}
    thumbnails: dict[int, np.ndarray] = {}
    for name, value in tensors.items():
        if match := _STATE.fullmatch(name):
            state[match[1]] = value
        elif (match := _THUMBNAIL.fullmatch(name)) and value.dtype == torch.uint8:
            thumbnails[int(match[1])] = value.numpy()
        else:
            raise _damaged(path, f"it holds a tensor that has no meaning, {name[:80]!r}")
    return state, thumbnails


def _content(taught: TaughtObjects, card: ModelCard) -> bytes:
    """The bytes of a file, which are such that it can be read again."""
    try:
        _check(taught)
    except SegmentationError as error:
        raise TargetFileError(f"the objects cannot be kept: {error}") from error
    learned = taught.learned
    described = _Description(
        model=card.model,
        weights=card.sha256,
        precision=learned.precision,
        size=learned.size,
        padded=list(learned.padded),
        ids=list(learned.ids),
        names=[taught.names.get(object_id, "") for object_id in learned.ids],
    )
    tensors = {f"state.{name}": value for name, value in learned.tensors.items()}
    for object_id, picture in taught.thumbnails.items():
        tensors[f"thumbnail.{object_id}"] = torch.from_numpy(np.ascontiguousarray(picture))
    total = sum(value.numel() * value.element_size() for value in tensors.values()) + _MAX_HEADER
    if total > MAX_BYTES:
        raise TargetFileError(
            f"the objects take {total} bytes, and a file of taught objects has at most "
            f"{MAX_BYTES}; keep fewer of them, or use a smaller size"
        )
    text = json.dumps(vars(described), ensure_ascii=False)
    return save(tensors, metadata={"format": _FORMAT, "objects": text})


def _check(taught: TaughtObjects) -> None:
    """Raise SegmentationError or TargetFileError for what no file may hold."""
    taught.learned.check()
    if not (taught.names.keys() | taught.thumbnails.keys()) <= set(taught.learned.ids):
        raise TargetFileError("there are names or thumbnails of objects that are not among them")
    for name in taught.names.values():
        # A message cannot carry the last two: the first ends a text there, the others are halves.
        if len(name) > MAX_NAME or re.search("[\0\ud800-\udfff]", name):
            raise TargetFileError(
                f"an object's name must be at most {MAX_NAME} characters of text, and one is of "
                f"{len(name)}: {name[:40]!r}"
            )
    for object_id, picture in taught.thumbnails.items():
        shape, sides = picture.shape, picture.shape[:2]
        colours = len(shape) == 3 and shape[2] == 3 and picture.dtype == np.uint8
        if not colours or not all(1 <= side <= MAX_THUMBNAIL for side in sides):
            raise TargetFileError(
                f"the thumbnail of object {object_id} must be h x w x 3 bytes, each side 1 to "
                f"{MAX_THUMBNAIL}, and is {' x '.join(map(str, shape))} of {picture.dtype}"
            )


def _damaged(path: Path, reason: object) -> TargetFileError:
    return TargetFileError(
        f"{path} is damaged or not a file of taught objects: {reason}; save the objects again"
    )
