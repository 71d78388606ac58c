# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`pack`: a copy of each kind of data set is trained on as the set itself."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import stage_data
import yaml
from PIL import Image

from vos_ros.apps.pack import main
from vos_ros.data.coco import CocoStills
from vos_ros.data.datasets import open_dataset
from vos_ros.training import pack as packing
from vos_ros.training.data_entries import video_split
from vos_ros.training.sources import StageBatches


def config_of(tmp_path: Path, *entries: dict) -> list[str]:
    """Stage files that read these `data` entries."""
    paths = []
    for number, data in enumerate(entries):
        path = tmp_path / f"stage_{number}.yaml"
        path.write_text(yaml.safe_dump(stage_entries(data)))
        paths.append(str(path))
    return paths


def stage_entries(data: dict) -> dict:
    return {"model": "gfddal", "network": {}, "data": data, "steps": 4, "size": [32, 64],
            "batch": 2, "lengths": [[0.0, 2]]}  # fmt: skip


def pack(tmp_path: Path, *entries: dict, options: tuple[str, ...] = ("--size", "32")) -> int:
    configs = config_of(tmp_path, *entries)
    where = ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    return main(["--config", *configs, *where, *options])


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def times(folder: Path) -> dict[str, int]:
    return {name: (folder / name).stat().st_mtime_ns for name in files(folder)}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.mark.parametrize("kind", stage_data.VIDEOS)
def test_videos_are_opened_and_trained_on_as_before(kind: str, tmp_path: Path, data: Path) -> None:
    entry = {**stage_data.VIDEOS[kind](data / "videos"), "root": "videos"}
    assert pack(tmp_path, {"video": entry}) == 0
    before, after = (
        open_dataset(kind, folder / "videos", video_split(entry)).sequences()
        for folder in (data, tmp_path / "out")
    )
    assert [video.name for video in after] == [video.name for video in before] == ["two"]
    stems = [before[0].stems[index] for index in before[0].annotated]
    assert [after[0].stems[index] for index in after[0].annotated] == stems
    for old, new in zip(before[0].annotated, after[0].annotated, strict=True):
        image, ids = after[0].pair(new)
        assert ids.shape == (32, 48)
        np.testing.assert_array_equal(ids, before[0].mask(old)[::2, ::2])
        halves = before[0].frame(old).reshape(32, 2, 48, 2, 3).mean((1, 3))
        assert np.abs(image - halves).mean() < 6
    batches = StageBatches(stage_data.stage({"video": entry}), tmp_path / "out", workers=0)
    assert len(list(batches(0, 2))) == 4 and not batches.faults


def test_other_splits_stay_behind(tmp_path: Path, data: Path) -> None:
    entry = {**stage_data.davis(data / "d", 2017), "root": "d"}
    for kind in ("JPEGImages", "Annotations"):
        shutil.copytree(data / f"d/{kind}/480p/two", data / f"d/{kind}/480p/held_out")
    (data / "d/ImageSets/2017/val.txt").write_text("held_out\n")
    assert pack(tmp_path, {"video": entry}) == 0
    assert not [name for name in files(tmp_path / "out") if "held_out" in name or "val" in name]
    assert (tmp_path / "out/d/ImageSets/2017/train.txt").read_text() == "two\n"


def test_stills_and_backgrounds_keep_their_names(tmp_path: Path, data: Path) -> None:
    entry = {**stage_data.stills(data), "backgrounds": "scenes"}
    shutil.copytree(data / "stills/images", data / "scenes/deep")
    assert pack(tmp_path, {"stills": entry}) == 0
    stems = [f"{number:05d}" for number in range(stage_data.FRAMES)]
    found = {name.rsplit(".", 1)[0] for name in files(tmp_path / "out")} - {"packed"}
    assert found == {
        f"{folder}/{stem}"
        for stem in stems
        for folder in ("stills/images", "stills/masks", "scenes/deep")
    }
    for stem in stems:
        mask = np.array(Image.open(tmp_path / f"out/stills/masks/{stem}.png"))
        truth = np.array(Image.open(data / f"stills/masks/{stem}.png"))
        np.testing.assert_array_equal(mask, truth[::2, ::2])
    batches = StageBatches(stage_data.stage({"stills": entry}), tmp_path / "out", workers=0)
    assert len(list(batches(0, 2))) == 4 and not batches.faults


def test_coco_is_told_anew_for_the_smaller_pictures(tmp_path: Path, data: Path) -> None:
    pytest.importorskip("pycocotools")
    entry = stage_data.coco(data)
    assert pack(tmp_path, {"stills": entry}) == 0
    before, after = (CocoStills(folder / "coco/instances.json", folder / "coco/images")
                     for folder in (data, tmp_path / "out"))  # fmt: skip
    assert len(after) == len(before) == 2
    for number in range(2):
        np.testing.assert_array_equal(after.read(number).ids, before.read(number).ids[::2, ::2])
    first = files(tmp_path / "out")
    assert pack(tmp_path, {"stills": entry}) == 0 and files(tmp_path / "out") == first


def test_an_object_of_coco_that_gets_too_small_goes_with_its_picture(
    tmp_path: Path, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("pycocotools")
    entry = stage_data.coco(data)
    path = data / "coco/instances.json"
    content = json.loads(path.read_text())
    content["annotations"][0]["segmentation"] = [[6, 8, 20, 8, 20, 20, 6, 20]]  # 14 x 12
    path.write_text(json.dumps(content))
    assert pack(tmp_path, {"stills": entry}) == 0
    assert "00000.png: no object is left of it at 32 pixels" in caplog.text
    assert sorted(files(tmp_path / "out/coco/images")) == ["00001.webp"]


def test_bad_files_are_named_and_left_out(
    tmp_path: Path,
    data: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    entry = stage_data.stills(data, "00001", "00004")
    assert pack(tmp_path, {"stills": entry}) == 0
    assert "00001.png: not a readable image" in caplog.text and "00004.png" in caplog.text
    assert "not in the copy: 2" in capsys.readouterr().out
    names = files(tmp_path / "out")
    assert not [name for name in names if "00001" in name or "00004" in name]
    assert len(names) == 1 + 2 * (stage_data.FRAMES - 2)


def test_what_several_stages_read_is_there_once(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stills = stage_data.stills(data)
    video = {**stage_data.davis(data / "d", 2016), "root": "d"}
    assert pack(tmp_path, {"stills": stills}, {"stills": [stills, stills], "video": video}) == 0
    out = capsys.readouterr().out
    assert out.count(str(data / "stills")) == 1 and out.count(str(data / "d")) == 1
    total = sum(map(len, files(tmp_path / "out").values())) / 1e6
    assert f"{total:.1f} MB in all" in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_copy_goes_on_and_holds_no_partial_file(
    number: int, tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {"video": {**stage_data.davis(data / "d", 2017), "root": "d"}}
    assert pack(tmp_path, entry) == 0
    whole = files(tmp_path / "out")
    shutil.rmtree(tmp_path / "out")
    write, left = packing.replacing, [8]

    @contextmanager
    def interrupted_in_the_eighth(path: Path) -> Iterator[Path]:
        with write(path) as partial:
            yield partial
            left[0] -= 1
            if left[0] == 0:
                assert partial.is_file()
                signal.raise_signal(number)

    monkeypatch.setattr(packing, "replacing", interrupted_in_the_eighth)
    assert pack(tmp_path, entry) == 128 + number
    there = times(tmp_path / "out")
    assert 3 < len(there) < len(whole) and not [name for name in there if "partial" in name]
    assert json.loads((tmp_path / "out/packed.json").read_text())["finished"] is False
    monkeypatch.undo()
    assert pack(tmp_path, entry) == 0
    assert files(tmp_path / "out") == whole
    after = times(tmp_path / "out")
    kept = [name for name in there if name.endswith(".webp")]
    assert kept and all(after[name] == there[name] for name in kept)


def test_more_than_the_limit_is_refused_before_anything_is_packed(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "noise/images").mkdir(parents=True)
    (data / "noise/masks").mkdir()
    rng = np.random.default_rng(1)
    for number in range(8):
        image = rng.integers(0, 256, (256, 256, 3)).astype(np.uint8)
        Image.fromarray(image).save(data / f"noise/images/{number}.png")
        Image.fromarray(np.uint8(image[..., 0] > 99)).save(data / f"noise/masks/{number}.png")
    folders = [*stage_data.stills(data)["folders"], "noise"]
    entry = {"stills": {"folders": folders}}
    assert pack(tmp_path, entry, options=("--size", "256", "--limit", "0.3")) == 2
    said = capsys.readouterr().err
    assert "more than 0.3 MB" in said and f"is {data / 'noise'}" in said and "--quality" in said
    assert list(files(tmp_path / "out")) == ["packed.json"]
    size, quality = said.split("--size ")[1].split()[:3:2]
    shutil.rmtree(tmp_path / "out")
    helping = ("--size", size, "--quality", quality, "--limit", "0.3")
    assert pack(tmp_path, entry, options=helping) == 0
    assert sum(map(len, files(tmp_path / "out").values())) <= 300_000


def test_what_cannot_be_is_refused_in_a_sentence(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = {"stills": stage_data.stills(data)}
    assert pack(tmp_path, {"stills": {"folders": ["../elsewhere"]}}) == 2
    assert "no such folder" in capsys.readouterr().err
    shutil.copytree(data / "stills", tmp_path / "elsewhere")
    assert pack(tmp_path, {"stills": {"folders": ["../elsewhere"]}}) == 2
    assert "has no place in the copy" in capsys.readouterr().err
    assert pack(tmp_path, entry) == 0
    assert pack(tmp_path, entry, options=("--size", "48")) == 2
    assert "a copy of size 32 and quality 80" in capsys.readouterr().err
    (tmp_path / "out/packed.json").unlink()
    assert pack(tmp_path, entry) == 2
    assert "something else" in capsys.readouterr().err
    config = config_of(tmp_path, entry)
    inside = ["--data", str(data), "--out", str(data / "stills/copy")]
    assert main(["--config", *config, *inside]) == 2
    assert "lies in" in capsys.readouterr().err and not (data / "stills/copy").exists()
    assert pack(tmp_path, entry, options=("--quality", "101")) == 2
    assert "quality 101" in capsys.readouterr().err
