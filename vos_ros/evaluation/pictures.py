# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A contact sheet of an evaluation: a row of frames with their masks for each sequence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from vos_ros.data.image_files import read_labels
from vos_ros.data.sequence import VideoSequence
from vos_ros.drawing import contact_sheet, draw_overlay
from vos_ros.evaluation.results import SequenceResult, unpacked
from vos_ros.evaluation.runner import SequenceTask, picture_frames

COLUMNS = 5
"""Frames shown of each sequence."""

_TILE_WIDTH = 320


def write_contact_sheet(
    path: Path,
    task: SequenceTask,
    sequences: Sequence[VideoSequence],
    results: Sequence[SequenceResult],
) -> None:
    """Draws `COLUMNS` frames of each sequence with the labels that `results` keep.

    Every object has its own colour. Labels that a result does not keep, because it comes from an
    interrupted run, are read from the masks that the task wrote. The folder of `path` is made where
    it is missing.
    """
    tiles: list[np.ndarray] = []
    captions: list[str] = []
    for sequence, result in zip(sequences, results, strict=True):
        chosen = picture_frames(task.protocol, sequence, COLUMNS)
        for index in chosen:
            labels = _labels(task, sequence, result, index)
            if sequence.binary:  # one object, one colour, whatever its value
                labels = (labels != 0).astype(np.uint8)
            # Shrunk at once: the frames of hundreds of videos would fill the memory.
            tiles.append(_small(draw_overlay(sequence.frame(index), labels)))
            captions.append(f"{sequence.name} {sequence.stems[index]}{_scores(result, index)}")
        missing = COLUMNS - len(chosen)  # a video shorter than a row; the next begins a new one
        tiles += [np.zeros_like(tiles[-1])] * missing
        captions += [""] * missing
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(contact_sheet(tiles, COLUMNS, captions, _TILE_WIDTH)).save(path)


def _scores(result: SequenceResult, index: int) -> str:
    scores = result.frame_scores(index)
    return "" if scores is None else f"  J {100 * scores[0]:.0f} F {100 * scores[1]:.0f}"


def can_draw(task: SequenceTask, sequence: VideoSequence, result: SequenceResult) -> bool:
    """Whether the labels of all frames that are shown were kept, or written as masks."""
    written = {path.stem for path in task.mask_paths(sequence) if path.is_file()}
    return all(
        index in result.kept or sequence.stems[index] in written
        for index in picture_frames(task.protocol, sequence, COLUMNS)
    )


def _small(tile: np.ndarray) -> np.ndarray:
    """An image no wider than it is shown."""
    height, width = tile.shape[:2]
    if width <= _TILE_WIDTH:
        return tile
    size = (_TILE_WIDTH, max(1, round(height * _TILE_WIDTH / width)))
    return cv2.resize(tile, size, interpolation=cv2.INTER_AREA)


def _labels(
    task: SequenceTask, sequence: VideoSequence, result: SequenceResult, index: int
) -> np.ndarray:
    if index in result.kept:
        return unpacked(result.kept[index])
    stem = sequence.stems[index]
    for path in task.mask_paths(sequence):
        if path.stem == stem:
            return read_labels(path)
    raise ValueError(
        f"the result of {sequence.name} keeps no labels of frame {index} and no mask "
        "of it was written"
    )
