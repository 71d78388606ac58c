# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The runner and the DAVIS-2016 protocol on moving squares, alone and with worker processes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from moving_squares import (
    HEIGHT,
    LENGTHS,
    WIDTH,
    Build,
    build_dying,
    build_failing,
    build_impossible,
    iou_at,
    sequences,
    task,
    write_squares,
)
from PIL import Image

from vos_ros.data.davis import DavisDataset, DavisError
from vos_ros.data.image_files import write_labels
from vos_ros.evaluation.davis2016 import Davis2016
from vos_ros.evaluation.errors import EvaluationError
from vos_ros.evaluation.runner import SequenceTask, picture_frames, run_sequences
from vos_ros.evaluation.sources import MaskFolderSource


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_squares(tmp_path / "DAVIS")


def test_a_perfect_segmenter_scores_one(root):
    for result in run_sequences(task(), sequences(root)):
        (only,) = result.objects
        assert set(only.j) == {1.0} and set(only.f) == {1.0}


def test_first_and_last_frame_are_not_scored(root):
    results = run_sequences(task(Build(lag=4)), sequences(root))
    assert [result.name for result in results] == list(LENGTHS)
    for result in results:
        assert result.scored == tuple(range(1, LENGTHS[result.name] - 1))
        # The first frame, which is given, would score 1.
        assert result.objects[0].j == pytest.approx([iou_at(4)] * len(result.scored))
        assert (result.width, result.height) == (WIDTH, HEIGHT)


def test_every_step_is_timed(root):
    for result in run_sequences(task(), sequences(root)):
        assert len(result.step_ms) == LENGTHS[result.name] - 1
        assert all(ms > 0 for ms in result.step_ms)


def test_workers_give_the_same_results_and_report_every_frame(root, tmp_path):
    frames, finished = [], []
    alone = run_sequences(task(Build(lag=3)), sequences(root))
    shared = run_sequences(
        task(Build(lag=3, log=tmp_path / "log"), masks_out=tmp_path / "masks", pictures=2),
        sequences(root),
        workers=2,
        on_frame=lambda: frames.append(1),
        on_result=lambda result: finished.append(result.name),
    )
    for one, other in zip(alone, shared, strict=True):
        assert (one.name, one.objects) == (other.name, other.objects)
    assert len(frames) == sum(LENGTHS.values())
    assert sorted(finished) == sorted(LENGTHS)
    # Once in each process that had work, not once in each sequence.
    assert 1 <= len((tmp_path / "log").read_text().splitlines()) <= 2
    assert len(list((tmp_path / "masks").rglob("*.png"))) == sum(LENGTHS.values())


@pytest.mark.parametrize(
    ("build", "workers", "words"),
    [
        (build_failing, 1, "the sequence ant stopped: the frame is of an unknown kind"),
        (build_failing, 2, "the sequence ant stopped: the frame is of an unknown kind"),
        (build_impossible, 1, "cannot be made: there is no device tpu"),
    ],
)
def test_an_error_names_its_cause(root, build, workers, words):
    with pytest.raises(EvaluationError, match=words):
        run_sequences(task(build), sequences(root), workers=workers)


def test_a_worker_that_dies_is_told(root):
    with pytest.raises(EvaluationError, match="fewer --workers"):
        run_sequences(task(build_dying), sequences(root), workers=2)


def test_a_first_mask_without_an_object_is_told(root):
    write_labels(root / "Annotations/480p/cat/00000.png", np.zeros((HEIGHT, WIDTH), np.uint8))
    with pytest.raises(EvaluationError, match=r"cat/00000\.png holds no object"):
        run_sequences(task(), sequences(root))


def test_a_truth_of_another_size_is_named(root):
    write_labels(root / "Annotations/480p/cat/00002.png", np.zeros((9, 9), np.uint8))
    with pytest.raises(EvaluationError, match=r"cat/00002\.png cannot be scored: .*160x48.*9x9"):
        run_sequences(task(), sequences(root))


def test_a_missing_mask_is_told_before_anything_runs(root):
    (root / "Annotations/480p/ant/00004.png").unlink()
    with pytest.raises(DavisError, match=r"no mask for the frame .*ant/00004\.jpg"):
        for sequence in sequences(root):
            Davis2016().check(sequence)


def test_the_mask_of_the_last_frame_may_be_missing(root):
    (root / "Annotations/480p/ant/00008.png").unlink()
    for sequence in sequences(root):
        Davis2016().check(sequence)


def test_a_video_of_two_frames_cannot_be_scored(root):
    for kind in ("JPEGImages", "Annotations"):
        next((root / kind / "480p" / "bee").glob("00002.*")).unlink()
    with pytest.raises(EvaluationError, match="bee .* has 2 frames; three at least"):
        Davis2016().check(DavisDataset(root, "val").sequence("bee"))


def test_written_masks_score_the_same_when_read_again(root, tmp_path):
    made = run_sequences(task(Build(lag=5), masks_out=tmp_path), sequences(root))
    source = MaskFolderSource(tmp_path)
    read = run_sequences(SequenceTask(Davis2016(), source), sequences(root))
    for one, other in zip(made, read, strict=True):
        assert one.objects == other.objects
        assert other.step_ms == ()


def test_written_masks_score_the_same_with_the_public_benchmark(root, tmp_path):
    reason = "vos-benchmark is not installed"
    module = pytest.importorskip("vos_benchmark.benchmark", reason=reason)
    results = run_sequences(task(Build(lag=5), masks_out=tmp_path), sequences(root))
    judge = module.VideoEvaluator(str(root / "Annotations" / "480p"), str(tmp_path))
    for result in results:
        _, j, f = judge(result.name)
        # 255 is the object's value in the files of the truth.
        assert 100 * np.mean(result.objects[0].j) == pytest.approx(j[255], abs=1e-9)
        assert 100 * np.mean(result.objects[0].f) == pytest.approx(f[255], abs=1e-9)


def test_written_masks_take_the_value_of_the_truth(root, tmp_path):
    run_sequences(task(masks_out=tmp_path), sequences(root))
    with Image.open(tmp_path / "cat" / "00003.png") as image:
        assert image.mode == "P"
        assert set(np.unique(np.array(image))) == {0, 255}


def test_picture_frames_are_spread_over_the_scored_ones(root):
    ant, bee = (DavisDataset(root, "val").sequence(name) for name in ("ant", "bee"))
    assert picture_frames(Davis2016(), ant, 3) == (1, 4, 7)
    assert picture_frames(Davis2016(), bee, 5) == (1,)
    assert picture_frames(Davis2016(), ant, 0) == ()
