# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pictures the demo leaves behind: the overlay video and the contact sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from vos_ros.apps.demo_report import Matched, Recording
from vos_ros.data.video import VideoReader, resize, write_video
from vos_ros.drawing import contact_sheet, draw_overlay

SHEET_TILES = 12
SHEET_COLUMNS = 4
_TILE_WIDTH = 480  # pixels


class Pictures:
    """Draws the frames of the clip with the masks that came back for them."""

    def __init__(
        self,
        reader: VideoReader,
        recording: Recording,
        matched: Matched,
        names: Mapping[int, str],
        size: tuple[int, int] | None,
        start: int = 0,
    ) -> None:
        """Remember what to draw.

        Args:
            reader: the clip as it was played.
            recording: for the presence texts.
            matched: the masks and their frames.
            names: what to call the objects.
            size: (width, height) the frames were brought to, None for the clip's own.
            start: number of the first frame that was played.
        """
        self._reader, self._recording, self._names, self._size = reader, recording, names, size
        self._start = start
        # A mask of the still picture before the start serves its frame until its own is there.
        self._masks = {frame.index: mask for frame, mask in (*matched.held, *matched.pairs)}
        self._tiles: dict[int, np.ndarray] = {}

    def overlay_frames(self, last: int) -> Iterator[np.ndarray]:
        """Yield an RGB picture for each frame played, up to number `last`.

        Where no mask came back for a frame, the newest picture with one stays, as on the screen
        of somebody who watches the node; frames before the first mask are shown bare.
        """
        wanted = set(evenly(sorted(self._masks), SHEET_TILES))
        shown: np.ndarray | None = None
        for index, frame in enumerate(self._reader):
            if index < self._start:
                continue
            if index > last:
                return
            if index in self._masks:
                shown = self._draw(frame, index)
                if index in wanted:
                    self._tiles[index] = shown
            elif shown is None:
                yield self._rgb(frame)
                continue
            yield shown

    def _rgb(self, frame: np.ndarray) -> np.ndarray:
        sized = frame if self._size is None else resize(frame, *self._size)
        return cv2.cvtColor(sized, cv2.COLOR_BGR2RGB)

    def _draw(self, frame: np.ndarray, index: int) -> np.ndarray:
        mask = self._masks[index]
        objects = self._recording.presence.get(mask.stamp, ())
        return draw_overlay(self._rgb(frame), mask.labels(), objects, names=self._names)

    def write(self, folder: Path, last: int, rate: float, progress: Callable[[], None]) -> str:
        """Write overlay.mp4 and contact_sheet.png into the folder; return the video's codec.

        Args:
            folder: exists.
            last: number of the last frame that was played.
            rate: of the video, Hz.
            progress: called after each frame.
        """

        def counted() -> Iterator[np.ndarray]:
            for picture in self.overlay_frames(last):
                yield picture
                progress()

        codec = write_video(folder / "overlay.mp4", counted(), rate)
        if self._tiles:
            captions = [f"frame {index}  {index / rate:.2f} s" for index in self._tiles]
            sheet = contact_sheet(
                list(self._tiles.values()), SHEET_COLUMNS, captions, tile_width=_TILE_WIDTH
            )
            cv2.imwrite(str(folder / "contact_sheet.png"), sheet[..., ::-1])
        return codec


def evenly(values: Sequence[int], count: int) -> list[int]:
    """Return at most `count` of the values, evenly spread, the first and the last among them."""
    if len(values) <= count:
        return list(values)
    places = np.linspace(0, len(values) - 1, count).round().astype(int)
    return [values[place] for place in places]
