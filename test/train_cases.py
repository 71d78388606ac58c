# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stage of four small steps, the data it is trained on, and what a run of it left behind."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import torch
import yaml
from safetensors import safe_open
from tiny import CONFIG

from vos_ros.apps import train
from vos_ros.training.sources import StageBatches

STAGE = {
    "model": "gfddal",
    "network": CONFIG,
    "data": {
        "stills": {"folders": ["stills"], "weight": 0.5},
        "video": {"root": "davis", "split": "train", "weight": 0.5},
    },
    "size": [32, 64],
    "lengths": [[0.0, 2], [0.5, 3]],
    "batch": 2,
    "steps": 4,
    "unfreeze": 0.5,
    "frozen_stride": 4,
}
"""Where `tiny.add_tiny_backbone` was called."""


def picture(rng):
    """96 x 128, blobs of colour, and the mask of one."""
    image = cv2.resize(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8), (128, 96))
    x, y = (int(v) for v in rng.integers(20, 50, 2))
    mask = np.zeros((96, 128), np.uint8)
    cv2.ellipse(mask, (x + 20, y), (22, 16), 30, 0, 360, 255, -1)
    image[mask > 0] = rng.integers(0, 256, 3)
    return image, mask


def draw_data(root: Path) -> Path:
    """A folder with stills and a video in DAVIS layout."""
    rng = np.random.default_rng(0)
    places = [
        (root / "stills/images", root / "stills/masks"),
        (root / "davis/JPEGImages/480p/square", root / "davis/Annotations/480p/square"),
    ]
    for images, masks in places:
        images.mkdir(parents=True)
        masks.mkdir(parents=True)
        for index in range(4):
            image, mask = picture(rng)
            cv2.imwrite(str(images / f"{index:05d}.jpg"), image)
            cv2.imwrite(str(masks / f"{index:05d}.png"), mask)
    (root / "davis/ImageSets/480p").mkdir(parents=True)
    (root / "davis/ImageSets/480p/train.txt").write_text("square\n")
    return root


def run_train(folder: Path, *options: object, out: str = "out", **entries: object) -> int:
    """Calls `train` with the data in `folder`/data; returns its exit code.

    Entries of `STAGE` may be changed, or taken away (None). Clips are made in this process unless
    the options say otherwise.
    """
    stage = {k: v for k, v in (STAGE | entries).items() if v is not None}
    config = folder / "stage.yaml"
    config.write_text(yaml.safe_dump(stage))
    paths = ["--config", config, "--data", folder / "data", "--out", folder / out]
    return train.main([*map(str, paths), "--workers", "0", *map(str, options)])


def failing_batches(after: int, error: Exception) -> type[StageBatches]:
    """Batches of which so many can be had, counted from the first step; then there is an error."""

    class Failing(StageBatches):
        def __call__(self, step, length):
            for number, batch in enumerate(super().__call__(step, length), step):
                if number == after:
                    raise error
                yield batch

    return Failing


def tensors(path: Path) -> dict[str, torch.Tensor]:
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}


def logged(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
