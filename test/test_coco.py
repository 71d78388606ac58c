# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""COCO's instance format on a tiny set written here, whole and with each kind of damage."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vos_ros.data.coco import CocoStills
from vos_ros.data.still_set import StillSet
from vos_ros.data.stills import StillError

pytest.importorskip("pycocotools", reason="pycocotools is not installed")

HEIGHT, WIDTH = 40, 60


def box(top: int, left: int, bottom: int, right: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[top:bottom, left:right] = True
    return mask


def polygon(top: int, left: int, bottom: int, right: int) -> list[float]:
    return [left, top, right, top, right, bottom, left, bottom]


def runs(mask: np.ndarray) -> dict:
    """COCO's uncompressed code: lengths of runs of 0 and 1 in turn, column by column."""
    flat = mask.T.ravel().astype(int)
    borders = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *borders, flat.size]).tolist()
    return {"size": list(mask.shape), "counts": [0, *counts] if flat[0] else counts}


class Coco:
    """A COCO set on disk that grows as a test says."""

    def __init__(self, root: Path) -> None:
        self.root, self.images, self.annotations = root, [], []
        (root / "images").mkdir()

    def image(self, *segmentations, size=(HEIGHT, WIDTH), **fields) -> Path:
        number = len(self.images) + 1
        self.images.append(
            {"id": number, "file_name": f"{number}.png", "height": HEIGHT, "width": WIDTH}
        )
        for segmentation in segmentations:
            self.annotations.append(
                {
                    "id": len(self.annotations),
                    "image_id": number,
                    "category_id": 7,
                    "segmentation": segmentation,
                }
                | fields
            )
        path = self.root / "images" / f"{number}.png"
        Image.fromarray(np.full((*size, 3), 10 * number, np.uint8)).save(path)
        return path

    def open(self, **options) -> CocoStills:
        self.write({"images": self.images, "annotations": self.annotations})
        return CocoStills(self.root / "instances.json", self.root / "images", **options)

    def write(self, content) -> None:
        text = content if isinstance(content, str) else json.dumps(content)
        (self.root / "instances.json").write_text(text)


@pytest.fixture
def coco(tmp_path: Path) -> Coco:
    return Coco(tmp_path)


def test_polygons_become_ids_from_the_largest_down(coco):
    coco.image([polygon(2, 3, 12, 18)], [polygon(10, 20, 40, 60)])
    coco.image([polygon(0, 0, 20, 20)])
    stills = coco.open()
    assert len(stills) == 2
    still = stills.read(0)
    assert (still.image == 10).all() and still.image.shape == (HEIGHT, WIDTH, 3)
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    expected[10:40, 20:60], expected[2:12, 3:18] = 1, 2
    assert still.ids.dtype == np.uint8
    np.testing.assert_array_equal(still.ids, expected)
    assert (stills.read(1).image == 20).all()


def test_an_object_of_several_polygons_is_one(coco):
    coco.image([polygon(0, 0, 12, 12), polygon(20, 30, 35, 50)])
    np.testing.assert_array_equal(coco.open().read(0).ids, box(0, 0, 12, 12) | box(20, 30, 35, 50))


@pytest.mark.parametrize("corner", [0, 5])
def test_run_lengths_are_read_plain_and_compressed(coco, corner):
    from pycocotools import mask as tools

    mask = box(corner, corner, 25, 31)
    compressed = tools.encode(np.asfortranarray(mask.astype(np.uint8)))
    coco.image(runs(mask))
    coco.image({"size": [HEIGHT, WIDTH], "counts": compressed["counts"].decode()})
    stills = coco.open()
    for index in range(2):
        np.testing.assert_array_equal(stills.read(index).ids, mask)


def test_where_two_objects_overlap_the_smaller_is_in_front(coco):
    coco.image([polygon(5, 5, 17, 17)], [polygon(0, 0, 40, 50)])
    ids = coco.open().read(0).ids
    assert (ids[box(5, 5, 17, 17)] == 2).all()
    assert (ids[box(0, 0, 40, 50) & ~box(5, 5, 17, 17)] == 1).all()


def test_crowds_are_no_object_and_tiny_objects_are_dropped(coco):
    coco.image([polygon(0, 0, 20, 20)], [polygon(30, 30, 34, 34)])
    coco.image(runs(box(0, 0, 30, 30)), iscrowd=1)
    coco.image([polygon(0, 0, 5, 5)], area=25.0)
    coco.image()
    stills = coco.open()
    assert len(stills) == 1
    np.testing.assert_array_equal(stills.read(0).ids, box(0, 0, 20, 20))
    assert set(np.unique(coco.open(least=10).read(0).ids)) == {0, 1, 2}


def test_an_object_hidden_by_smaller_ones_leaves_no_gap_in_the_ids(coco):
    left, right = polygon(0, 0, 40, 14), polygon(0, 14, 40, 29)
    coco.image([polygon(0, 0, 40, 30)], [right], [left])
    ids = coco.open().read(0).ids
    assert set(np.unique(ids)) == {0, 1, 2}
    assert (ids[:, :14] == 2).all() and (ids[:, 14:29] == 1).all() and not ids[:, 30:].any()


def test_bad_images_are_named_and_passed_over(coco):
    coco.image([polygon(0, 0, 20, 20)])
    size = coco.image([polygon(0, 0, 20, 20)], size=(HEIGHT, WIDTH + 1))
    gone = coco.image([polygon(0, 0, 20, 20)])
    gone.unlink()
    tiny = coco.image([polygon(0, 0, 3, 3)])
    code = coco.image({"size": [HEIGHT, WIDTH]})
    other = coco.image(runs(np.ones((5, 7), bool)))
    stills = StillSet([coco.open()])
    rng = np.random.default_rng(0)
    assert all((stills.draw(rng).image == 10).all() for _ in range(60))
    known = stills.faults.known
    assert set(known) == {str(path) for path in (size, gone, tiny, code, other)}
    assert known[str(size)] == "61 x 40 pixels, annotated as 60 x 40"
    assert known[str(gone)] == "there is no such file"
    assert "no object of 100 pixels" in known[str(tiny)]
    assert "segmentation" in known[str(code)] and "segmentation" in known[str(other)]


def test_folders_and_coco_are_drawn_from_together(coco, tmp_path):
    coco.image([polygon(0, 0, 20, 20)])
    for folder in ("images", "masks"):
        (tmp_path / "plain" / folder).mkdir(parents=True)
    image = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    Image.fromarray(image).save(tmp_path / "plain/images/a.png")
    Image.fromarray(np.uint8(box(0, 0, 9, 9))).save(tmp_path / "plain/masks/a.png")
    stills = StillSet([tmp_path / "plain", coco.open()])
    rng = np.random.default_rng(0)
    assert len(stills) == 2
    assert {int(stills.draw(rng).image[0, 0, 0]) for _ in range(30)} == {10, 200}
    assert (stills[0].image == 200).all() and (stills[1].image == 10).all()


def test_a_worker_that_starts_afresh_reads_the_same(coco):
    coco.image([polygon(2, 3, 12, 18)])
    stills = coco.open()
    again = pickle.loads(pickle.dumps(stills))
    np.testing.assert_array_equal(again.read(0).ids, stills.read(0).ids)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not in COCO's instance format"),
        ({"images": []}, "COCO's instance format.*annotations"),
        ({"images": [], "annotations": [{"segmentation": []}]}, "COCO's instance.*image_id"),
        ({"images": [{"id": 1}], "annotations": [{"image_id": 1, "segmentation": []}]}, "height"),
        ({"images": [], "annotations": []}, "shows no object of 100 pixels"),
    ],
    ids=str,
)
def test_a_file_of_another_format_is_named(coco, content, words):
    coco.write(content)
    with pytest.raises(StillError, match=f"instances.json: .*{words}"):
        CocoStills(coco.root / "instances.json", coco.root / "images")


def test_what_is_not_there_is_named(coco):
    with pytest.raises(StillError, match="gone.json: cannot be read"):
        CocoStills(coco.root / "gone.json", coco.root / "images")
    with pytest.raises(StillError, match="gone: no such folder"):
        CocoStills(coco.root / "instances.json", coco.root / "gone")


def test_the_missing_package_is_named(coco, monkeypatch):
    monkeypatch.setitem(sys.modules, "pycocotools", None)
    with pytest.raises(StillError, match="the package pycocotools"):
        coco.open()
