# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""J and F of the masks that came back, against a folder of true masks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vos_ros.data.image_files import read_labels
from vos_ros.data.video import frame_files
from vos_ros.evaluation.measures import contour_accuracy, region_similarity


class TruthError(ValueError):
    """The true masks do not fit the clip; the message is a sentence that names the folder."""


@dataclass(frozen=True)
class FrameScore:
    """Accuracy in one frame, the mean over its objects, in percent."""

    frame: int
    j: float
    f: float

    @property
    def jf(self) -> float:
        """The mean of J and F."""
        return (self.j + self.f) / 2


def truth_files(video: Path, truth: Path) -> dict[int, Path]:
    """Return the true mask of each frame of the clip that has one, by the frame's number.

    A mask belongs to the frame file of the same stem where the clip is a folder, else to the
    frame whose number, counted from 0, is its name.

    Raises:
        TruthError: there is no such folder, or no mask of it belongs to a frame.
    """
    if not truth.is_dir():
        raise TruthError(f"there is no folder of true masks at '{truth}'")
    masks = [path for path in truth.iterdir() if path.suffix.lower() == ".png"]
    if video.is_dir():
        order = {path.stem: index for index, path in enumerate(frame_files(video))}
        found = {order[path.stem]: path for path in masks if path.stem in order}
    else:
        found = {int(path.stem): path for path in masks if path.stem.isdigit()}
    if not found:
        raise TruthError(
            f"no mask in '{truth}' belongs to a frame of '{video}'; masks are PNG files named as "
            "the frames are, or by the frame's number from 0 (00000.png) where the clip is a file"
        )
    return found


def score(
    results: Iterable[tuple[int, np.ndarray]],
    truth: dict[int, Path],
    ids: Iterable[int],
    given: int = 0,
) -> list[FrameScore]:
    """Return J and F of every result for whose frame the truth is known, but the given one.

    Args:
        results: frame number and H x W labels.
        truth: files of the true masks by frame number.
        ids: the objects followed. A single one is compared with all that is not background in
            the truth, whatever number it has there; several are compared id by id.
        given: number of the frame whose mask was given, which proves nothing.

    Raises:
        TruthError: a true mask is of another size than the result.
    """
    followed = sorted(ids)
    scores = []
    for frame, labels in results:
        if frame == given or frame not in truth:
            continue
        true = read_labels(truth[frame])
        if true.shape != labels.shape:
            raise TruthError(
                f"the true mask '{truth[frame]}' is {true.shape[1]}x{true.shape[0]}, the frames "
                f"are {labels.shape[1]}x{labels.shape[0]}"
            )
        single = len(followed) == 1
        pairs = [(labels == k, true != 0 if single else true == k) for k in followed]
        j = np.mean([region_similarity(mask, other) for mask, other in pairs])
        f = np.mean([contour_accuracy(mask, other) for mask, other in pairs])
        scores.append(FrameScore(frame, 100 * float(j), 100 * float(f)))
    return scores


def frames_with_truth(sent: Iterable[int], truth: dict[int, Path], given: int = 0) -> int:
    """Return how many scores there would be if a mask had come for every frame sent."""
    return len((set(sent) & truth.keys()) - {given})


def accuracy_json(scores: list[FrameScore], possible: int) -> dict[str, object] | None:
    """Return the means and the frames, in percent, keys j, f and jf; None without scores.

    Args:
        scores: of the masks that came.
        possible: see `frames_with_truth`; the key is frames_with_truth.
    """
    if not scores:
        return None
    rows = [
        {"frame": s.frame, "j": round(s.j, 2), "f": round(s.f, 2), "jf": round(s.jf, 2)}
        for s in scores
    ]
    means = {
        key: round(float(np.mean([getattr(s, key) for s in scores])), 2) for key in ("j", "f", "jf")
    }
    return {**means, "frames_with_truth": possible, "frames": rows}
