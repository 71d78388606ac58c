# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A contact sheet of an evaluation: a row of frames with their masks for each sequence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from vos_ros.data.image_files import read_labels
from vos_ros.data.sequence import VideoSequence
from vos_ros.drawing import contact_sheet, draw_overlay
from vos_ros.evaluation.runner import SequenceResult, picture_frames

COLUMNS = 5
"""Frames shown of each sequence."""

_TILE_WIDTH = 320


def write_contact_sheet(
    path: Path,
    sequences: Sequence[VideoSequence],
    results: Sequence[SequenceResult],
    masks: Path | None = None,
) -> None:
    """Draws `COLUMNS` frames of each sequence with the labels that `results` keep.

    Labels that a result does not keep, because it comes from an interrupted run, are read from
    the folder `masks`. The folder of `path` is made where it is missing.
    """
    tiles: list[np.ndarray] = []
    captions: list[str] = []
    for sequence, result in zip(sequences, results, strict=True):
        scores = dict(zip(result.scored, zip(result.j, result.f, strict=True), strict=True))
        chosen = picture_frames(sequence, COLUMNS)
        for index in chosen:
            labels = _labels(sequence, result, index, masks)
            foreground = (labels != 0).astype(np.uint8)  # one object, one colour, whatever its id
            tiles.append(draw_overlay(sequence.frame(index), foreground))
            j, f = scores[index]
            captions.append(f"{sequence.name} {sequence.stems[index]}  "
                            f"J {100 * j:.0f} F {100 * f:.0f}")
        missing = COLUMNS - len(chosen)  # a video shorter than a row; the next begins a new one
        tiles += [np.zeros_like(tiles[-1])] * missing
        captions += [""] * missing
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(contact_sheet(tiles, COLUMNS, captions, _TILE_WIDTH)).save(path)


def _labels(
    sequence: VideoSequence, result: SequenceResult, index: int, masks: Path | None
) -> np.ndarray:
    if index in result.kept:
        return result.kept[index]
    if masks is None:
        raise ValueError(f"the result of {sequence.name} keeps no labels of frame {index} and no "
                         "folder of masks is given")
    return read_labels(masks / sequence.name / f"{sequence.stems[index]}.png")
