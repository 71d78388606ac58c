# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""COCO's instances, to be packed with what their file tells of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from vos_ros.data.coco import CocoStills, mask_tools
from vos_ros.data.faults import FaultLog
from vos_ros.data.pack_parts import SourcePart
from vos_ros.data.pack_picture import Picture
from vos_ros.data.stills import Still


class CocoPart(SourcePart[CocoStills]):
    """A file of COCO's instance format, and the pictures in it that show an object.

    Objects that come below the least size of one as they shrink are background in the copy.
    """

    told = True

    def __init__(self, annotations: Path, images: Path, faults: FaultLog) -> None:
        """Raises StillError as `CocoStills`."""
        super().__init__(annotations, CocoStills(annotations, images), faults)
        self._annotations, self._images = annotations, images
        self._kept: dict[str, list[Any]] = {"images": [], "annotations": []}

    def picture(self, index: int, still: Still) -> Picture:
        """See `SourcePart`; what it shows goes into the annotations."""
        return Picture(self.path(index), still.image, ids=still.ids)

    def keep(self, index: int, picture: Picture | None, name: str) -> bool:
        """Put down the objects, unless all have become too small."""
        assert picture is not None and picture.ids is not None  # being told, it has every picture
        areas = np.bincount(picture.ids.ravel(), minlength=256)
        shown = [int(k) for k in np.flatnonzero(areas) if k and areas[k] >= self.stills.least]
        if not shown:
            return False
        height, width = picture.ids.shape
        file_name = str(self.path(index).relative_to(self._images).with_name(name))
        image = {"id": index, "file_name": file_name, "height": height, "width": width}
        self._kept["images"].append(image)
        for k in shown:
            self._kept["annotations"].append(
                {"image_id": index, "segmentation": _run_lengths(picture.ids == k)}
            )
        return True

    def closing(self) -> dict[Path, bytes]:
        """The file of annotations, of what was kept, for the pictures at their new sizes."""
        return {self._annotations: json.dumps(self._kept, separators=(",", ":")).encode()}


def _run_lengths(mask: np.ndarray) -> dict[str, Any]:
    """H x W bool in COCO's compressed run lengths."""
    code = mask_tools().encode(np.asfortranarray(mask, np.uint8))
    return {"size": list(mask.shape), "counts": code["counts"].decode()}
