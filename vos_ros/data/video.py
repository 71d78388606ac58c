# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips on disk: reading a video file or a folder of frames, and writing an mp4.

Frames are read as H x W x 3 uint8 **BGR**, the order in which OpenCV decodes them and cameras
publish them (`bgr8`); only `write_video` takes RGB, as everything that draws returns it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".tif", ".tiff", ".webp")
DEFAULT_RATE = 25.0  # Hz, for folders, and for files that do not say


class VideoError(ValueError):
    """A clip cannot be read or written; the message is a sentence that names the path."""


class VideoReader:
    """A video file or a folder of image files, read frame by frame from the start.

    Iterating opens the file anew each time, so a clip can be played more than once. A folder's
    frames are its image files by name, numbers in the names compared as numbers.
    """

    def __init__(self, path: Path | str) -> None:
        """Look at the clip without holding it open.

        Raises:
            VideoError: there is no such path, or nothing in it can be decoded.
        """
        self.path = Path(path)
        if not self.path.exists():
            raise VideoError(f"there is no video file or folder of frames at '{self.path}'")
        self._files: list[Path] | None = None
        if self.path.is_dir():
            self._files = frame_files(self.path)
            self.rate, self.count = DEFAULT_RATE, len(self._files)
            first = _read_image(self._files[0])
        else:
            capture = _open(self.path)
            self.rate, self.count = _rate_and_count(capture)
            decoded, first = capture.read()
            capture.release()
            if not decoded:
                raise VideoError(f"'{self.path}' holds no frame that can be decoded")
        self.height, self.width = int(first.shape[0]), int(first.shape[1])

    rate: float  # frames a second
    count: int  # frames the container announces, 0 when it does not say
    height: int  # pixels of the first frame
    width: int

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield H x W x 3 uint8 BGR frames; VideoError at a frame of a folder that is broken."""
        if self._files is not None:
            yield from map(_read_image, self._files)
            return
        capture = _open(self.path)
        try:
            while True:
                decoded, frame = capture.read()
                if not decoded:
                    return
                yield frame
        finally:
            capture.release()

    def frame(self, index: int) -> np.ndarray:
        """Return one frame, H x W x 3 uint8 BGR, counted from 0; VideoError past the end.

        A video file is decoded up to there: few containers tell where exactly a frame lies.
        """
        found = next(islice(iter(self), index, None), None)
        if found is None:
            raise VideoError(f"'{self.path}' has no frame {index}, counted from 0")
        return found


def frame_files(folder: Path) -> list[Path]:
    """Return the image files of a folder in the order of the numbers in their names.

    Raises:
        VideoError: the folder holds no image file.
    """
    files = [
        item
        for item in folder.iterdir()
        if item.suffix.lower() in IMAGE_SUFFIXES and not item.name.startswith(".")
    ]
    if not files:
        raise VideoError(
            f"the folder '{folder}' holds no image file (one of {', '.join(IMAGE_SUFFIXES)})"
        )
    return sorted(files, key=_natural_key)


def _natural_key(path: Path) -> tuple[tuple[int, str], ...]:
    """Sort key that puts `frame_10` after `frame_9`."""
    parts = re.split(r"(\d+)", path.name)
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in parts)


def _read_image(path: Path) -> np.ndarray:
    # Not cv2.imread: that warns on its own and cannot open every path on every system.
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise VideoError(f"the frame '{path}' cannot be read: {error.strerror}") from error
    frame = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if frame is None:
        raise VideoError(f"the frame '{path}' is no image that can be decoded")
    return frame


def _open(path: Path) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise VideoError(f"'{path}' cannot be opened as a video: damaged, or of an unknown format")
    return capture


def _rate_and_count(capture: cv2.VideoCapture) -> tuple[float, int]:
    rate = float(capture.get(cv2.CAP_PROP_FPS))
    if not math.isfinite(rate) or not 0.1 <= rate <= 1000.0:
        rate = DEFAULT_RATE  # streams without a time base report 0 or 90000
    return rate, max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))


def resize(frame: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return the frame at another size: averaged when it shrinks, interpolated when it grows."""
    if frame.shape[1] == width and frame.shape[0] == height:
        return frame
    shrinks = width < frame.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(frame, (width, height), interpolation=method)


def write_video(path: Path | str, frames: Iterable[np.ndarray], rate: float) -> str:
    """Write an mp4 and return the name of its codec.

    H.264 where PyAV is installed, for every player and browser shows it; else MPEG-4 part 2,
    the only codec with usable speed that the OpenCV wheels can write.

    Args:
        path: the file, overwritten when it exists; its folder must exist.
        frames: H x W x 3 uint8 RGB. The first one sets the size, the others are brought to it.
        rate: frames a second, above 0.

    Raises:
        VideoError: there are no frames, or the file cannot be written.
    """
    path = Path(path)
    if not rate > 0:
        raise VideoError(f"the rate of '{path}' must be above 0 Hz, not {rate}")
    remaining = iter(frames)
    first = next(remaining, None)
    if first is None:
        raise VideoError(f"there is no frame to write to '{path}'")
    even = (first.shape[1] + 1) // 2 * 2, (first.shape[0] + 1) // 2 * 2  # colour is halved
    sized = (_fit(frame, first.shape[:2], even) for frame in _chain(first, remaining))
    try:
        import av
    except ImportError:
        return _write_opencv(path, sized, rate, even)
    try:
        return _write_h264(av, path, sized, rate, even)
    except (av.error.FFmpegError, OSError) as error:
        raise VideoError(f"'{path}' cannot be written: {error}") from error


def _chain(first: np.ndarray, rest: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    yield first
    yield from rest


def _fit(frame: np.ndarray, shape: tuple[int, int], even: tuple[int, int]) -> np.ndarray:
    """Bring a frame to the clip's size and repeat an edge where that is odd."""
    frame = resize(frame, shape[1], shape[0])
    below, right = even[1] - shape[0], even[0] - shape[1]
    if below or right:
        frame = cv2.copyMakeBorder(frame, 0, below, 0, right, cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(frame)


def _write_h264(
    av: ModuleType, path: Path, frames: Iterable[np.ndarray], rate: float, size: tuple[int, int]
) -> str:
    # The index at the front ("faststart") lets a browser begin before it has the whole file.
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        limited = Fraction(rate).limit_denominator(1001)
        stream = container.add_stream("libx264", rate=limited)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "20"}
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return "h264"


def _write_opencv(
    path: Path, frames: Iterable[np.ndarray], rate: float, size: tuple[int, int]
) -> str:
    code = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, rate, size)
    if not writer.isOpened():
        raise VideoError(f"'{path}' cannot be written: OpenCV opens no mp4 there")
    try:
        for frame in frames:
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    finally:
        writer.release()
    return "mpeg4"
