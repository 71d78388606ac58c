# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips from stills: masks that stay with their pixels, a visible target, the same clip again."""

from multiprocessing.reduction import ForkingPickler

import cv2
import numpy as np
import pytest
from PIL import Image

from vos_ros.data.actors import echo
from vos_ros.data.appearance import colour_change, draw_camera, noise_bank, photograph
from vos_ros.data.clip import least_area
from vos_ros.data.cutouts import border_contact, choose_object, cut_out, fill, without
from vos_ros.data.layers import Layer, draw_frame, line_kernel, shrink_for
from vos_ros.data.motion import (
    Motion,
    bending,
    changes,
    cover,
    draw_pace,
    keep_inside,
    leave_and_return,
    linear,
    source_points,
    swinging,
    translation,
    wander,
)
from vos_ros.data.shapes import blob, camouflaged, haze, invented, polygon, stroke, with_rods
from vos_ros.data.still_mix import StillMix
from vos_ros.data.stills import Still, StillError
from vos_ros.data.synthesis import StillClips

SIZE = (96, 160)


def chequerboard(height=120, width=180, side=12):
    rows, columns = np.indices((height, width)) // side
    return ((rows + columns) % 2).astype(np.uint8)


def random_motion(seed, source, length=4, zoom=1.3, rigid=False):
    rng = np.random.default_rng(seed)
    middle = translation(SIZE[1] / 2, SIZE[0] / 2)
    steps = changes(rng, length, draw_pace(rng, 0.5), SIZE[0], SIZE[1])
    start = cover(rng, source, SIZE, zoom)
    matrices = middle @ steps @ np.linalg.inv(middle) @ start
    lattices = None
    if not rigid:
        lattices = bending(rng, length, source, 0.1) + swinging(rng, length, source)
    return Motion(matrices, lattices)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Stills with one or two objects in their own colours, and photographs of noise."""
    root = tmp_path_factory.mktemp("stills")
    rng = np.random.default_rng(5)
    for folder in ("images", "masks", "photographs"):
        (root / folder).mkdir()
    for number in range(8):
        image = cv2.resize(rng.integers(0, 255, (9, 13, 3), np.uint8), (200, 140))
        ids = np.zeros((140, 200), np.uint8)
        cv2.ellipse(ids, (70, 70), (25 + number, 40), 20 * number, 0, 360, 1, -1)
        if number % 2:
            cv2.rectangle(ids, (130, 30), (170, 100), 2, -1)
        image[ids == 1] = rng.integers(0, 255, 3)
        Image.fromarray(image).save(root / "images" / f"{number}.png")
        Image.fromarray(ids).save(root / "masks" / f"{number}.png")
        photograph = cv2.resize(rng.integers(0, 255, (30, 40, 3), np.uint8), (240, 160))
        Image.fromarray(photograph).save(root / "photographs" / f"{number}.png")
    return root


def clips_of(data, **arguments):
    arguments = {"size": SIZE, "length": 4, "seed": 3, **arguments}
    return StillClips([data], data / "photographs", **arguments)


@pytest.mark.parametrize("seed", range(8))
def test_a_warped_mask_stays_on_its_pixels(seed):
    # The picture *is* its mask: white where the label is 1. However it moves, the drawn picture and
    # the drawn labels must agree but for grey interpolated pixels on the outlines.
    board = chequerboard()
    picture = np.repeat(board[..., None] * np.uint8(255), 3, 2)
    motion = random_motion(seed, board.shape)
    scene = Layer(np.zeros_like(picture), None, motion, 0)
    pasted = Layer(picture, board * np.uint8(255), motion, 1)
    for frame in range(4):
        image, labels = draw_frame([scene, pasted], frame, SIZE)
        sure = (image[..., 0] < 40) | (image[..., 0] > 215)
        assert sure.mean() > 0.3
        assert ((image[..., 0] > 127) == (labels == 1))[sure].all()


@pytest.mark.parametrize("seed", range(4))
def test_patches_draw_what_the_exact_map_says(seed):
    # Against the map evaluated at every pixel, not on a coarse grid cut to a patch.
    board = chequerboard(60, 80, 10)
    motion = random_motion(seed, board.shape, zoom=0.6, rigid=True)
    layer = Layer(np.zeros((60, 80, 3), np.uint8), board * np.uint8(255), motion, 1)
    xs, ys = np.arange(SIZE[1], dtype=float), np.arange(SIZE[0], dtype=float)
    for frame in range(4):
        labels = draw_frame([layer], frame, SIZE)[1]
        points = source_points(motion.matrices[frame], None, board.shape, xs, ys)
        alpha = cv2.remap(board * np.uint8(255), points, None, cv2.INTER_LINEAR)
        unlike = (alpha > 127) != (labels == 1)
        assert unlike.mean() < 0.01, "only pixels on outlines may differ"
        assert np.count_nonzero(alpha > 127) > 200


def test_points_go_where_the_matrix_says():
    matrix = translation(10, 5) @ linear(0.3, 2.0, 0.1, flip=True)
    points = source_points(matrix, None, (50, 50), np.array([10.0, 30.0]), np.array([5.0, 7.0]))
    for x, row in ((10.0, points[:, 0]), (30.0, points[:, 1])):
        for y, point in zip((5.0, 7.0), row, strict=True):
            back = matrix @ [point[0], point[1], 1.0]
            assert np.allclose(back[:2], [x, y], atol=1e-4)


@pytest.mark.parametrize("index", range(16))
def test_frame_0_shows_the_target(data, index):
    clip = clips_of(data)[index]
    assert clip.images.shape == (4, *SIZE, 3)
    assert clip.labels.shape == (4, *SIZE)
    assert clip.images.dtype == clip.labels.dtype == np.uint8
    assert set(np.unique(clip.labels)) <= {0, 1}
    assert np.count_nonzero(clip.labels[0]) >= least_area(SIZE)


def test_labels_lie_on_the_object(data):
    # Without other objects and with the object in one colour of its own, its pixels differ far less
    # among themselves than the scenery's do.
    mix = StillMix(replaced=1.0, invented=0.0, rods=0.0, camouflage=0.0, echo=0.0, blur=0.0)
    clips = clips_of(data, mix=mix)
    inside, outside = [], []
    for index in range(24):
        clip = clips[index]
        for image, labels in zip(clip.images, clip.labels, strict=True):
            target = cv2.erode(labels, np.ones((5, 5), np.uint8)) > 0
            around = cv2.dilate(labels, np.ones((5, 5), np.uint8)) == 0
            if np.count_nonzero(target) > 200 and np.count_nonzero(around) > 200:
                inside.append(image[target].std(0).mean())
                outside.append(image[around].std(0).mean())
    assert len(inside) > 25
    assert np.median(inside) < 0.5 * np.median(outside)


def test_the_same_number_gives_the_same_clip(data):
    first, again = clips_of(data), clips_of(data)
    for index in (4, 0, 2):
        again[index + 1]  # what was read before must not matter
        assert (first[index].images == again[index].images).all()
        assert (first[index].labels == again[index].labels).all()


def test_other_numbers_and_seeds_give_other_clips(data):
    clips, other = clips_of(data), clips_of(data, seed=4)
    assert (clips[0].images != clips[1].images).any()
    assert (clips[0].images != other[0].images).any()


def test_targets_move_and_some_vanish(data):
    mix = StillMix(replaced=1.0, excursion=1.0, fast=1.0)
    clips = clips_of(data, length=5, mix=mix)
    areas = np.array([clips[k].labels.reshape(5, -1).astype(bool).sum(1) for k in range(20)])
    assert (areas[:, 0] > 0).all()
    gone = (areas[:, 1:] == 0).any(1)
    assert gone.any()
    back = [row for row in areas if (row == 0).any() and row[np.flatnonzero(row == 0)[0] :].any()]
    assert back, "some of those that left must return"


def test_several_targets_are_numbered_without_gaps(data):
    clips = clips_of(data, targets=3)
    most = 0
    for index in range(25):
        labels = clips[index].labels
        present = np.unique(labels[0])
        assert (present == np.arange(len(present))).all()
        assert set(np.unique(labels)) <= set(present), "no object appears that frame 0 lacks"
        counts = np.bincount(labels[0].ravel())[1:]
        assert (counts >= least_area(SIZE)).all()
        most = max(most, len(present) - 1)
    assert most >= 2


def test_without_photographs_the_scenery_comes_from_the_stills(data):
    clip = StillClips([data], None, SIZE, 2)[0]
    assert clip.images.shape == (2, *SIZE, 3)


def test_objects_all_too_small_are_an_error_not_an_endless_search(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    ids = np.zeros((100, 100), np.uint8)
    ids[:2, :2] = 1
    Image.fromarray(np.zeros((100, 100, 3), np.uint8)).save(tmp_path / "images" / "a.png")
    Image.fromarray(ids).save(tmp_path / "masks" / "a.png")
    with pytest.raises(StillError, match="large enough"):
        StillClips([tmp_path], None, SIZE, mix=StillMix(invented=0.0))[0]


@pytest.mark.parametrize("arguments", [{"length": 0}, {"size": (16, 160)}, {"targets": 0}])
def test_bad_figures_are_refused(data, arguments):
    with pytest.raises(ValueError, match="too small"):
        clips_of(data, **arguments)
    with pytest.raises(IndexError):
        clips_of(data)[-1]


def test_motion_starts_at_rest_and_is_smooth():
    rng = np.random.default_rng(0)
    steps = changes(rng, 6, draw_pace(rng), 96, 96)
    assert np.allclose(steps[0], np.eye(3))
    paths = np.array([wander(rng, 8, 1.0, 0.0) for _ in range(400)])
    assert (paths[:, 0] == 0).all()
    moves = np.diff(paths, axis=1)
    # A velocity that lasts: a move resembles the one before it.
    assert np.corrcoef(moves[:, 2], moves[:, 3])[0, 1] > 0.5


@pytest.mark.parametrize("length", [3, 4, 8])
def test_who_leaves_returns(length):
    rng = np.random.default_rng(length)
    ways = np.array([leave_and_return(rng, length, 10.0) for _ in range(200)])
    distance = np.hypot(ways[..., 0], ways[..., 1])
    assert (distance[:, 0] == 0).all()
    assert distance.max() == pytest.approx(10.0)
    assert (distance[:, 1:-1].max(1) > 3.0).mean() > 0.7


@pytest.mark.parametrize("seed", range(10))
def test_the_camera_never_looks_beyond_the_photograph(seed):
    source = (120, 150)
    for matrix in random_motion(seed, source, zoom=1.0).matrices:
        kept = keep_inside(matrix, source, SIZE)
        points = source_points(
            kept, None, source, np.array([0.0, SIZE[1] - 1]), np.array([0.0, SIZE[0] - 1])
        )
        assert points.min() > -1.0
        assert points[..., 0].max() < source[1]
        assert points[..., 1].max() < source[0]


def test_shrinking_keeps_places():
    ramp = np.tile(np.arange(200, dtype=np.uint8), (100, 1))
    image, alpha, back = shrink_for(np.repeat(ramp[..., None], 3, 2), ramp, 0.2)
    assert image.shape[1] < 100
    place = back @ [10.0, 5.0, 1.0]
    assert image[5, 10, 0] == pytest.approx(place[0], abs=0.6)
    assert alpha[5, 10] == pytest.approx(place[0], abs=0.6)


def test_motion_blur_runs_along_the_motion():
    kernel = line_kernel(np.array([8.0, 0.0]))
    rows, columns = np.nonzero(kernel > 0.01)
    assert kernel.sum() == pytest.approx(1.0)
    assert np.ptp(rows) == 0
    assert np.ptp(columns) == pytest.approx(8, abs=1)
    assert line_kernel(np.array([0.5, 0.5])) is None


def test_filling_keeps_what_is_known_and_takes_its_colours():
    image = np.full((40, 50, 3), (10, 100, 200), np.uint8)
    known = np.ones((40, 50), bool)
    known[10:30, 10:30] = False
    image[~known] = 255
    filled = fill(image, known)
    assert (filled[known] == image[known]).all()
    assert np.abs(filled[~known].astype(int) - (10, 100, 200)).max() <= 2
    assert np.abs(without(image, ~known).astype(int) - (10, 100, 200)).max() <= 2


def test_a_cut_out_carries_no_rim_of_its_old_background():
    image = np.zeros((60, 60, 3), np.uint8)
    mask = np.zeros((60, 60), bool)
    mask[20:40, 20:40] = True
    image[mask] = 200
    cutout = cut_out(image, mask)
    assert cutout.image[cutout.alpha > 0].min() > 190
    assert cutout.area == pytest.approx(400, abs=10)


def test_border_contact_is_told():
    mask = np.zeros((40, 40), bool)
    mask[10:20, 10:20] = True
    assert border_contact(mask) == 0.0
    mask[:20, :20] = True
    assert border_contact(mask) == pytest.approx(0.5)


def test_choosing_respects_the_bounds():
    ids = np.zeros((100, 100), np.uint8)
    ids[:2, :2], ids[10:40, 10:40], ids[50:, :] = 1, 2, 3
    still = Still(np.zeros((100, 100, 3), np.uint8), ids)
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert (choose_object(still, rng, most=0.2) == (ids == 2)).all()
    assert choose_object(still, rng, least=0.6) is None


def test_invented_shapes_are_of_use():
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 255, (90, 130, 3), np.uint8)
    for _ in range(20):
        for shape in (blob(rng), polygon(rng), stroke(rng), invented(rng, photo).alpha):
            assert shape.dtype == np.uint8
            assert np.count_nonzero(shape > 127) > 80
        assert haze(rng).alpha.max() <= 127, "haze must hide no label"


def test_rods_add_thin_parts_and_camouflage_brings_colours_closer():
    image = np.full((80, 80, 3), 220, np.uint8)
    mask = np.zeros((80, 80), bool)
    mask[20:60, 20:60] = True
    cutout = cut_out(image, mask)
    rng = np.random.default_rng(1)
    grown = with_rods(cutout, rng)
    assert cutout.area < grown.area < 2 * cutout.area
    hidden = camouflaged(cutout, np.full((50, 50, 3), 40, np.uint8), 0.9)
    assert hidden.image[hidden.alpha > 127].mean() < 80


@pytest.mark.parametrize("seed", range(6))
def test_a_shadow_or_reflection_is_seen_but_is_background(seed):
    rng = np.random.default_rng(seed)
    image = np.full((40, 40, 3), 20, np.uint8)
    alpha = np.zeros((40, 40), np.uint8)
    alpha[5:35, 10:30] = 255
    upright = np.repeat(translation(60, 10)[None], 2, 0)
    target = Layer(image, alpha, Motion(upright), 1)
    still = Motion(np.repeat(np.eye(3)[None], 2, 0))
    scene = Layer(np.full((*SIZE, 3), 200, np.uint8), None, still)
    bare = draw_frame([scene, target], 0, SIZE)
    echoed = draw_frame([scene, echo(rng, target), target], 0, SIZE)
    assert (bare[1] == echoed[1]).all()
    changed = np.abs(bare[0].astype(int) - echoed[0]).max(2) > 20
    assert changed[47:75].any(), "below the foot"
    assert not changed[:40].any()


def test_a_photograph_keeps_size_and_type_and_repeats():
    image = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
    bank = noise_bank(128, 160)
    for seed in range(20):
        camera = draw_camera(np.random.default_rng(seed), 3)
        shots = [photograph(image, camera, 1, np.random.default_rng(9), bank) for _ in range(2)]
        assert shots[0].shape == image.shape
        assert shots[0].dtype == np.uint8
        assert (shots[0] == shots[1]).all()
    assert (colour_change(image, np.random.default_rng(0), 0.0) == image).all()


def test_a_worker_that_starts_afresh_makes_the_same_clips(data):
    clips = clips_of(data)
    sent = ForkingPickler.loads(ForkingPickler.dumps(clips))  # as it goes to a loader's worker
    assert (sent[2].images == clips[2].images).all()
    assert (sent[2].labels == clips[2].labels).all()
