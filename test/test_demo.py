# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the demo makes of a recording, against cases worked out by hand, and which clip it takes."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from vos_ros.apps.demo import main, read_log
from vos_ros.apps.demo_accuracy import (
    TruthError,
    accuracy_json,
    frames_with_truth,
    score,
    truth_files,
)
from vos_ros.apps.demo_clip import (
    DEFAULT_MASK,
    ClipError,
    choose_clip,
    default_video,
    resize_labels,
)
from vos_ros.apps.demo_pictures import Pictures, evenly
from vos_ros.apps.demo_report import (
    ObjectSeen,
    Recording,
    ReturnedMask,
    SentFrame,
    camera_rate,
    match,
    pack_labels,
    percentile,
    presence_bar,
    presence_table,
    rate_of,
    summarise,
)
from vos_ros.apps.processes import Child
from vos_ros.data.image_files import ImageFileError, read_labels
from vos_ros.data.video import VideoReader
from vos_ros.share import share_path

MS = 1_000_000  # ns
FULL = pack_labels(np.ones((4, 4), np.uint8))
EMPTY = pack_labels(np.zeros((4, 4), np.uint8))


def sent(*stamps: int, held: bool = False) -> list[SentFrame]:
    return [SentFrame(index, stamp, held) for index, stamp in enumerate(stamps)]


def mask(stamp: int, later: int = 0, png: bytes = FULL) -> ReturnedMask:
    return ReturnedMask(stamp, stamp + later, png)


# Arithmetic --------------------------------------------------------------------------------------


def test_masks_are_matched_by_stamp_and_by_nothing_else() -> None:
    frames = [SentFrame(0, 5, True), *sent(10, 20, 30)]
    found = match(frames, [mask(30), mask(10), mask(11), mask(10), mask(5)])
    assert [(frame.index, got.stamp) for frame, got in found.pairs] == [(0, 10), (2, 30)]
    assert [got.stamp for _, got in found.held] == [5]
    assert (found.foreign, found.repeated) == (1, 1)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([7], 0.95, 7),
        ([3, 1, 2], 0.5, 2),
        ([4, 1, 3, 2], 0.5, 2.5),
        ([0, 10], 0.95, 9.5),
        (list(range(1, 22)), 0.95, 20),  # the place is 0.95 x 20 = 19, counted from 0
    ],
)
def test_percentile(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == pytest.approx(expected)


def test_figures_that_do_not_exist_are_not_invented() -> None:
    assert math.isnan(percentile([], 0.5)) and math.isnan(rate_of([1]))
    assert math.isnan(rate_of([3, 3]))
    content = summarise(Recording(), match([], [])).as_json()
    assert content["fps_masks"] is None
    json.dumps(content, allow_nan=False)


def test_summary_of_a_run_worked_out_by_hand() -> None:
    # Six frames 40 ms apart; masks for the 1st, 3rd and 6th after 30, 50 and 110 ms. Before
    # them one frame was held, whose mask took long and must not count.
    stamps = [1000 * MS + k * 40 * MS for k in range(6)]
    recording = Recording(
        sent=[SentFrame(0, 1, True), *sent(*stamps)],
        received=[1, *stamps[:5], 999],
        masks=[mask(1, 900 * MS)]
        + [mask(stamps[k], ms * MS) for k, ms in ((0, 30), (2, 50), (5, 110))],
    )
    summary = summarise(recording, match(recording.sent, recording.masks))
    assert (summary.frames_sent, summary.frames_received, summary.frames_held) == (6, 5, 1)
    assert (summary.masks_returned, summary.frames_without_mask) == (3, 3)
    assert summary.fps_sent == pytest.approx(25.0)
    assert summary.fps_masks == pytest.approx(2 / 0.280)  # arrivals at 30, 130 and 310 ms
    assert summary.latency_ms_median == pytest.approx(50)
    assert summary.latency_ms_p95 == pytest.approx(50 + 0.9 * 60)
    assert summary.problems == ()


@pytest.mark.parametrize(
    ("frames", "masks", "words"),
    [
        (sent(*range(10)), [mask(3)], None),
        (sent(*range(11)), [mask(3)], "for 1 of 11 frames; 2 are the least"),
        (sent(*range(3)), [], "for 0 of 3 frames; 1 are the least"),
        ([], [], "no frame was sent"),
        (sent(1, 2), [mask(1), mask(7)], "1 masks bear a stamp that no frame had"),
        (sent(1, 2), [mask(1), mask(1)], "a second time"),
        (sent(1, 2), [mask(1, png=EMPTY)], "every mask is empty"),
        (sent(1, 2), [mask(1, png=EMPTY), mask(2)], None),
        (sent(1, held=True), [mask(1)], "no frame was sent"),
    ],
)
def test_exit_rule(frames: list[SentFrame], masks: list[ReturnedMask], words: str | None) -> None:
    recording = Recording(sent=frames, masks=masks)
    problems = summarise(recording, match(frames, masks)).problems
    if words is None:
        assert problems == ()
    else:
        assert any(words in problem for problem in problems), problems


def test_camera_slows_only_for_a_node_that_returns_less_than_a_third() -> None:
    assert camera_rate(25, 0.040) == 25
    assert camera_rate(25, 0.120) == pytest.approx(25)  # 8.3 masks/s is a third of 25
    assert camera_rate(25, 0.300) == pytest.approx(10)  # 3.3 masks/s is a third of 10
    assert camera_rate(25, 0.0) == 25


def test_presence_over_time() -> None:
    frames = sent(10, 20, 30, 40)
    recording = Recording(
        sent=frames,
        masks=[mask(10), mask(20), mask(40)],
        presence={
            10: (ObjectSeen(2, True, 0.9, 0.25), ObjectSeen(7, False, 0.1, 0.0)),
            40: (ObjectSeen(2, False, 0.2, 0.0),),
        },
    )
    table = presence_table(recording, match(frames, recording.masks))
    assert list(table) == [2, 7]
    assert [(row["frame"], row["present"], row["score"]) for row in table[2]] == [
        (0, True, 0.9), (3, False, 0.2)
    ]  # fmt: skip
    assert presence_bar(table[2], 0, 3) == "#  -"
    assert presence_bar(table[7], 0, 3) == "-   "
    long = [{"frame": 100 + k, "present": k >= 60} for k in range(120)]
    assert presence_bar(long, 100, 219) == "-" * 30 + "#" * 30


def test_evenly_takes_the_ends() -> None:
    assert evenly([4, 5], 12) == [4, 5]
    assert evenly(list(range(10)), 4) == [0, 3, 6, 9]
    assert evenly([], 3) == []


def test_log_of_the_publisher(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("24,100,1\n24,200,0\n25,300,0\n")
    assert read_log(tmp_path / "log") == [
        SentFrame(24, 100, True), SentFrame(24, 200, False), SentFrame(25, 300, False)
    ]  # fmt: skip


# Accuracy ----------------------------------------------------------------------------------------


def square(left: int, value: int = 1) -> np.ndarray:
    labels = np.zeros((60, 80), np.uint8)
    labels[20:40, left : left + 20] = value
    return labels


def write(path: Path, labels: np.ndarray) -> Path:
    cv2.imwrite(str(path), labels)
    return path


def test_accuracy_against_squares(tmp_path: Path) -> None:
    truth = {k: write(tmp_path / f"{k}.png", square(10, 255)) for k in (0, 1, 2)}
    results = [(0, square(50)), (1, square(10)), (2, square(20)), (3, square(0))]
    scores = score(results, truth, [1])
    # Frame 0 was given and frame 3 has no truth. Moved by half its side, J is 1/3.
    assert [item.frame for item in scores] == [1, 2]
    assert (scores[0].j, scores[0].f) == (100, 100)
    assert scores[1].j == pytest.approx(100 / 3)
    content = accuracy_json(scores, 5)
    assert (content["frames_with_truth"], len(content["frames"])) == (5, 2)
    assert content["j"] == pytest.approx((100 + 100 / 3) / 2, abs=0.01)
    assert content["jf"] == pytest.approx((content["j"] + content["f"]) / 2, abs=0.01)
    assert accuracy_json([], 5) is None


def test_frames_whose_mask_is_missing_count_among_those_with_truth() -> None:
    truth = {k: Path(f"{k}.png") for k in (0, 3, 4, 5, 9)}
    # Frame 3 was given, it was sent again and again before the clip began; 9 was never sent.
    assert frames_with_truth([3, 3, 3, 4, 5, 6], truth, 3) == 2
    assert frames_with_truth([0, 0, 1, 2], truth) == 0


def test_several_objects_are_compared_id_by_id(tmp_path: Path) -> None:
    truth = {1: write(tmp_path / "1.png", square(0, 1) + square(40, 2))}
    swapped = square(0, 2) + square(40, 1)
    assert score([(1, swapped)], truth, [1, 2])[0].j == 0
    assert score([(1, square(0, 1) + square(40, 2))], truth, [1, 2])[0].jf == 100


def test_truth_is_found_by_stem_or_by_number(tmp_path: Path) -> None:
    frames, masks = tmp_path / "frames", tmp_path / "masks"
    frames.mkdir(), masks.mkdir()
    for name in ("a", "b"):
        cv2.imwrite(str(frames / f"{name}.jpg"), np.zeros((60, 80, 3), np.uint8))
    write(masks / "b.png", square(0))
    write(masks / "00005.png", square(0))
    assert truth_files(frames, masks) == {1: masks / "b.png"}
    assert truth_files(tmp_path / "clip.mp4", masks) == {5: masks / "00005.png"}
    with pytest.raises(TruthError, match="no folder of true masks"):
        truth_files(frames, tmp_path / "absent")
    with pytest.raises(TruthError, match="belongs to a frame"):
        truth_files(frames, frames)
    with pytest.raises(TruthError, match="80x60"):
        score([(5, np.zeros((30, 40), np.uint8))], {5: masks / "00005.png"}, [1])


# The clip ----------------------------------------------------------------------------------------


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    folder = tmp_path / "clip"
    folder.mkdir()
    for index in range(4):
        cv2.imwrite(str(folder / f"{index}.png"), np.full((60, 80, 3), 40 * index, np.uint8))
    return folder


def test_a_clip_with_a_mask(clip: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "mask.png", square(10, 9) + square(40, 200))
    chosen = choose_clip(str(clip), str(path), ["cup", "pen"], None, {})
    assert (chosen.ids, chosen.names, chosen.start) == ([9, 200], {9: "cup", 200: "pen"}, 0)
    assert choose_clip(str(clip), str(path), [], 2, {}).start == 2
    from_truth = choose_clip(str(clip), "", [], 3, {3: path})
    assert (from_truth.mask_path, from_truth.start, from_truth.names) == (path, 3, {})


@pytest.mark.parametrize(
    ("labels", "names", "words"),
    [
        (square(0, 0), [], "shows no object"),
        (square(0), ["a", "b"], "as many names"),
        (np.ones((60, 60), np.uint8), [], "60x60 pixels and the clip 80x60"),
    ],
)
def test_masks_that_do_not_fit(
    clip: Path, tmp_path: Path, labels: np.ndarray, names: list[str], words: str
) -> None:
    path = write(tmp_path / "mask.png", labels)
    with pytest.raises(ClipError, match=words):
        choose_clip(str(clip), str(path), names, None, {})


def test_a_clip_without_a_mask_is_told_how_to_make_one(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--video", str(clip)]) == 2
    advice = capsys.readouterr().err
    assert "no mask was given" in advice and "--first-frame" in advice
    # The advice works: the frame comes out, and a mask of its size is accepted.
    first = tmp_path / "first.png"
    assert main(["--video", str(clip), "--start", "2", "--first-frame", str(first)]) == 0
    assert np.array_equal(cv2.imread(str(first)), VideoReader(clip).frame(2))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--video", "absent.mp4"], "absent.mp4"),
        (["--video", "CLIP", "--mask", "absent.png"], "absent.png"),
        (["--video", "CLIP", "--truth", "absent"], "absent"),
        (["--video", "CLIP", "--rate", "-3"], "rate"),
        (["--video", "CLIP", "--domain", "500"], "domain"),
        (["--video", "CLIP", "--max-frames", "-1"], "max-frames"),
    ],
)
def test_bad_options_are_answered_with_a_sentence(
    clip: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(clip) if item == "CLIP" else item for item in arguments]) == 2
    message = capsys.readouterr().err
    assert message.startswith("demo: ") and words in message


def test_the_default_mask_fits_the_default_clip() -> None:
    try:
        video = default_video()
    except ClipError as error:
        pytest.skip(str(error))
    chosen = choose_clip("", "", [], None, {})
    assert chosen.reader.path == video
    assert chosen.labels.shape == (chosen.reader.height, chosen.reader.width)
    assert list(chosen.names) == chosen.ids
    # The rabbit is grey, the meadow is not: that much the mask must show.
    frame = chosen.reader.frame(chosen.start)
    saturation = cv2.cvtColor(frame, cv2.COLOR_BGR2HSV)[..., 1]
    assert saturation[chosen.labels == 1].mean() < 0.5 * saturation[chosen.labels == 0].mean()
    with pytest.raises(ClipError, match="not 3"):
        choose_clip("", "", [], 3, {})


def test_shipped_mask_is_found_and_small() -> None:
    path = share_path(DEFAULT_MASK)
    assert path.stat().st_size < 10_000
    with pytest.raises(ImageFileError):
        read_labels(path.with_name("absent.png"))


def test_resized_labels_keep_their_ids() -> None:
    labels = square(10, 9) + square(40, 200)
    small = resize_labels(labels, 40, 30)
    assert small.shape == (30, 40) and set(np.unique(small)) == {0, 9, 200}
    assert resize_labels(labels, 80, 60) is labels


# Pictures ----------------------------------------------------------------------------------------


def test_overlay_shows_the_newest_mask_and_never_an_older_frame(clip: Path, tmp_path: Path) -> None:
    frames = [SentFrame(1, 5, True)] + [SentFrame(index, 10 * index, False) for index in (1, 2, 3)]
    masks = [mask(20, png=pack_labels(square(10)))]
    recording = Recording(sent=frames, masks=masks)
    pictures = Pictures(
        VideoReader(clip), recording, match(frames, masks), {1: "cup"}, None, start=1
    )
    shown = list(pictures.overlay_frames(3))
    assert len(shown) == 3
    assert (shown[0] == 40).all()  # frame 1 came before any mask
    assert (shown[1][50:] == 80).all() and not (shown[1][25, 15] == 80).all()
    assert shown[2] is shown[1]
    ticks: list[int] = []
    pictures.write(tmp_path, 3, 25, lambda: ticks.append(1))
    assert len(ticks) == 3
    assert len(list(VideoReader(tmp_path / "overlay.mp4"))) == 3
    assert cv2.imread(str(tmp_path / "contact_sheet.png")) is not None


# Processes ---------------------------------------------------------------------------------------


def child(code: str, tmp_path: Path) -> Child:
    return Child("helper", [sys.executable, "-c", code], os.environ, tmp_path / "log")


def test_a_child_is_ended_with_its_own_children(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        "inner = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(tmp_path / 'inner')!r}, 'w').write(str(inner.pid) + chr(10))\n"
        "time.sleep(600)\n"
    )
    running = child(code, tmp_path)
    while not (tmp_path / "inner").exists() or not (tmp_path / "inner").read_text().endswith("\n"):
        assert running.status() is None, running.tail()
    inner = int((tmp_path / "inner").read_text())
    running.end()
    assert running.status() is not None
    wait_for_end(inner)
    assert running.end() == running.status()  # harmless when repeated


def wait_for_end(pid: int) -> None:
    end = time.monotonic() + 30
    while alive(pid):
        assert time.monotonic() < end, f"process {pid} lives on"
        os.sched_yield()


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_child_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    code = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from vos_ros.apps.processes import Child\n"
        "made = Child('inner', [sys.executable, '-c', 'import time; time.sleep(600)'],"
        f" os.environ, Path({str(tmp_path / 'inner.log')!r}))\n"
        "print(made.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    inner = int(parent.stdout.readline())
    assert alive(inner)
    parent.kill()
    parent.wait()
    wait_for_end(inner)


def test_the_last_words_of_a_child_are_kept(tmp_path: Path) -> None:
    ended = child("import sys; print('one\\ntwo'); sys.exit('three')", tmp_path)
    while ended.status() is None:
        os.sched_yield()
    assert ended.status() == 1 and ended.tail(2) == "two\nthree"
