# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a stage's data to batches: every layout, shares of several processes, gaps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from stage_data import HEIGHT, VIDEOS, WIDTH, coco, davis, stage, stills, write

from vos_ros.data import video_clips
from vos_ros.training.data_entries import data_names
from vos_ros.training.sources import StageBatches
from vos_ros.training.stage import StageError


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
        ({"video": {"root": "a", "mix": {"crop": 0}}}, "mix must be shares.* pasted, joined, rev"),
        ({"video": {"root": "a", "mix": {"pasted": 2}}}, r"shares, 0 to 1.*not {'pasted': 2}"),
        ({"video": {"root": "a", "mix": [0.5]}}, "video/mix must be shares"),
        ({"stills": {"folders": ["a"], "mix": {"pasted": 0}}}, "mix must be shares.* replaced, m"),
        ({"stills": {"folders": ["a"], "mix": {"moved": 0.6}}}, "together 1 at most, of which 0.5"),
        ({"video": [{"root": "a", "weight": 1e308}] * 2}, "weights of data add up to more than"),
        ({"video": {"root": "a", "weight": 10**400}}, "weights of data add up to more than"),
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
