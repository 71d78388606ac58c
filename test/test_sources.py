# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a stage's data to batches: every layout, shares of several processes, gaps, faults."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vos_ros.data import video_clips
from vos_ros.training.data_entries import data_names
from vos_ros.training.sources import StageBatches
from vos_ros.training.stage import Stage, StageError

HEIGHT, WIDTH, FRAMES = 64, 96, 6


def stage(data: dict, **entries) -> Stage:
    values = {"model": "gfddal", "network": {}, "data": data, "steps": 4, "size": (32, 64),
              "batch": 2, "lengths": ((0.0, 2),)}  # fmt: skip
    return Stage(**values | entries)


def picture(number: int) -> tuple[np.ndarray, np.ndarray]:
    """A grey that tells the frame, with two squares that move; and their ids."""
    ids = np.zeros((HEIGHT, WIDTH), np.uint8)
    ids[8:40, 6 + 2 * number : 40 + 2 * number] = 1
    ids[24:60, 56:84] = 2
    image = np.full((HEIGHT, WIDTH, 3), 10 + 10 * number, np.uint8)
    image[ids == 1], image[ids == 2] = (200, 60, 60), (60, 200, 60)
    return image, ids


def write(root: Path, kinds: tuple[str, str], frames=FRAMES, binary=False, every=1) -> None:
    """Frames and masks in two folders of `root`."""
    for kind in kinds:
        (root / kind).mkdir(parents=True)
    for number in range(frames):
        image, ids = picture(number)
        Image.fromarray(image).save(root / kinds[0] / f"{number:05d}.png")
        if number % every == 0:
            mask = Image.fromarray(np.uint8(255 * (ids > 0)) if binary else ids)
            mask.save(root / kinds[1] / f"{number:05d}.png")


def davis(root: Path, year: int) -> dict:
    write(root, ("JPEGImages/480p/two", "Annotations/480p/two"), binary=year == 2016)
    lists = root / "ImageSets" / ("480p" if year == 2016 else "2017")
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("two\n")
    return {"layout": f"davis{year}"}


def youtube_vos(root: Path) -> dict:
    write(root / "train", ("JPEGImages/two", "Annotations/two"), frames=16, every=5)
    return {"layout": "youtube_vos"}


def segtrack(root: Path) -> dict:
    write(root, ("JPEGImages/two", "GroundTruth/two"), binary=True)
    return {"layout": "segtrack_v2"}


def folder(root: Path) -> dict:
    write(root, ("JPEGImages/two", "Annotations/two"))
    return {"layout": "folder"}


VIDEOS: dict[str, Callable[[Path], dict]] = {
    "davis2016": lambda root: davis(root, 2016),
    "davis2017": lambda root: davis(root, 2017),
    "youtube_vos": youtube_vos,
    "segtrack_v2": segtrack,
    "folder": folder,
}


def stills(root: Path, *bad: str) -> dict:
    """A folder of stills, some of whose images cannot be read."""
    write(root / "stills", ("images", "masks"))
    for stem in bad:
        (root / "stills/images" / f"{stem}.png").write_bytes(b"no picture")
    return {"folders": ["stills"]}


def coco(root: Path) -> dict:
    write(root / "coco", ("images", "unused"), frames=2)
    corners = [6, 8, 40, 8, 40, 40, 6, 40]
    content = {
        "images": [{"id": n, "file_name": f"{n:05d}.png", "height": HEIGHT, "width": WIDTH}
                   for n in range(2)],
        "annotations": [{"image_id": n, "segmentation": [corners]} for n in range(2)],
    }  # fmt: skip
    (root / "coco/instances.json").write_text(json.dumps(content))
    return {"coco": [{"annotations": "coco/instances.json", "images": "coco/images"}]}


def taken(batches, count: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [pair for pair, _ in zip(batches, range(count), strict=False)]


def same(one, other) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("layout", VIDEOS)
def test_every_layout_of_videos_gives_clips(tmp_path, layout):
    entry = VIDEOS[layout](tmp_path / "set") | {"root": "set"}
    batches = StageBatches(stage({"video": entry}, objects=2), tmp_path, workers=0)
    found = taken(batches(0, 3), 4)
    assert len(found) == 4 and not batches.faults
    most = 0
    for images, labels in found:
        assert images.shape == (2, 3, 3, 32, 64) and images.dtype == torch.uint8
        assert labels.shape == (2, 3, 32, 64) and labels.dtype == torch.uint8
        assert all(clip[0].any() for clip in labels)
        most = max(most, int(labels.max()))
    assert most == 2


@pytest.mark.parametrize("write_set", [stills, coco])
def test_folders_and_coco_give_clips(tmp_path, write_set):
    batches = StageBatches(stage({"stills": write_set(tmp_path)}), tmp_path, workers=0)
    (images, labels), *_ = taken(batches(0, 3), 1)
    assert images.shape == (2, 3, 3, 32, 64) and labels.max() == 1 and not batches.faults


def test_several_entries_are_mixed_by_weight(tmp_path, monkeypatch):
    davis(tmp_path / "a", 2016), davis(tmp_path / "b", 2016)
    for path in (tmp_path / "b/JPEGImages/480p/two").iterdir():
        Image.fromarray(np.full((HEIGHT, WIDTH, 3), 255, np.uint8)).save(path)
    monkeypatch.setattr(video_clips, "photograph", lambda image, *_: image)
    data = {"video": [{"root": "a", "weight": 1}, {"root": "b", "weight": 3}]}
    batches = StageBatches(stage(data, steps=60, size=(32, 32)), tmp_path, workers=0)
    bright = [float(clip[0].float().median()) == 255 for images, _ in batches(0, 2)
              for clip in images]  # fmt: skip
    assert 0.6 < np.mean(bright) < 0.9


@pytest.mark.parametrize("objects", [1, 2])
def test_each_of_several_processes_gets_its_part_of_the_batch(tmp_path, objects):
    ours = stage({"video": davis(tmp_path, 2016) | {"root": "."}}, batch=4, objects=objects)
    whole = taken(StageBatches(ours, tmp_path, workers=0)(1, 2), 2)
    parts = [taken(StageBatches(ours, tmp_path, 0, rank=rank, world=2)(1, 2), 2)
             for rank in range(2)]  # fmt: skip
    for number, batch in enumerate(whole):
        joined = [torch.cat(halves) for halves in zip(*(p[number] for p in parts), strict=True)]
        assert same(batch, joined)


def test_a_batch_that_cannot_be_divided_is_refused(tmp_path):
    ours = stage({"video": davis(tmp_path, 2016) | {"root": "."}}, batch=4)
    with pytest.raises(StageError, match="4 clips cannot be divided among 3 .* a multiple of 3"):
        StageBatches(ours, tmp_path, rank=1, world=3)


def test_batches_from_a_later_step_are_those_of_an_unbroken_run(tmp_path):
    data = {"stills": stills(tmp_path), "video": davis(tmp_path, 2017) | {"root": "."}}
    ours = stage(data, objects=2)
    whole = list(StageBatches(ours, tmp_path, workers=0)(0, 2))
    resumed = list(StageBatches(ours, tmp_path, workers=0)(2, 2))
    assert len(whole) == 4 and len(resumed) == 2
    assert all(same(a, b) for a, b in zip(whole[2:], resumed, strict=True))


def test_gaps_widen_as_the_stage_says(tmp_path, monkeypatch):
    write(tmp_path, ("JPEGImages/two", "Annotations/two"), frames=20)
    monkeypatch.setattr(video_clips, "photograph", lambda image, *_: image)
    entry = {"layout": "folder", "root": ".", "max_gap": 1, "reference": 0.0}
    ours = stage({"video": entry}, steps=60, gaps=((0.0, 2), (0.5, 5)))
    batches = StageBatches(ours, tmp_path, workers=0)
    widest = []
    for step in (0, 30):
        gaps = [np.diff(numbers_of(clip)) for images, _ in taken(batches(step, 3), 25)
                for clip in images]  # fmt: skip
        widest.append(np.abs(gaps).max())
    assert widest == [2, 5]


def numbers_of(clip: torch.Tensor) -> list[int]:
    """Which frames a clip of `picture` is made of, told by the grey where all channels agree."""
    found = []
    for image in clip:
        plain = (image == image[:1]).all(0) & (image[0] >= 10)
        found.append(round((int(image[0][plain].median()) - 10) / 10))
    return found


@pytest.mark.parametrize("workers", [0, 2])
def test_faults_are_told_to_the_training_process_by_path(tmp_path, caplog, workers):
    stills(tmp_path, "00001", "00004")
    (tmp_path / "stills/masks/00000.png").unlink()
    write(tmp_path, ("JPEGImages/480p/two", "Annotations/480p/two"))
    bad = tmp_path / "Annotations/480p/two/00002.png"
    bad.write_bytes(b"no mask")
    entry = {"layout": "folder", "root": "."}
    (tmp_path / "JPEGImages/480p/bare").mkdir()
    data = {"stills": {"folders": ["stills"]}, "video": entry}
    ours = stage(data, steps=20, size=(32, 32))
    with caplog.at_level(logging.WARNING):
        batches = StageBatches(ours, tmp_path, workers)
        assert str(tmp_path / "stills/images/00000.png") in batches.faults, "told before training"
        assert len(list(batches(0, 2))) == 20
    wanted = {str(tmp_path / f"stills/images/0000{n}.png") for n in (0, 1, 4)} | {str(bad)}
    sequence = f"{tmp_path}, sequence bare"
    assert set(batches.faults) == wanted | {sequence}
    assert "JPEGImages/480p/bare holds no file" in batches.faults[sequence]
    assert batches.faults[str(tmp_path / "stills/images/00001.png")] == "not a readable image"
    for path in batches.faults:
        assert sum(message.startswith(f"skipped {path}: ") for message in caplog.messages) == 1


@pytest.mark.parametrize("workers", [0, 1])
def test_strict_refuses_the_first_fault_by_path(tmp_path, workers):
    ours = stage({"stills": stills(tmp_path, *(f"{n:05d}" for n in range(FRAMES)))})
    batches = StageBatches(ours, tmp_path, workers, strict=True)
    with pytest.raises(StageError, match=r"cannot be read: .*stills/images/0000\d.png: not a re"):
        list(batches(0, 2))


def test_strict_refuses_what_is_missing_at_once(tmp_path):
    entry = davis(tmp_path, 2017) | {"root": "."}
    (tmp_path / "Annotations/480p/two/00003.png").unlink()
    batches = StageBatches(stage({"video": entry}), tmp_path)
    assert list(batches.faults) == [str(tmp_path / "JPEGImages/480p/two/00003.png")]
    with pytest.raises(StageError, match="00003.png has no mask"):
        StageBatches(stage({"video": entry}), tmp_path, strict=True)


@pytest.mark.parametrize("workers", [0, 1])
def test_clips_that_cannot_be_made_end_with_a_sentence(tmp_path, workers):
    entry = davis(tmp_path, 2016) | {"root": "."}
    for path in (tmp_path / "Annotations/480p/two").iterdir():
        path.write_bytes(b"")
    with pytest.raises(StageError, match="clip 0: 25 attempts.*Annotations/480p/two/0000") as told:
        list(StageBatches(stage({"video": entry}), tmp_path, workers)(0, 2))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"stills": {"weight": 1}}, "data/stills: folders or coco must be given"),
        ({"stills": []}, "data/stills must hold `name: value` entries, not an empty list"),
        ({"stills": {"coco": [{"annotations": "a"}]}}, r"coco must be a list of \{annotations: f"),
        ({"stills": {"coco": {"annotations": "a", "images": "b"}}}, "coco must be a list of"),
        ({"video": [{"root": "a"}, {"root": 3}]}, "data/video/1/root must be a folder, not 3"),
        ({"video": {"root": "a", "layout": "davis"}}, "layout must be one of davis2016, davis20"),
        ({"video": {"root": "a", "layout": ["folder"]}}, "layout must be one of"),
        ({"video": {"root": "a", "reference": 2}}, "reference must be a share, 0 to 1, not 2"),
        ({"video": {"root": "a", "reference": True}}, "reference must be a share"),
    ],
    ids=str,
)
def test_bad_entries_are_worded(tmp_path, data, message):
    with pytest.raises(StageError, match=message):
        StageBatches(stage(data), tmp_path)


def test_what_a_stage_reads_is_named_for_the_card():
    data = {
        "stills": [{"folders": ["a", "b"], "backgrounds": "c"},
                   {"folders": ["a"], "coco": [{"annotations": "d.json", "images": "e"}]}],
        "video": [{"root": "f"}, {"root": "g", "layout": "youtube_vos", "split": "valid"},
                  {"root": "h", "layout": "segtrack_v2"}],
    }  # fmt: skip
    assert data_names(data) == ["a", "b", "c", "d.json", "f train", "g valid", "h"]
    assert data_names({"video": {"root": "f", "split": "dev"}}) == ["f dev"]
