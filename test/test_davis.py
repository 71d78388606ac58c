# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The DAVIS reader on small data sets written here, whole and with each kind of damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vos_ros.data.davis import DavisDataset, DavisError
from vos_ros.data.image_files import label_palette, read_labels, write_labels

HEIGHT, WIDTH = 12, 20


def frame(index: int) -> np.ndarray:
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[..., 0] = 200  # red: tells RGB from BGR
    image[..., 1] = 10 * index
    return image


def label(index: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[2:6, index : index + 5] = 1
    mask[8:10, 12:18] = 3
    return mask


def write_dataset(root: Path, *, year: int = 2016, names=("cat", "ant"), length: int = 4) -> Path:
    """A split `val` in the layout of a year, in which `names` are not in alphabetical order."""
    lists = root / "ImageSets" / ("480p" if year == 2016 else "2017")
    lists.mkdir(parents=True)
    (lists / "val.txt").write_text("\n".join(names) + "\n")
    for name in names:
        frames, masks = (root / kind / "480p" / name for kind in ("JPEGImages", "Annotations"))
        frames.mkdir(parents=True)
        masks.mkdir(parents=True)
        for index in range(length):
            Image.fromarray(frame(index)).save(frames / f"{index:05d}.jpg", quality=95)
            if year == 2016:
                Image.fromarray(np.uint8(255 * (label(index) > 0))).save(masks / f"{index:05d}.png")
            else:
                write_labels(masks / f"{index:05d}.png", label(index))
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "DAVIS")


def first(root: Path, kind: str, number: int = 0) -> Path:
    suffix = "jpg" if kind == "JPEGImages" else "png"
    return root / kind / "480p" / "cat" / f"{number:05d}.{suffix}"


def test_sequences_keep_the_order_of_the_list(root):
    dataset = DavisDataset(root, "val")
    assert dataset.names == ("cat", "ant")
    assert [sequence.name for sequence in dataset.sequences()] == ["cat", "ant"]
    assert [len(sequence) for sequence in dataset.sequences(["ant"])] == [4]


def test_frames_are_rgb(root):
    image = DavisDataset(root, "val").sequence("cat").frame(2)
    assert image.shape == (HEIGHT, WIDTH, 3) and image.dtype == np.uint8
    np.testing.assert_allclose(image.reshape(-1, 3).mean(0), (200, 20, 0), atol=3)


def test_grey_frames_become_rgb(root):
    Image.fromarray(np.full((HEIGHT, WIDTH), 77, np.uint8)).save(first(root, "JPEGImages"))
    image = DavisDataset(root, "val").sequence("cat").frame(0)
    assert image.shape == (HEIGHT, WIDTH, 3)


def test_masks_of_2016_are_binary_and_raw_values_remain_at_hand(root):
    sequence = DavisDataset(root, "val").sequence("cat")
    assert sequence.mask(1).dtype == np.uint8
    np.testing.assert_array_equal(sequence.mask(1), label(1) > 0)
    np.testing.assert_array_equal(sequence.raw_mask(1), 255 * (label(1) > 0))


def test_masks_of_2017_keep_their_ids(tmp_path):
    root = write_dataset(tmp_path / "DAVIS", year=2017)
    sequence = DavisDataset(root, "val", year=2017).sequence("ant")
    for index in range(4):
        np.testing.assert_array_equal(sequence.mask(index), label(index))


@pytest.mark.parametrize("kind", ["L", "1", "P", "RGB", "RGBA", "LA"])
def test_a_mask_may_be_saved_in_every_grey_or_indexed_way(tmp_path, kind):
    path, foreground = tmp_path / "mask.png", label(1) > 0
    image = Image.fromarray(np.uint8(255 * foreground))
    if kind == "P":
        write_labels(path, np.uint8(255 * foreground))
    else:
        image.convert(kind).save(path)
    np.testing.assert_array_equal(read_labels(path) > 0, foreground)
    assert read_labels(path).dtype == np.uint8


def test_the_official_lists_of_frame_and_mask_paths_are_read(root):
    lines = [
        f"/JPEGImages/480p/{name}/{i:05d}.jpg /Annotations/480p/{name}/{i:05d}.png "
        for name in ("cat", "ant")
        for i in range(4)
    ]
    (root / "ImageSets" / "480p" / "val.txt").write_text("\n".join(lines) + "\n\n")
    assert DavisDataset(root, "val").names == ("cat", "ant")


def test_lists_of_2016_may_lie_in_their_own_folder(root):
    (root / "ImageSets" / "480p").rename(root / "ImageSets" / "2016")
    assert DavisDataset(root, "val").names == ("cat", "ant")


def test_a_sequence_may_have_only_its_first_mask(root):
    for number in (1, 2, 3):
        first(root, "Annotations", number).unlink()
    sequence = DavisDataset(root, "val").sequence("cat")
    assert sequence.annotated == (0,) and len(sequence) == 4
    assert sequence.mask(0).any()
    with pytest.raises(DavisError, match=r"no mask for the frame .*cat/00002\.jpg.*00002\.png"):
        sequence.mask(2)


def test_no_image_is_opened_until_it_is_asked_for(root):
    for path in root.rglob("*.jpg"):
        path.write_bytes(b"")
    sequence = DavisDataset(root, "val").sequence("cat")
    assert sequence.stems == ("00000", "00001", "00002", "00003")
    assert sequence.mask(0).any()


def test_hidden_and_foreign_files_are_passed_over(root):
    (first(root, "JPEGImages").parent / "._00000.jpg").write_bytes(b"resource fork")
    (first(root, "Annotations").parent / "notes.txt").write_text("by hand")
    assert len(DavisDataset(root, "val").sequence("cat")) == 4


def test_a_missing_root_is_named(tmp_path):
    with pytest.raises(DavisError, match="no folder .*nowhere.*ImageSets"):
        _ = DavisDataset(tmp_path / "nowhere", "val").names


def test_a_missing_list_is_named(root):
    with pytest.raises(DavisError, match=r"no list of the split test.*480p/test\.txt.*2016/test"):
        _ = DavisDataset(root, "test").names


def test_an_empty_list_is_named(root):
    (root / "ImageSets" / "480p" / "val.txt").write_text("\n")
    with pytest.raises(DavisError, match=r"val\.txt is empty"):
        _ = DavisDataset(root, "val").names


def test_a_year_that_does_not_exist_is_refused(root):
    with pytest.raises(DavisError, match="2016 and 2017"):
        _ = DavisDataset(root, "val", year=2018).names


def test_a_sequence_outside_the_split_is_named(root):
    with pytest.raises(DavisError, match="bee: not in the split val .* cat, ant"):
        DavisDataset(root, "val").sequences(["cat", "bee"])


@pytest.mark.parametrize("kind", ["JPEGImages", "Annotations"])
def test_a_missing_folder_is_named(root, kind):
    first(root, kind).parent.rename(root / kind / "480p" / "elsewhere")
    with pytest.raises(DavisError, match=f"cat has no folder .*{kind}/480p/cat"):
        DavisDataset(root, "val").sequences()


@pytest.mark.parametrize("kind", ["JPEGImages", "Annotations"])
def test_an_empty_folder_is_named(root, kind):
    for path in first(root, kind).parent.iterdir():
        path.unlink()
    with pytest.raises(DavisError, match=f"{kind}/480p/cat holds no file"):
        DavisDataset(root, "val").sequence("cat")


def test_a_mask_without_a_frame_is_named(root):
    first(root, "JPEGImages", 2).unlink()
    with pytest.raises(DavisError, match=r"Annotations/480p/cat/00002\.png has no frame"):
        DavisDataset(root, "val").sequence("cat")


def test_two_files_for_one_frame_are_refused(root):
    path = first(root, "JPEGImages")
    path.with_suffix(".jpeg").write_bytes(path.read_bytes())
    with pytest.raises(DavisError, match="cat differ only in their suffix"):
        DavisDataset(root, "val").sequence("cat")


def test_a_mask_of_another_size_is_named_with_its_frame(root):
    Image.fromarray(np.zeros((HEIGHT + 1, WIDTH), np.uint8)).save(first(root, "Annotations", 1))
    sequence = DavisDataset(root, "val").sequence("cat")
    sequence.pair(0)
    with pytest.raises(DavisError, match=r"00001\.png is 20x13 pixels.*00001\.jpg 20x12"):
        sequence.pair(1)


@pytest.mark.parametrize("damage", ["empty", "text", "truncated"])
@pytest.mark.parametrize("kind", ["JPEGImages", "Annotations"])
def test_an_unreadable_image_is_named(root, kind, damage):
    path = first(root, kind, 1)
    whole = path.read_bytes()
    path.write_bytes({"empty": b"", "text": b"no image", "truncated": whole[:-25]}[damage])
    sequence = DavisDataset(root, "val").sequence("cat")
    read = sequence.frame if kind == "JPEGImages" else sequence.mask
    read(0)
    with pytest.raises(DavisError, match=f"{kind}/480p/cat/{path.name} cannot be read"):
        read(1)


def test_an_image_that_went_away_is_named(root):
    sequence = DavisDataset(root, "val").sequence("cat")
    first(root, "JPEGImages", 1).unlink()
    with pytest.raises(DavisError, match=r"no file .*00001\.jpg"):
        sequence.frame(1)


def test_a_mask_in_colours_is_refused(root):
    Image.fromarray(frame(1)).save(first(root, "Annotations", 1))
    with pytest.raises(DavisError, match=r"00001\.png is a colour picture"):
        DavisDataset(root, "val").sequence("cat").mask(1)


def test_a_mask_of_16_bits_is_refused(root):
    Image.fromarray(np.full((HEIGHT, WIDTH), 300, np.uint16)).save(first(root, "Annotations", 1))
    with pytest.raises(DavisError, match=r"00001\.png has pixels of the kind I;16"):
        DavisDataset(root, "val").sequence("cat").mask(1)


def test_written_labels_are_indexed_and_keep_every_id(tmp_path):
    labels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    write_labels(tmp_path / "all.png", labels)
    with Image.open(tmp_path / "all.png") as image:
        assert image.mode == "P"
        np.testing.assert_array_equal(np.array(image), labels)
        np.testing.assert_array_equal(np.array(image.convert("RGB")), label_palette()[labels])
    np.testing.assert_array_equal(read_labels(tmp_path / "all.png"), labels)
    assert [path.name for path in tmp_path.iterdir()] == ["all.png"]


def test_the_palette_is_that_of_davis():
    expected = {
        0: (0, 0, 0),
        1: (128, 0, 0),
        2: (0, 128, 0),
        3: (128, 128, 0),
        4: (0, 0, 128),
        7: (128, 128, 128),
        8: (64, 0, 0),
        255: (224, 224, 192),
    }
    for index, colour in expected.items():
        assert tuple(label_palette()[index]) == colour


@pytest.mark.parametrize("labels", [np.zeros((4, 4), np.int32), np.zeros((4, 4, 3), np.uint8)])
def test_labels_of_another_kind_are_not_written(tmp_path, labels):
    with pytest.raises(ValueError, match="H x W uint8 is needed"):
        write_labels(tmp_path / "mask.png", labels)
    assert not list(tmp_path.iterdir())
