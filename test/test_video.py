# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reading clips and writing mp4, against pictures made here."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from vos_ros.data.video import VideoError, VideoReader, frame_files, resize, write_video


def picture(index: int, height: int = 48, width: int = 64) -> np.ndarray:
    """RGB: a red ramp to the right, and a blue level that counts the frames."""
    frame = np.zeros((height, width, 3), np.uint8)
    frame[..., 0] = np.linspace(0, 200, width, dtype=np.uint8)
    frame[..., 2] = 10 + 20 * index
    return frame


def folder_of(path: Path, names: list[str]) -> Path:
    for index, name in enumerate(names):
        cv2.imwrite(str(path / name), picture(index)[..., ::-1])
    return path


def test_folder_frames_come_by_number_and_as_bgr(tmp_path: Path) -> None:
    names = ["f_2.png", "f_10.png", "f_9.png"]
    clip = VideoReader(folder_of(tmp_path, names))
    (tmp_path / "notes.txt").write_text("no frame")
    assert (clip.count, clip.height, clip.width) == (3, 48, 64)
    assert [file.name for file in frame_files(tmp_path)] == ["f_2.png", "f_9.png", "f_10.png"]
    frames = list(clip)
    for frame, index in zip(frames, (0, 2, 1), strict=True):
        assert np.array_equal(frame, picture(index)[..., ::-1])
    assert np.array_equal(clip.frame(2), frames[2])
    with pytest.raises(VideoError, match="no frame 3"):
        clip.frame(3)


@pytest.fixture(params=["h264", "mpeg4"])
def codec(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of writing: with PyAV, and as it goes where that is not installed."""
    if request.param == "h264":
        pytest.importorskip("av", reason="PyAV, which writes H.264, is not installed")
    else:
        monkeypatch.setitem(sys.modules, "av", None)
    return request.param


def test_written_video_reads_back(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "clip with space.mp4"
    assert write_video(path, (picture(k) for k in range(8)), 12.5) == codec
    clip = VideoReader(path)
    assert (clip.count, clip.height, clip.width) == (8, 48, 64)
    assert clip.rate == pytest.approx(12.5, rel=1e-3)
    for _ in range(2):  # a clip plays again from its start
        frames = list(clip)
        assert len(frames) == 8
        for index, frame in enumerate(frames):
            wrong = np.abs(frame[..., ::-1].astype(int) - picture(index)).mean()
            assert wrong < 8, (index, wrong)


def test_odd_sizes_keep_their_pixels_and_others_are_brought_to_the_first(
    tmp_path: Path, codec: str
) -> None:
    frames = [picture(3, 47, 63), picture(3, 94, 126)]
    write_video(tmp_path / "odd.mp4", frames, 25)
    for frame in VideoReader(tmp_path / "odd.mp4"):
        assert frame.shape == (48, 64, 3)
        assert np.abs(frame[:47, :63, ::-1].astype(int) - frames[0]).mean() < 8


def test_resize_keeps_equal_sizes_untouched_and_averages_when_shrinking() -> None:
    frame = np.zeros((4, 4, 3), np.uint8)
    frame[:, ::2] = 100
    assert resize(frame, 4, 4) is frame
    assert (resize(frame, 2, 2) == 50).all()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: p / "absent.mp4", "there is no video file or folder"),
        (lambda p: p, "holds no image file"),
        (lambda p: _file(p / "text.mp4", b"this is no video"), "cannot be opened as a video"),
        (lambda p: _file(p / "empty.mp4", b""), "cannot be opened as a video"),
        (lambda p: _file(p / "a.png", b"torn").parent, "a.png' is no image"),
        (lambda p: _file(p / "a.png", b"").parent, "a.png' is no image"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, make, words: str) -> None:
    path = make(tmp_path)
    with pytest.raises(VideoError, match=words) as caught:
        VideoReader(path)
    assert str(tmp_path) in str(caught.value)


def _file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_truncated_video_ends_early_or_is_refused(tmp_path: Path) -> None:
    whole = tmp_path / "whole.mp4"
    write_video(whole, (picture(k, 240, 320) for k in range(12)), 25)
    torn = _file(tmp_path / "torn.mp4", whole.read_bytes()[: whole.stat().st_size // 2])
    try:
        assert len(list(VideoReader(torn))) < 12
    except VideoError as error:
        assert "torn.mp4" in str(error)


def test_a_broken_frame_in_the_middle_of_a_folder_is_named(tmp_path: Path) -> None:
    clip = VideoReader(folder_of(tmp_path, ["0.png", "1.png"]))
    (tmp_path / "1.png").write_bytes(b"torn")
    with pytest.raises(VideoError, match="1.png"):
        list(clip)


def test_what_cannot_be_written_is_named(tmp_path: Path, codec: str) -> None:
    with pytest.raises(VideoError, match="no frame"):
        write_video(tmp_path / "a.mp4", [], 25)
    with pytest.raises(VideoError, match="above 0 Hz"):
        write_video(tmp_path / "a.mp4", [picture(0)], 0)
    with pytest.raises(VideoError, match="cannot be written"):
        write_video(tmp_path / "absent" / "a.mp4", [picture(0)], 25)
