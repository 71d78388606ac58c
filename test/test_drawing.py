# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Colours, overlay and contact sheet: what a person must be able to see."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pytest

from vos_ros.drawing import colour_of, contact_sheet, draw_overlay, palette


@dataclass(frozen=True)
class Seen:
    id: int
    present: bool = True
    score: float = 0.9
    doubtful: bool = False


# Vienot, Brettel and Mollon (1999): what a person without red or green cones sees, in linear RGB.
PROTAN = np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]])
DEUTAN = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])
# Machado, Oliveira and Fernandes (2009), of full severity: without blue cones.
TRITAN = np.array(
    [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039],
    ]
)
VISIONS = {"full": np.eye(3), "protan": PROTAN, "deutan": DEUTAN, "tritan": TRITAN}


def lab(rgb: np.ndarray, vision: np.ndarray) -> np.ndarray:
    """CIE L*a*b* (D65) of 8-bit sRGB, seen through a matrix of colour vision."""
    linear = np.asarray(rgb, float) / 255
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    linear = np.clip(vision @ linear, 0, 1)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x, y, z = np.cbrt(np.maximum(to_xyz @ linear / [0.9505, 1.0, 1.089], 1e-4))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", VISIONS)
def test_the_first_eight_colours_stay_apart_for_every_colour_vision(vision: str) -> None:
    """And from black, which is the background. The differences are CIE 1976 ones."""
    seen = [lab(np.array(colour_of(k)), VISIONS[vision]) for k in range(0, 9)]
    for first, second in combinations(range(9), 2):
        # A difference of 2.3 is just noticeable; twenty times that is seen at a glance.
        neighbours = second - first == 1 and vision != "tritan"
        need = 46 if neighbours else 15
        assert np.linalg.norm(seen[first] - seen[second]) > need, (first, second)


def luminance(rgb: np.ndarray) -> np.ndarray:
    """Relative luminance of 8-bit sRGB, as WCAG 2 has it."""
    linear = np.asarray(rgb, float) / 255
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    dark, light = sorted([float(luminance(one)), float(luminance(other))])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("ground", [0, 128, 255])
def test_words_stand_out_on_any_ground(ground: int) -> None:
    """By WCAG 2, a contrast of 7 is enough for everybody who sees at all."""
    image = np.full((240, 320, 3), ground, np.uint8)
    labels = np.zeros((240, 320), np.uint8)
    labels[100:200, 100:200] = 1
    changed = draw_overlay(image, labels, [Seen(1)]) != draw_overlay(image, labels)
    rows, columns = np.nonzero(changed.any(axis=2))
    plate = draw_overlay(image, labels, [Seen(1)])[rows.min() : rows.max(), columns.min() + 6 :]
    plate = plate[:, : columns.max() - columns.min() - 6].reshape(-1, 3)
    assert contrast(plate.max(axis=0), plate.min(axis=0)) >= 7


@pytest.mark.parametrize("ground", ["own", "white", "black"])
def test_an_outline_shows_on_any_ground(ground: str) -> None:
    for object_id in range(1, 9):
        hue = np.array(colour_of(object_id))
        plain = {"own": hue, "white": np.full(3, 255), "black": np.zeros(3)}[ground]
        image = np.broadcast_to(plain, (240, 320, 3)).astype(np.uint8)
        labels = np.zeros((240, 320), np.uint8)
        labels[100:200, 100:200] = object_id
        edge = draw_overlay(image, labels)[150, 95:106]  # across the left edge
        differences = [np.linalg.norm(lab(c, np.eye(3)) - lab(plain, np.eye(3))) for c in edge]
        assert max(differences) > 25, object_id
        assert (edge == hue).all(axis=1).any()


@pytest.mark.parametrize("size", [(240, 320), (480, 640), (1080, 1920)])
def test_no_tag_lies_on_another_one(size: tuple[int, int]) -> None:
    """Eight objects side by side, the left ones with names that are wider than they are."""
    height, width = size
    image = np.full((*size, 3), 128, np.uint8)
    labels = np.zeros(size, np.uint8)
    for number in range(8):
        row, column = divmod(number, 4)
        top, left = height // 4 + row * height // 3, column * width // 4 + 4
        labels[top : top + height // 6, left : left + width // 6] = number + 1
    names = {1: "adjustable spanner", 5: "screwdriver"}
    seen = [Seen(number) for number in range(1, 9)] + [Seen(9, False), Seen(10, False)]
    out = draw_overlay(image, labels, seen, alpha=0.0, names=names)
    # A plate leaves a quarter of the ground's brightness; under two there would be a sixteenth.
    plates = (out == 32).all(axis=2)
    assert plates.sum() > 1000
    assert not (out == 8).all(axis=2).any()


def test_palette_is_stable_distinct_and_agrees_with_colour_of() -> None:
    table = palette()
    assert table.shape == (256, 3) and table.dtype == np.uint8
    assert table[0].tolist() == [0, 0, 0]
    assert len({tuple(row) for row in table.tolist()}) == 256
    assert all(colour_of(k) == tuple(table[k]) for k in range(256))
    neighbours = np.abs(np.diff(table.astype(int), axis=0)).sum(axis=1)
    assert neighbours.min() > 30
    table[:] = 0  # a copy: what one caller does must not reach another
    assert colour_of(1) != (0, 0, 0)


def test_colour_of_repeats_above_255_and_refuses_negative_ids() -> None:
    assert colour_of(256) == colour_of(1)
    with pytest.raises(ValueError, match="0 or greater"):
        colour_of(-1)


def test_fill_is_the_blend_and_background_is_untouched() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)
    before = image.copy()
    labels = np.zeros((120, 160), np.uint8)
    labels[20:80, 30:100] = 3
    labels[90:110, 120:150] = 200
    out = draw_overlay(image, labels, alpha=0.25)
    assert out is not image and np.array_equal(image, before)
    for value, inner in ((3, np.s_[25:75, 35:95]), (200, np.s_[94:106, 124:146])):
        expected = 0.75 * image[inner] + 0.25 * np.array(colour_of(value))
        assert np.abs(out[inner] - expected).max() <= 0.51
    assert tuple(out[20, 60]) == colour_of(3)  # the outline is opaque
    far = np.ones((120, 160), bool)
    far[17:83, 27:103] = False
    far[87:113, 117:153] = False
    assert np.array_equal(out[far], image[far])


def test_empty_mask_without_objects_gives_an_equal_copy() -> None:
    image = np.full((48, 64, 3), 77, np.uint8)
    out = draw_overlay(image, np.zeros((48, 64), np.uint8))
    assert np.array_equal(out, image) and not np.shares_memory(out, image)


def test_views_read_only_and_strided_are_accepted() -> None:
    wide = np.zeros((60, 160, 3), np.uint8)
    image = wide[:, ::2][..., ::-1]
    labels = np.zeros((60, 160), np.uint8)[:, ::2]
    image.setflags(write=False)
    assert draw_overlay(image, labels).shape == (60, 80, 3)


def written(with_text: np.ndarray, without: np.ndarray) -> np.ndarray:
    """Rows and columns that the text changed."""
    return np.argwhere((with_text != without).any(axis=2))


@pytest.mark.parametrize("size", [(48, 64), (120, 160), (480, 640), (1080, 1920)])
def test_tag_is_drawn_within_the_image_and_tall_enough_to_read(size: tuple[int, int]) -> None:
    image = np.full((*size, 3), 128, np.uint8)
    labels = np.zeros(size, np.uint8)
    labels[0 : size[0] // 4, 3 * size[1] // 4 :] = 1  # in the upper right corner: no room above
    bare = draw_overlay(image, labels)
    out = draw_overlay(image, labels, [Seen(1)], names={1: "cup"})
    changed = written(out, bare)
    height = np.ptp(changed[:, 0]) + 1
    assert out.shape == image.shape
    assert height >= 10 and height >= 0.02 * size[0]
    strokes = (out[changed[:, 0], changed[:, 1]] > 190).all(axis=1)
    assert strokes.sum() > 15  # white on the dark plate


def test_absent_objects_are_listed_and_do_not_cover_each_other() -> None:
    image = np.full((240, 320, 3), 128, np.uint8)
    labels = np.zeros((240, 320), np.uint8)
    one = written(draw_overlay(image, labels, [Seen(1, False, 0.1)]), image)
    two = written(draw_overlay(image, labels, [Seen(1, False, 0.1), Seen(2, False, 0.2)]), image)
    assert len(one) > 0
    assert np.ptp(two[:, 0]) >= 1.8 * np.ptp(one[:, 0])


def test_an_object_that_may_be_something_else_has_a_question_mark() -> None:
    image, labels = np.full((240, 320, 3), 128, np.uint8), np.zeros((240, 320), np.uint8)
    labels[100:200, 100:200] = 1
    doubtful = draw_overlay(image, labels, [Seen(1, doubtful=True)], names={1: "cup"})
    asked = draw_overlay(image, labels, [Seen(1)], names={1: "cup?"})
    np.testing.assert_array_equal(doubtful, asked)
    assert not np.array_equal(asked, draw_overlay(image, labels, [Seen(1)], names={1: "cup"}))


def test_name_without_presence_is_drawn_only_where_the_object_is() -> None:
    image = np.full((240, 320, 3), 128, np.uint8)
    labels = np.zeros((240, 320), np.uint8)
    assert np.array_equal(draw_overlay(image, labels, names={1: "cup"}), image)
    labels[100:200, 100:200] = 1
    assert len(written(draw_overlay(image, labels, names={1: "cup"}), draw_overlay(image, labels)))


@pytest.mark.parametrize(
    ("image", "labels", "alpha", "words"),
    [
        (np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8), 0.5, "H x W x 3"),
        (np.zeros((4, 4, 3), np.float32), np.zeros((4, 4), np.uint8), 0.5, "uint8"),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5), np.uint8), 0.5, "4 x 4"),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.int64), 0.5, "int64"),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint8), 1.5, "alpha"),
    ],
)
def test_overlay_refuses_what_does_not_fit(
    image: np.ndarray, labels: np.ndarray, alpha: float, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        draw_overlay(image, labels, alpha=alpha)


def test_contact_sheet_puts_tiles_in_reading_order() -> None:
    tiles = [np.full((30, 40, 3), 40 * k, np.uint8) for k in range(1, 6)]
    sheet = contact_sheet(tiles, 3, tile_width=40)
    assert sheet.shape == (2 * 34 + 4, 3 * 44 + 4, 3)
    for index in range(5):
        row, column = divmod(index, 3)
        middle = sheet[4 + 34 * row + 15, 4 + 44 * column + 20]
        assert middle.tolist() == [40 * (index + 1)] * 3


def test_contact_sheet_writes_captions_and_keeps_aspect_ratios() -> None:
    tiles = [np.full((100, 200, 3), 9, np.uint8), np.full((50, 50, 3), 9, np.uint8)]
    sheet = contact_sheet(tiles, 2, captions=["frame 1", "frame 2"], tile_width=100)
    strip = sheet[4 + 50 : 4 + 50 + 26, 4:104]
    assert (strip > 150).any() and not (sheet[4:54, 4:104] > 150).any()
    assert (sheet[4:104, 108:208] == 9).all()


@pytest.mark.parametrize(
    ("tiles", "columns", "captions", "words"),
    [
        ([], 2, None, "at least one"),
        ([np.zeros((2, 2, 3), np.uint8)], 0, None, "1 or more"),
        ([np.zeros((2, 2, 3), np.uint8)], 1, ["a", "b"], "as many captions"),
    ],
)
def test_contact_sheet_refuses_what_does_not_fit(
    tiles: list[np.ndarray], columns: int, captions: list[str] | None, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        contact_sheet(tiles, columns, captions)
