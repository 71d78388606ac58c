# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Stills from a data set in COCO's instance format: one JSON file and a folder of images.

    {"images": [{"id", "file_name", "height", "width"}, ...],
     "annotations": [{"image_id", "segmentation", "iscrowd"?, "area"?}, ...]}

A segmentation is a list of polygons or a run-length code. Categories are not looked at: an object
to be followed may be anything.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from vos_ros.data.clip import closing_up
from vos_ros.data.stills import Still, StillError, read_image

MOST = 254  # objects in one image; ids have 8 bits, and 255 means void elsewhere

FORMAT = (
    "not in COCO's instance format: every image needs id, file_name, height and width, every "
    "annotation image_id and segmentation"
)


@dataclass(frozen=True)
class _Entry:
    """One image: its file, its size, and its segmentations as packed JSON.

    Unpacked, those of COCO's training set would take gigabytes in every process that reads them.
    """

    file_name: str
    size: tuple[int, int]
    packed: bytes


class CocoStills:
    """The images that show an object, by number, in the order of the JSON file.

    Ids 1..n go from the largest object to the smallest, which is drawn over it where both claim a
    pixel. Regions annotated as crowds are no object.
    """

    def __init__(self, annotations: Path | str, images: Path | str, least: int = 100) -> None:
        """Raises StillError for a file that is not of this format, or shows no object.

        annotations: the JSON file. images: the folder that its file names start from. least: fewest
        visible pixels of an object; smaller ones become background.
        """
        mask_tools()  # what is missing is told at once
        self._images, self.least = Path(images), least
        if not self._images.is_dir():
            raise StillError("no such folder; it must hold the images of a COCO file", images)
        try:
            content = json.loads(Path(annotations).read_bytes())
        except OSError as error:
            raise StillError(f"cannot be read ({error.strerror})", annotations) from error
        except (ValueError, RecursionError) as error:
            raise StillError(f"not JSON ({error})", annotations) from error
        try:
            self._entries = list(_entries(content, least))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise StillError(f"{FORMAT} ({error!r})", annotations) from error
        if not self._entries:
            raise StillError(f"shows no object of {least} pixels or more", annotations)

    def __len__(self) -> int:
        return len(self._entries)

    def path(self, index: int) -> Path:
        """Of an image."""
        return self._images / self._entries[index].file_name

    def read(self, index: int) -> Still:
        """Image and ids. Raises StillError with the image's path."""
        entry, path = self._entries[index], self.path(index)
        image = read_image(path)
        if image.shape[:2] != entry.size:
            (height, width), wanted = image.shape[:2], entry.size
            what = f"{width} x {height} pixels, annotated as {wanted[1]} x {wanted[0]}"
            raise StillError(what, path)
        ids = self._ids(entry, path)
        if not ids.any():
            raise StillError(f"no object of {self.least} pixels or more", path)
        return Still(image, ids)

    def _ids(self, entry: _Entry, path: Path) -> np.ndarray:
        masks = []
        for segmentation in json.loads(zlib.decompress(entry.packed)):
            try:
                masks.append(_decoded(segmentation, *entry.size))
            except Exception as error:  # whatever pycocotools, or C below it, makes of it
                raise StillError(f"a segmentation cannot be used ({error!r})", path) from error
        masks.sort(key=np.count_nonzero, reverse=True)
        ids = np.zeros(entry.size, np.uint8)
        for number, mask in enumerate(masks[:MOST], 1):
            ids[mask] = number
        return closing_up(ids, self.least)[ids]


def _entries(content: Any, least: int) -> Iterator[_Entry]:
    """The images of a COCO file that may show an object."""
    by_image: dict[Any, list[Any]] = {}
    for annotation in content["annotations"]:
        if not annotation.get("iscrowd", 0) and annotation.get("area", least) >= least:
            by_image.setdefault(annotation["image_id"], []).append(annotation["segmentation"])
    for image in content["images"]:
        found = by_image.get(image["id"])
        if found:
            packed = zlib.compress(json.dumps(found).encode(), 1)
            size = int(image["height"]), int(image["width"])
            yield _Entry(str(image["file_name"]), size, packed)


def _decoded(segmentation: list[Any] | dict[str, Any], height: int, width: int) -> np.ndarray:
    """A segmentation as H x W bool."""
    tools = mask_tools()
    if isinstance(segmentation, list):
        # Two corners are no area, and pycocotools would take them for a box.
        polygons = [polygon for polygon in segmentation if len(polygon) >= 6]
        if not polygons:
            return np.zeros((height, width), bool)
        code = tools.merge(tools.frPyObjects(polygons, height, width))
    elif isinstance(segmentation["counts"], list):
        code = tools.frPyObjects(segmentation, height, width)
    else:
        code = {"size": segmentation["size"], "counts": segmentation["counts"].encode()}
    mask = tools.decode(code).astype(bool)
    if mask.shape != (height, width):
        raise ValueError(f"it is for {mask.shape[1]} x {mask.shape[0]} pixels")
    return mask


def mask_tools() -> ModuleType:
    """pycocotools' module of masks; raises StillError where it is not installed."""
    try:
        from pycocotools import mask
    except ImportError as error:
        what = "COCO annotations need the package pycocotools (pip install pycocotools)"
        raise StillError(what) from error
    return mask
