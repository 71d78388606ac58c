#!/usr/bin/env python3
# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Draw the moving picture of the README: the demo's clip, followed, as an animated WebP or GIF.

It begins with the frame that the mask is given on. Every frame of the clip is followed; a part of
them is shown. Needs no ROS. The clip is Big Buck Bunny (config/demo/README.md): whoever shows the
picture names it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from vos_ros.apps import demo_clip  # noqa: E402
from vos_ros.data.image_files import read_labels  # noqa: E402
from vos_ros.data.video import VideoReader  # noqa: E402
from vos_ros.drawing import draw_overlay  # noqa: E402
from vos_ros.segmenter import VideoSegmenter  # noqa: E402
from vos_ros.weights import find_weights, load_network  # noqa: E402

RATE = 25.0  # Hz, of the clip
HOLD = 1000  # ms that the given mask is shown


def drawn(precision: str, size: int, runtime: str) -> Iterator[np.ndarray]:
    """Yield the overlay of every frame from the one of the mask on, RGB."""
    network, _ = load_network(find_weights())
    segmenter = VideoSegmenter(network, precision=precision, size=size, runtime=runtime)
    names = dict(enumerate(demo_clip.DEFAULT_NAMES, 1))
    for number, frame in enumerate(VideoReader(demo_clip.default_video())):
        if number < demo_clip.DEFAULT_START:
            continue
        image = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        if number == demo_clip.DEFAULT_START:
            labels = read_labels(ROOT / demo_clip.DEFAULT_MASK)
            segmenter.start(image, labels)
            yield draw_overlay(image, labels, names={i: f"{n}: given" for i, n in names.items()})
        else:
            result = segmenter.step(image)
            yield draw_overlay(image, result.labels, result.objects, names=names)


def main() -> int:
    """Write the picture and tell its size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs/figures/demo.webp")
    parser.add_argument("--width", type=int, default=640, help="pixels")
    parser.add_argument("--every", type=int, default=2, help="show one of so many frames")
    parser.add_argument("--quality", type=int, default=60, help="of WebP, 0 to 100")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="bf16")
    parser.add_argument("--size", type=int, default=432, help="internal size, pixels")
    parser.add_argument("--runtime", default="auto", help="auto, torch or openvino")
    parser.add_argument("--frames", type=int, help="follow only so many, to try it out")
    given = parser.parse_args()
    shown = []
    pictures = drawn(given.precision, given.size, given.runtime)
    for number, picture in enumerate(islice(pictures, given.frames)):
        if number % given.every == 0:
            height = round(given.width * picture.shape[0] / picture.shape[1])
            small = cv2.resize(picture, (given.width, height), interpolation=cv2.INTER_AREA)
            shown.append(Image.fromarray(small))
    pause = round(1000 * given.every / RATE)
    times = [HOLD, *[pause] * (len(shown) - 2), HOLD]
    shown[0].save(
        given.out, save_all=True, append_images=shown[1:], duration=times, loop=0,
        **({"quality": given.quality, "method": 6} if given.out.suffix == ".webp" else {}),
    )  # fmt: skip
    print(f"{len(shown)} frames in {given.out}, {given.out.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
