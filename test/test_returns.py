# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips with gaps of known length, and what is said of segmenters whose answers are known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from vos_ros.apps.returns import main
from vos_ros.evaluation.gaps import BACK, MOVING, SEEN, WAYS, GapClip
from vos_ros.evaluation.pairs import WAYS as PAIR_WAYS
from vos_ros.evaluation.returns import follow, summary
from vos_ros.presence import ObjectPresence
from vos_ros.segmenter import Segmentation


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("gap", [1, 4])
def test_nothing_is_seen_of_the_object_for_just_the_gap(way, gap):
    for seed in range(3):
        clip = GapClip(way, gap, look_alike=bool(seed % 2), seed=seed)
        frames = list(clip.frames())
        areas = np.array([truth.sum() for _, truth in frames])
        assert len(frames) == clip.length
        assert np.flatnonzero(areas == 0).tolist() == list(clip.hidden)
        assert len(clip.hidden) == gap
        whole = areas[:SEEN].max()
        assert (np.delete(areas, range(SEEN, clip.returned)) > 0.97 * whole).all()
        assert clip.length - clip.returned == BACK
        assert areas[SEEN + MOVING - 1] < whole and areas[clip.returned - MOVING] < whole
        assert {image.shape for image, _ in frames} == {(144, 192, 3)}


def test_a_seed_draws_the_same_clip_and_another_one_another():
    one, same, other = (next(GapClip("exit", 3, True, s).frames())[0] for s in (5, 5, 6))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one.astype(int) - other).mean() > 5


def test_a_look_alike_is_seen_all_the_time_and_is_not_the_truth():
    pairs = zip(
        GapClip("exit", 3, False, 1).frames(), GapClip("exit", 3, True, 1).frames(), strict=True
    )
    for (plain, truth), (joined, same) in pairs:
        np.testing.assert_array_equal(truth, same)
        differs = np.abs(plain.astype(int) - joined).max(axis=2) > 40
        assert differs.mean() > 0.02 and not (differs & (truth == 1)).any()


class Told:
    """Answers with the truth, but for what it is told to say in some frames.

    Args:
        clip: the one that will be followed.
        answers: by frame: whether it is called present, and the labels if not the truth's.
    """

    def __init__(self, clip, answers, doubted=()):
        self.doubted = doubted
        self.truths = [truth for _, truth in clip.frames()]
        self.answers, self.number = answers, 0
        self.labels = {}

    def start(self, image, mask):
        self.number = 0
        return self._answer()

    def step(self, image):
        self.number += 1
        return self._answer()

    def _answer(self):
        labels = self.truths[self.number]
        present = self.answers.get(self.number, bool(labels.any()))
        if not present:
            labels = np.zeros_like(labels)
        entry = ObjectPresence(
            1, present, 0.9, 0.1, (0, 0, 1, 1), doubtful=self.number in self.doubted
        )
        return Segmentation(self.labels.get(self.number, labels), (entry,))


def test_what_became_of_an_object_is_counted_by_hand():
    clip = GapClip("covered", 4, False, 0)
    first = clip.hidden.start
    right = follow(Told(clip, {}), clip)
    assert (right.noticed, right.false_returns, right.held_wrong) == (True, 0, 0.0)
    assert (right.frames, right.iou) == (0, 1.0)
    late = follow(Told(clip, dict.fromkeys(range(first, clip.returned + 3), False)), clip)
    assert (late.frames, late.iou) == (3, 1.0)
    false = follow(Told(clip, {first: True, first + 2: True}), clip)
    assert (false.noticed, false.false_returns, false.held_wrong) == (True, 1, 0.5)
    never = follow(Told(clip, dict.fromkeys(range(first, clip.length), False)), clip)
    assert (never.frames, never.iou) == (None, 0.0)
    blind = follow(Told(clip, dict.fromkeys(clip.hidden, True)), clip)
    assert (blind.noticed, blind.false_returns, blind.held_wrong) == (False, 0, 1.0)
    told = summary([right, late, false, never, blind])
    assert (told.clips, told.taken_up, told.noticed, told.false_returns) == (5, 0.8, 0.8, 0.2)
    assert told.frames == (0, 3) and told.held_wrong == pytest.approx(0.3) and told.iou == 1


def test_what_was_taken_for_an_object_and_what_was_said_of_that_is_counted_by_hand():
    clip = GapClip("covered", 4, False, 0)
    first = clip.hidden.start
    script = Told(clip, {first: True, first + 1: True}, doubted={first + 1, 0, 1, 2, first + 2})
    nearly = np.zeros_like(script.truths[0])
    nearly[:, :] = script.truths[5]
    nearly[:2, :] = 1
    script.labels = {first: np.ones_like(nearly), first + 1: np.ones_like(nearly), 5: nearly}
    found = follow(script, clip)
    there = sum(bool(truth.any()) for truth in script.truths)
    assert (found.wrong, found.wrong_doubted) == (2, 1)
    assert (found.right, found.right_doubted) == (there, 3)
    told = summary([found, follow(Told(clip, {}), clip)])
    assert (told.wrong_told, told.right_told) == (0.5, 3 / (2 * there))
    assert np.isnan(summary([follow(Told(clip, {}), clip)]).wrong_told)


@pytest.mark.parametrize("more", [[], ["--before"]], ids=str)
def test_the_command_writes_what_became_of_every_clip(tmp_path, capsys, more):
    path = tmp_path / "deeper" / "returns.json"
    few = ["--size", "64", "--gaps", "1", "--seeds", "1", "--pairs", "1"]
    assert main([*few, "--json", str(path), *more]) == 0
    told = json.loads(path.read_text())
    assert told["before"] == bool(more)
    clips, pairs = told["clips"], told["pairs"]
    ways = [(one["clip"]["way"], one["clip"]["look_alike"]) for one in clips]
    assert ways == [(way, beside) for way in WAYS for beside in (False, True)]
    kinds = [(one["clip"]["way"], one["clip"]["alike"]) for one in pairs]
    assert kinds == [(way, alike) for way in PAIR_WAYS for alike in (False, True)]
    assert not (more and any(one["told"] for one in pairs))
    assert len(capsys.readouterr().out.splitlines()) == 4 + 8


def test_weights_that_are_not_there_are_named(capsys):
    assert main(["--weights", "nowhere"]) == 1
    assert "nowhere" in capsys.readouterr().err
