# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What each protocol gives, scores and writes, on videos of coloured squares."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from coloured_objects import (
    ONE,
    THREE,
    TWO,
    BuildColours,
    Thing,
    iou_of,
    truth,
    write_davis2017,
    write_frames,
    write_masks,
)
from PIL import Image
from scipy import ndimage

from vos_ros.data.image_files import read_labels, write_labels
from vos_ros.data.sequence import SequenceError
from vos_ros.evaluation.davis2017 import Davis2017
from vos_ros.evaluation.errors import EvaluationError
from vos_ros.evaluation.folder import Folder
from vos_ros.evaluation.measures import contour_accuracy, region_similarity
from vos_ros.evaluation.protocol import Protocol
from vos_ros.evaluation.report import build_report
from vos_ros.evaluation.results import SequenceResult
from vos_ros.evaluation.runner import SequenceTask, run_sequences
from vos_ros.evaluation.segtrack_v2 import SegTrackV2
from vos_ros.evaluation.sources import MaskFolderSource, SegmenterSource
from vos_ros.evaluation.youtube_vos import YouTubeVos


def run(
    protocol: Protocol, root: Path, split: str = "", shift: int = 0, **options
) -> dict[str, SequenceResult]:
    """Results by name, with the fake in place of the network."""
    sequences = protocol.dataset(root, split).sequences()
    for sequence in sequences:
        protocol.check(sequence)
    task = SequenceTask(protocol, SegmenterSource(BuildColours(shift)), **options)
    return {result.name: result for result in run_sequences(task, sequences)}


def scored(result: SequenceResult) -> dict[int, tuple[int, ...]]:
    """Object id -> frames in which it was scored."""
    return {entry.id: entry.scored for entry in result.objects}


# DAVIS-2017


def test_davis2017_scores_each_object_of_the_first_mask_between_first_and_last(tmp_path):
    root = write_davis2017(tmp_path, {"pair": TWO, "solo": ONE})
    results = run(Davis2017(), root, "val", shift=2)
    assert scored(results["pair"]) == {1: (1, 2, 3, 4), 4: (1, 2, 3, 4)}
    for result in results.values():
        for entry in result.objects:
            assert entry.j == pytest.approx([iou_of(2)] * 4)


def test_davis2017_does_not_follow_what_the_first_mask_has_not(tmp_path):
    root = write_davis2017(tmp_path, {"late": THREE})
    assert set(scored(run(Davis2017(), root, "val")["late"])) == {1, 4}


def test_davis2017_overall_figures_are_means_over_objects(tmp_path):
    gone = (*TWO, Thing(2, 48, last=1))
    root = write_davis2017(tmp_path, {"three": gone, "solo": ONE})
    masks = tmp_path / "masks"
    for name, things in (("three", gone), ("solo", ONE)):
        for index in range(6):
            labels = truth(things, index)
            (masks / name).mkdir(parents=True, exist_ok=True)
            write_labels(masks / name / f"{index:05d}.png", np.where(labels == 4, 0, labels))
    protocol = Davis2017()
    task = SequenceTask(protocol, MaskFolderSource(masks))
    whole = build_report(run_sequences(task, protocol.dataset(root, "val").sequences()), {})
    # Object 4 is never found; object 2, out of view from frame 2 on, is not found there either,
    # which is right.
    assert whole["sequences"]["three"]["objects"]["2"]["j"] == 100
    assert whole["sequences"]["three"]["j"] == pytest.approx(200 / 3)
    assert whole["j"] == pytest.approx(300 / 4)
    assert whole["sequence_means"]["j"] == pytest.approx((200 / 3 + 100) / 2)
    assert whole["objects_scored"] == 4


def test_davis2017_test_dev_is_run_but_not_scored(tmp_path):
    root = write_davis2017(tmp_path / "DAVIS", {"pair": TWO})
    results = run(Davis2017(), root, "test-dev", masks_out=tmp_path / "m")
    assert scored(results["pair-dev"]) == {1: (), 4: ()}
    whole = build_report(list(results.values()), {})
    assert whole["j"] is None and whole["sequences"]["pair-dev"]["objects"]["4"]["jf"] is None
    paths = sorted((tmp_path / "m" / "pair-dev").iterdir())
    assert [path.name for path in paths] == [f"{index:05d}.png" for index in range(6)]
    for index, path in enumerate(paths):
        np.testing.assert_array_equal(read_labels(path), truth(TWO, index))


def test_davis2017_wants_the_truth_of_all_sequences_or_of_none(tmp_path):
    root = write_davis2017(tmp_path, {"pair": TWO, "solo": ONE, "more": ONE})
    for name in ("solo", "more"):
        for index in range(1, 6):
            (root / f"Annotations/480p/{name}/{index:05d}.png").unlink()
    dataset = Davis2017().dataset(root, "val")
    with pytest.raises(EvaluationError, match="of solo, more there is only the first mask"):
        Davis2017().check_all(dataset.sequences())
    Davis2017().check_all(dataset.sequences(["pair"]))
    Davis2017().check_all(dataset.sequences(["solo", "more"]))
    Davis2017().check_all(Davis2017().dataset(root, "test-dev").sequences())


def test_davis2017_wants_every_mask_or_the_first_alone(tmp_path):
    root = write_davis2017(tmp_path, {"pair": TWO})
    folder = root / "Annotations/480p/pair"
    (folder / "00005.png").unlink()
    sequence = Davis2017().dataset(root, "val").sequence("pair")
    Davis2017().check(sequence)  # the last is not scored
    (folder / "00003.png").unlink()
    with pytest.raises(SequenceError, match=r"no mask for the frame .*00003\.png; as others"):
        Davis2017().check(Davis2017().dataset(root, "val").sequence("pair"))
    (folder / "00000.png").unlink()
    with pytest.raises(SequenceError, match=r"no mask for the frame .*00000\.png"):
        Davis2017().check(Davis2017().dataset(root, "val").sequence("pair"))


def blobs(rng: np.random.Generator, ids: list[int], height: int, width: int) -> np.ndarray:
    """Random regions of all ids and the background, ragged, many of them at the border."""
    fields = [
        ndimage.gaussian_filter(rng.standard_normal((height, width)), rng.uniform(2, 6))
        for _ in range(len(ids) + 1)
    ]
    fields = [values / values.std() for values in fields]
    return np.array([0, *ids], np.uint8)[np.argmax(fields, axis=0)]


def test_davis2017_agrees_with_the_public_benchmark_on_every_object(tmp_path):
    module = pytest.importorskip("vos_benchmark.benchmark", reason="vos-benchmark is missing")
    rng = np.random.default_rng(7)
    root, masks = tmp_path / "DAVIS", tmp_path / "masks"
    cases = {"a": [1], "b": [1, 2, 3], "c": [2, 5, 7, 9], "d": [1, 2]}
    lists = root / "ImageSets" / "2017"
    lists.mkdir(parents=True)
    (lists / "val.txt").write_text("\n".join(cases) + "\n")
    for number, (name, ids) in enumerate(cases.items()):
        height, width = 40 + 13 * number, 70 + 9 * number
        for folder in (masks / name, root / "Annotations/480p" / name):
            folder.mkdir(parents=True)
        (root / "JPEGImages/480p" / name).mkdir(parents=True)
        labels = blobs(rng, ids, height, width)
        for index in range(9):
            stem = f"{index:05d}"
            shown = np.roll(labels, (index, 2 * index), (0, 1))
            if index > 5:  # one object leaves, and comes back in the last but one
                shown = np.where((shown == ids[0]) & (index != 7), 0, shown)
            found = np.roll(shown, rng.integers(-4, 5, 2), (0, 1))
            if index == 4:
                found = np.where(found == ids[-1], 0, found)  # lost for a frame
            if index > 4:
                found[:3, :5] = 11  # an object that nobody asked for
            write_labels(root / "Annotations/480p" / name / f"{stem}.png", shown.astype(np.uint8))
            write_labels(masks / name / f"{stem}.png", found.astype(np.uint8))
            frame = np.zeros((height, width, 3), np.uint8)
            Image.fromarray(frame).save(root / "JPEGImages/480p" / name / f"{stem}.jpg")
    protocol = Davis2017()
    sequences = protocol.dataset(root, "val").sequences()
    task = SequenceTask(protocol, MaskFolderSource(masks))
    whole = build_report(run_sequences(task, sequences), {})
    judge = module.VideoEvaluator(str(root / "Annotations/480p"), str(masks))
    all_j, all_f = [], []
    for name, ids in cases.items():
        _, j, f = judge(name)
        assert sorted(j) == ids
        for object_id in ids:
            ours = whole["sequences"][name]["objects"][str(object_id)]
            assert ours["j"] == pytest.approx(j[object_id], abs=1e-9)
            assert ours["f"] == pytest.approx(f[object_id], abs=1e-9)
        all_j += j.values()
        all_f += f.values()
    assert 20 < whole["j"] < 99
    assert whole["j"] == pytest.approx(np.mean(all_j), abs=1e-9)
    assert whole["f"] == pytest.approx(np.mean(all_f), abs=1e-9)


def test_an_object_out_of_view_and_not_found_scores_one(tmp_path):
    root = write_davis2017(tmp_path, {"pair": (Thing(1, 6), Thing(4, 30, last=0))})
    (result,) = run(Davis2017(), root, "val").values()
    assert result.objects[1].j == (1.0,) * 4 and result.objects[1].f == (1.0,) * 4


def test_each_object_is_scored_against_all_else():
    rng = np.random.default_rng(3)
    mask, reference = (blobs(rng, [1, 2, 3], 40, 60) for _ in range(2))
    scores = Davis2017().score(mask, reference, (1, 3))
    assert set(scores) == {1, 3}
    for object_id, (j, f) in scores.items():
        assert j == region_similarity(mask == object_id, reference == object_id)
        assert f == contour_accuracy(mask == object_id, reference == object_id)


# YouTube-VOS


def write_youtube(root: Path, length: int = 9, every: int = 2) -> Path:
    """`valid` and `train` of one video: objects 1 and 4 from the second annotated frame, 2 later.

    In `train` every annotated frame shows all objects, in `valid` each object once.
    """
    things = (Thing(1, 6, first=2), Thing(4, 30, first=2), Thing(2, 48, first=4))
    asked = range(0, length, every)
    for split in ("valid", "train"):
        folder = root / split / "Annotations" / "vid"
        write_frames(root / f"{split}_all_frames" / "JPEGImages" / "vid", things, length)
        target = root / split / "JPEGImages" / "vid"
        target.mkdir(parents=True)
        for index in asked:
            source = root / f"{split}_all_frames/JPEGImages/vid/{index:05d}.png"
            (target / source.name).write_bytes(source.read_bytes())
        if split == "train":
            write_masks(folder, things, [index for index in asked if index >= 2])
        else:
            write_masks(folder, things[:2], [2])
            write_masks(folder, things[2:], [4])
        objects = {
            str(thing.id): {
                "category": "square",
                "frames": [f"{index:05d}" for index in asked if index >= thing.first],
            }
            for thing in things
        }
        meta = {"videos": {"vid": {"objects": objects}}}
        (root / split / "meta.json").write_text(json.dumps(meta))
    return root


@pytest.mark.parametrize("all_frames", [False, True])
def test_youtube_masks_are_written_as_its_server_wants_them(tmp_path, all_frames):
    root = write_youtube(tmp_path / "YT")
    (result,) = run(YouTubeVos(all_frames), root, "valid", masks_out=tmp_path / "m").values()
    assert result.scored == ()
    paths = sorted((tmp_path / "m" / "Annotations" / "vid").iterdir())
    assert [path.stem for path in paths] == ["00002", "00004", "00006", "00008"]
    things = (Thing(1, 6), Thing(4, 30), Thing(2, 48, first=4))
    for path in paths:
        with Image.open(path) as image:
            assert image.mode == "P"
        np.testing.assert_array_equal(read_labels(path), truth(things, int(path.stem)))


def test_youtube_objects_are_scored_after_the_frame_that_gives_them(tmp_path):
    root = write_youtube(tmp_path)
    (result,) = run(YouTubeVos(), root, "train", shift=3).values()
    # Frames 0, 2, 4, 6, 8 have the indices 0..4; the last is scored too.
    assert scored(result) == {1: (2, 3, 4), 2: (3, 4), 4: (2, 3, 4)}
    assert result.objects[1].j == pytest.approx([iou_of(3)] * 2)
    (same,) = run(YouTubeVos(all_frames=True), root, "train", shift=3).values()
    assert scored(same) == {1: (4, 6, 8), 2: (6, 8), 4: (4, 6, 8)}
    assert [entry.j for entry in same.objects] == [entry.j for entry in result.objects]


def test_youtube_without_meta_gives_and_scores_the_same(tmp_path):
    root = write_youtube(tmp_path)
    told = run(YouTubeVos(), root, "train", shift=1)["vid"]
    (root / "train" / "meta.json").unlink()
    assert run(YouTubeVos(), root, "train", shift=1)["vid"].objects == told.objects


def test_youtube_masks_that_were_written_can_be_scored(tmp_path):
    root = write_youtube(tmp_path / "YT")
    made = run(YouTubeVos(), root, "train", shift=2, masks_out=tmp_path / "m")["vid"]
    sequences = YouTubeVos().dataset(root, "train").sequences()
    for folder in (tmp_path / "m", tmp_path / "m" / "Annotations"):
        task = SequenceTask(YouTubeVos(), MaskFolderSource(folder))
        (read,) = run_sequences(task, sequences)
        assert read.objects == made.objects


def test_youtube_meta_that_the_masks_do_not_bear_out_is_told(tmp_path):
    root = write_youtube(tmp_path)
    write_masks(root / "valid/Annotations/vid", (Thing(3, 48),), [4])
    with pytest.raises(EvaluationError, match=r"vid/00004\.png does not show object 2"):
        run(YouTubeVos(), root, "valid")


def test_youtube_objects_that_begin_without_a_mask_are_told_before_anything_runs(tmp_path):
    root = write_youtube(tmp_path)
    (root / "valid/Annotations/vid/00004.png").unlink()
    with pytest.raises(SequenceError, match=r"no mask for the frame .*00004\.png; an object"):
        YouTubeVos().check(YouTubeVos().dataset(root, "valid").sequence("vid"))


def test_youtube_wants_every_mask_that_meta_lists_where_there_is_a_truth(tmp_path):
    root = write_youtube(tmp_path)
    YouTubeVos().check(YouTubeVos().dataset(root, "train").sequence("vid"))
    (root / "train/Annotations/vid/00006.png").unlink()
    with pytest.raises(SequenceError, match=r"no mask for the frame .*00006\.png; meta.json lists"):
        YouTubeVos().check(YouTubeVos().dataset(root, "train").sequence("vid"))


# SegTrack v2


def write_segtrack(root: Path, length: int = 5) -> Path:
    """`one` with a single object and `two` with two of which one is late; names differ in case."""
    for name, things in (("one", ONE), ("two", (Thing(1, 6), Thing(2, 30, first=2)))):
        write_frames(root / "JPEGImages" / name, things, length)
        for thing in things:
            folder = root / "GroundTruth" / name / (str(thing.id) if name == "two" else "")
            folder.mkdir(parents=True, exist_ok=True)
            for index in range(length):
                white = np.uint8(255) * (truth((thing,), index) > 0)
                Image.fromarray(white).save(folder / f"{index:05d}.bmp")
    return root


def test_segtrack_averages_over_objects_in_every_frame_after_the_first(tmp_path):
    root = write_segtrack(tmp_path)
    results = run(SegTrackV2(), root, shift=2)
    assert scored(results["one"]) == {1: (1, 2, 3, 4)}
    assert scored(results["two"]) == {1: (1, 2, 3, 4), 2: (3, 4)}
    whole = build_report(list(results.values()), {})
    assert whole["j"] == pytest.approx(100 * iou_of(2))
    assert SegTrackV2().figures(whole)["miou"] == whole["j"]


def test_segtrack_miou_is_over_objects_and_that_over_sequences_stands_beside_it(tmp_path):
    root = write_segtrack(tmp_path / "S")
    run(SegTrackV2(), root, masks_out=tmp_path / "m")
    for path in (tmp_path / "m" / "two").iterdir():  # object 2 is lost
        labels = read_labels(path)
        write_labels(path, np.where(labels == 2, 0, labels))
    task = SequenceTask(SegTrackV2(), MaskFolderSource(tmp_path / "m"))
    whole = build_report(run_sequences(task, SegTrackV2().dataset(root, "").sequences()), {})
    figures = SegTrackV2().figures(whole)
    assert figures["miou"] == pytest.approx(200 / 3)
    assert figures["miou_over_sequences"] == pytest.approx((100 + 50) / 2)


def test_segtrack_masks_of_one_object_are_written_white(tmp_path):
    root = write_segtrack(tmp_path / "S")
    run(SegTrackV2(), root, masks_out=tmp_path / "m")
    assert set(np.unique(read_labels(tmp_path / "m/one/00003.png"))) == {0, 255}
    assert set(np.unique(read_labels(tmp_path / "m/two/00003.png"))) == {0, 1, 2}


def test_segtrack_needs_a_mask_of_every_frame(tmp_path):
    root = write_segtrack(tmp_path)
    (root / "GroundTruth/one/00004.bmp").unlink()
    with pytest.raises(SequenceError, match=r"no mask for the frame .*one/00004\.png"):
        SegTrackV2().check(SegTrackV2().dataset(root, "").sequence("one"))
    (root / "GroundTruth/two/2/00003.bmp").unlink()
    with pytest.raises(SequenceError, match=r"no mask .*GroundTruth/two/2/00003\.bmp, as there"):
        SegTrackV2().check(SegTrackV2().dataset(root, "").sequence("two"))


# Any folder


def test_a_folder_is_scored_wherever_a_later_mask_is(tmp_path):
    write_frames(tmp_path / "JPEGImages" / "pair", TWO, 8)
    write_masks(tmp_path / "Annotations" / "pair", TWO, (2, 3, 7))
    (result,) = run(Folder(), tmp_path, shift=1, masks_out=tmp_path / "m").values()
    assert scored(result) == {1: (3, 7), 4: (3, 7)}
    assert len(result.step_ms) == 5  # from frame 2, which is given, to the last
    assert len(list((tmp_path / "m" / "pair").iterdir())) == 6


def test_a_folder_may_be_taken_as_one_object(tmp_path):
    things = tuple(Thing(1, top) for top in (6, 30))
    write_frames(tmp_path / "JPEGImages" / "pair", things, 4)
    write_masks(tmp_path / "Annotations" / "pair", (Thing(3, 6), Thing(5, 30)), range(4))
    (result,) = run(Folder(binary=True), tmp_path, masks_out=tmp_path / "m").values()
    assert scored(result) == {1: (1, 2, 3)} and set(result.objects[0].j) == {1.0}


def test_a_folder_whose_first_mask_is_of_the_last_frame_is_refused(tmp_path):
    write_frames(tmp_path / "JPEGImages" / "solo", ONE, 4)
    write_masks(tmp_path / "Annotations" / "solo", ONE, (3,))
    with pytest.raises(EvaluationError, match=r"solo/00003\.png, that of its last frame"):
        run(Folder(), tmp_path)


def test_more_objects_than_allowed_are_refused(tmp_path):
    torch = pytest.importorskip("torch")
    from tiny import ColourNetwork

    from vos_ros.segmenter import VideoSegmenter

    write_frames(tmp_path / "JPEGImages" / "pair", TWO, 4)
    write_masks(tmp_path / "Annotations" / "pair", TWO, (0,))
    torch.manual_seed(0)
    sequences = Folder().dataset(tmp_path, "").sequences()

    def build(most):
        return SegmenterSource(lambda: VideoSegmenter(ColourNetwork(), size=32, max_objects=most))

    (result,) = run_sequences(SequenceTask(Folder(), build(2)), sequences)
    assert len(result.objects) == 2
    with pytest.raises(EvaluationError, match="pair stopped: the mask holds 2 objects"):
        run_sequences(SequenceTask(Folder(), build(1)), sequences)
