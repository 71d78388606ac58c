# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Stills on disk: what is read, and what is said about files that cannot be."""

import logging

import numpy as np
import pytest
from PIL import Image

from vos_ros.data.faults import FaultLog
from vos_ros.data.still_set import Photographs, StillSet
from vos_ros.data.stills import StillError, read_ids


def write_still(root, stem, ids, image=None):
    (root / "images").mkdir(parents=True, exist_ok=True)
    (root / "masks").mkdir(exist_ok=True)
    if image is None:
        image = np.full((*ids.shape, 3), 90, np.uint8)
    Image.fromarray(image).save(root / "images" / f"{stem}.png")
    mask = Image.fromarray(ids.astype(np.uint8))
    mask.save(root / "masks" / f"{stem}.png")


def square_ids(height=40, width=60):
    ids = np.zeros((height, width), np.uint8)
    ids[10:30, 20:40] = 1
    return ids


def test_colours_and_ids_come_as_stored(tmp_path):
    image = np.zeros((40, 60, 3), np.uint8)
    image[..., 0], image[..., 2] = 200, 7
    write_still(tmp_path, "a", square_ids() * 3, image)
    still = StillSet([tmp_path])[0]
    assert still.image.dtype == still.ids.dtype == np.uint8
    assert (still.image == image).all()
    assert (still.ids == square_ids() * 3).all()


def test_palette_masks_give_indices(tmp_path):
    mask = Image.fromarray(square_ids() * 2)
    mask.putpalette([5, 5, 5, 9, 9, 9, 250, 250, 250])
    mask.save(tmp_path / "palette.png")
    assert set(np.unique(read_ids(tmp_path / "palette.png"))) == {0, 2}


def test_255_is_void_beside_ids_and_an_object_alone(tmp_path):
    ids = square_ids()
    ids[0, :] = 255
    Image.fromarray(ids).save(tmp_path / "void.png")
    Image.fromarray(square_ids() * np.uint8(255)).save(tmp_path / "binary.png")
    assert set(np.unique(read_ids(tmp_path / "void.png"))) == {0, 1}
    assert set(np.unique(read_ids(tmp_path / "binary.png"))) == {0, 255}


def test_masks_in_colours_are_refused_and_grey_ones_saved_in_colour_are_read(tmp_path):
    path = tmp_path / "colour.png"
    colours = np.repeat(square_ids()[..., None], 3, 2)
    Image.fromarray(colours).save(path)
    assert (read_ids(path) == square_ids()).all()
    colours[15, 25, 0] = 9
    Image.fromarray(colours).save(path)
    with pytest.raises(StillError, match=r"^.*colour.png: .*colour picture"):
        read_ids(path)


def test_masks_beyond_the_limit_of_the_reader_are_bad_files(tmp_path, monkeypatch):
    write_still(tmp_path, "good", square_ids())
    write_still(tmp_path, "huge", np.kron(square_ids(), np.ones((2, 2))))
    (tmp_path / "images/huge.png").write_bytes((tmp_path / "images/good.png").read_bytes())
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40 * 60)  # twice as many are an error
    stills = StillSet([tmp_path])
    assert all((found == square_ids()).all() for found in (drawn(stills, 12)))
    assert list(stills.faults.known) == [str(tmp_path / "masks/huge.png")]
    assert "exceeds limit" in stills.faults.known[str(tmp_path / "masks/huge.png")]


@pytest.mark.parametrize(
    ("shape", "what"),
    [
        ((1, 60), "60 x 1 pixels; both sides must have 16 or more"),
        ((60, 1), "1 x 60 pixels; both sides must have 16 or more"),
        ((15, 15), "15 x 15 pixels"),
        ((16, 161), "one side of 161 pixels, the other of 16; that is too oblong to use"),
    ],
)
def test_stills_and_photographs_of_no_use_for_their_shape_are_bad_files(tmp_path, shape, what):
    write_still(tmp_path, "good", square_ids())
    write_still(tmp_path, "thin", np.ones(shape))
    stills, photographs = StillSet([tmp_path]), Photographs(tmp_path / "images")
    drawn(stills, 12)
    rng = np.random.default_rng(0)
    assert {photographs.draw(rng).shape for _ in range(12)} == {(40, 60, 3)}
    for faults in (stills.faults, photographs.faults):
        ((path, told),) = faults.known.items()
        assert path == str(tmp_path / "images/thin.png") and told.startswith(what)


def drawn(stills, count):
    rng = np.random.default_rng(0)
    return [stills.draw(rng).ids for _ in range(count)]


def bad_set(root):
    """One good still, and each kind of bad one; returns the files at fault, by their folders."""
    write_still(root, "good", square_ids())
    write_still(root, "empty", np.zeros((40, 60)))
    write_still(root, "size", square_ids(), np.zeros((41, 60, 3), np.uint8))
    write_still(root, "torn", square_ids())
    (root / "images" / "torn.png").write_bytes(b"not an image")
    write_still(root, "torn_mask", square_ids())
    (root / "masks" / "torn_mask.png").write_bytes(b"\x89PNG\r\n\x1a\nrest")
    write_still(root, "alone", square_ids())
    (root / "masks" / "alone.png").unlink()
    faulty = "masks/empty images/torn masks/torn_mask masks/size images/alone"
    return {str(root / f"{name}.png") for name in faulty.split()}


def test_bad_files_are_named_counted_and_passed_over(tmp_path, caplog):
    wanted = bad_set(tmp_path)
    with caplog.at_level(logging.WARNING):
        stills = StillSet([tmp_path])
        rng = np.random.default_rng(0)
        found = [stills.draw(rng) for _ in range(60)]
    assert all((still.ids == square_ids()).all() for still in found)
    assert set(stills.faults.known) == wanted
    for path in wanted:
        told = [message for message in caplog.messages if message.startswith(f"skipped {path}: ")]
        assert len(told) == 1, "named once each"
    assert "5 bad so far" in caplog.messages[-1]


@pytest.mark.parametrize("name", ["empty", "size", "torn", "torn_mask", "alone"])
def test_strict_refuses_a_bad_file_by_name(tmp_path, name):
    bad_set(tmp_path / "all")
    write_still(tmp_path / "one", "good", square_ids())
    for kind in ("images", "masks"):
        source = tmp_path / "all" / kind / f"{name}.png"
        if source.exists():
            source.rename(tmp_path / "one" / kind / f"{name}.png")
    with pytest.raises(StillError, match=f"{name}.png"):
        drawn(StillSet([tmp_path / "one"], faults=FaultLog(strict=True)), 20)


def test_a_folder_without_stills_is_an_error(tmp_path):
    with pytest.raises(StillError, match="images"):
        StillSet([tmp_path])
    (tmp_path / "images").mkdir()
    with pytest.raises(StillError, match="mask"):
        StillSet([tmp_path])
    with pytest.raises(StillError, match="no image"):
        Photographs(tmp_path)


def test_large_stills_are_shrunk_without_new_ids(tmp_path):
    ids = np.kron(square_ids(), np.ones((4, 4), np.uint8)) * 5
    write_still(tmp_path, "large", ids)
    still = StillSet([tmp_path], longest=60)[0]
    assert still.ids.shape == (40, 60)
    assert still.image.shape == (40, 60, 3)
    assert (still.ids == square_ids() * 5).all()


def test_the_cache_is_bounded_and_changes_nothing(tmp_path):
    for number in range(5):
        write_still(tmp_path, f"{number}", square_ids() * (number + 1))
    size = 40 * 60 * 4
    stills = StillSet([tmp_path], cache_bytes=2 * size)
    for _ in range(2):
        for number in range(5):
            assert stills[number].ids.max() == number + 1
            assert stills._cached <= 2 * size
            assert stills._cached == sum(still.bytes for still in stills._cache.values())
    assert stills[4] is stills[4]


def test_photographs_pass_over_bad_files(tmp_path):
    Image.fromarray(np.full((20, 30, 3), 77, np.uint8)).save(tmp_path / "b.png")
    (tmp_path / "a.png").write_bytes(b"")
    photographs = Photographs(tmp_path)
    rng = np.random.default_rng(1)
    for _ in range(10):
        assert (photographs.draw(rng) == 77).all()
    assert photographs.faults.known == {str(tmp_path / "a.png"): "not a readable image"}
    with pytest.raises(StillError, match="a.png"):
        strict = Photographs(tmp_path, faults=FaultLog(strict=True))
        for _ in range(20):
            strict.draw(rng)
