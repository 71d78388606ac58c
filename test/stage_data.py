# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tiny data sets of every kind that a stage may name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from vos_ros.training.stage import Stage

HEIGHT, WIDTH, FRAMES = 64, 96, 6


def stage(data: dict, **entries) -> Stage:
    values = {"model": "gfddal", "network": {}, "data": data, "steps": 4, "size": (32, 64),
              "batch": 2, "lengths": ((0.0, 2),)}  # fmt: skip
    return Stage(**values | entries)


def picture(number: int) -> tuple[np.ndarray, np.ndarray]:
    """A grey that tells the frame, with two squares that move; and their ids."""
    ids = np.zeros((HEIGHT, WIDTH), np.uint8)
    ids[8:40, 6 + 2 * number : 40 + 2 * number] = 1
    ids[24:60, 56:84] = 2
    image = np.full((HEIGHT, WIDTH, 3), 10 + 10 * number, np.uint8)
    image[ids == 1], image[ids == 2] = (200, 60, 60), (60, 200, 60)
    return image, ids


def write(root: Path, kinds: tuple[str, str], frames=FRAMES, binary=False, every=1) -> None:
    """Frames and masks in two folders of `root`."""
    for kind in kinds:
        (root / kind).mkdir(parents=True)
    for number in range(frames):
        image, ids = picture(number)
        Image.fromarray(image).save(root / kinds[0] / f"{number:05d}.png")
        if number % every == 0:
            mask = Image.fromarray(np.uint8(255 * (ids > 0)) if binary else ids)
            mask.save(root / kinds[1] / f"{number:05d}.png")


def davis(root: Path, year: int) -> dict:
    write(root, ("JPEGImages/480p/two", "Annotations/480p/two"), binary=year == 2016)
    lists = root / "ImageSets" / ("480p" if year == 2016 else "2017")
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("two\n")
    return {"layout": f"davis{year}"}


def youtube_vos(root: Path) -> dict:
    write(root / "train", ("JPEGImages/two", "Annotations/two"), frames=16, every=5)
    return {"layout": "youtube_vos"}


def segtrack(root: Path) -> dict:
    write(root, ("JPEGImages/two", "GroundTruth/two"), binary=True)
    return {"layout": "segtrack_v2"}


def folder(root: Path) -> dict:
    write(root, ("JPEGImages/two", "Annotations/two"))
    return {"layout": "folder"}


VIDEOS: dict[str, Callable[[Path], dict]] = {
    "davis2016": lambda root: davis(root, 2016),
    "davis2017": lambda root: davis(root, 2017),
    "youtube_vos": youtube_vos,
    "segtrack_v2": segtrack,
    "folder": folder,
}


def stills(root: Path, *bad: str) -> dict:
    """A folder of stills, some of whose images cannot be read."""
    write(root / "stills", ("images", "masks"))
    for stem in bad:
        (root / "stills/images" / f"{stem}.png").write_bytes(b"no picture")
    return {"folders": ["stills"]}


def coco(root: Path) -> dict:
    write(root / "coco", ("images", "unused"), frames=2)
    corners = [6, 8, 40, 8, 40, 40, 6, 40]
    content = {
        "images": [{"id": n, "file_name": f"{n:05d}.png", "height": HEIGHT, "width": WIDTH}
                   for n in range(2)],
        "annotations": [{"image_id": n, "segmentation": [corners]} for n in range(2)],
    }  # fmt: skip
    (root / "coco/instances.json").write_text(json.dumps(content))
    return {"coco": [{"annotations": "coco/instances.json", "images": "coco/images"}]}
