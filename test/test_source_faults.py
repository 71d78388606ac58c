# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bad files in a stage's data: told by path in the process that trains, passed over or refused."""

from __future__ import annotations

import logging

import pytest
from PIL import Image
from stage_data import FRAMES, davis, segtrack, stage, stills, write

from vos_ros.training.sources import StageBatches
from vos_ros.training.stage import StageError


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


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_that_nobody_foresaw_names_the_files_it_is_of(tmp_path, monkeypatch, workers):
    """Such as one of a library: here, of numbers that it cannot take."""
    data = {"stills": stills(tmp_path), "video": davis(tmp_path, 2017) | {"root": "."}}
    for kind, folder in (("stills", "stills/images"), ("video", "JPEGImages/480p/two")):
        batches = StageBatches(stage({kind: data[kind]}), tmp_path, workers)
        ((clips, weight),) = batches._sources(2)
        clips.size = (32, None)  # met after a frame or a still is read
        monkeypatch.setattr(batches, "_sources", lambda *_, made=[(clips, weight)]: made)
        wanted = rf"TypeError: .*; the last files read for it: \S*{folder}/0000\d.png"
        with pytest.raises(StageError, match=wanted) as told:
            list(batches(0, 2))
        assert "\n" not in str(told.value)


def test_frames_that_are_too_small_are_bad_files(tmp_path):
    write(tmp_path, ("JPEGImages/two", "Annotations/two"))
    thin = [tmp_path / kind / "two/00002.png" for kind in ("JPEGImages", "Annotations")]
    for path in thin:
        Image.new("L", (96, 1), 1).save(path)
    entry = {"layout": "folder", "root": "."}
    batches = StageBatches(stage({"video": entry}, steps=20, size=(32, 32)), tmp_path, 0)
    assert len(list(batches(0, 2))) == 20
    assert batches.faults == {str(thin[0]): "96 x 1 pixels; both sides must have 16 or more"}


def test_a_mask_missed_of_one_object_of_several_is_told_by_its_path(tmp_path):
    segtrack(tmp_path)
    for path in sorted((tmp_path / "GroundTruth/two").iterdir()):
        for number in ("1", "2"):
            (path.parent / number).mkdir(exist_ok=True)
            (path.parent / number / path.name).write_bytes(path.read_bytes())
        path.unlink()
    missed = tmp_path / "GroundTruth/two/2/00003.png"
    missed.unlink()
    entry = {"layout": "segtrack_v2", "root": "."}
    batches = StageBatches(stage({"video": entry}, steps=20, size=(32, 32)), tmp_path, 0)
    assert len(list(batches(0, 2))) == 20
    assert batches.faults == {str(missed): f"there is no file {missed}"}
