# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures of what a network computes on a clip: matches, posteriors, distances, attention, masks.

    python -m vos_ros explain                                  # both networks, the demo's clip
    python -m vos_ros explain --video my.mp4 --mask first.png --frames 10 20 30 --model gfddal

Neither ROS nor a screen is needed. The network runs as in the node, but by PyTorch in float32, and
its own tensors are shown.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vos_ros.apps.arguments import positive, whole
from vos_ros.apps.demo_clip import ClipError, DemoClip, choose_clip, resize_labels
from vos_ros.apps.node_options import OptionError
from vos_ros.data.image_files import ImageFileError
from vos_ros.data.video import VideoError
from vos_ros.explain.errors import ExplainError
from vos_ros.masks import SegmentationError
from vos_ros.region import DEFAULT_REGION, region_settings
from vos_ros.weights import SHIPPED_WEIGHTS, WeightsError, find_weights, load_network

if TYPE_CHECKING:
    from vos_ros.explain.scene import Viewing

#: frames that are shown where none is named, equally far apart
_SHOWN = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Write the figures; 2, with a sentence, for what cannot be used, 1 for what goes wrong."""
    given = _parser().parse_args(argv)
    try:
        clip = choose_clip(given.video, given.mask, (), given.start, {})
        viewing = _viewing(given, clip)
    except (ClipError, VideoError, ImageFileError, OptionError) as error:
        print(f"explain: {error}", file=sys.stderr)
        return 2
    try:
        for weights in _weights(given):
            _explain(given, weights, clip, viewing)
    except (WeightsError, OptionError) as error:
        print(f"explain: {error}", file=sys.stderr)
        return 2
    except (ExplainError, SegmentationError, VideoError) as error:
        print(f"explain: {error}", file=sys.stderr)
        return 1
    return 0


def _explain(given: argparse.Namespace, weights: str, clip: DemoClip, viewing: Viewing) -> None:
    from vos_ros.explain.explanation import explained, write_figures
    from vos_ros.explain.figure import need_matplotlib

    need_matplotlib()
    path = find_weights(weights)
    network, card = load_network(path)
    if viewing.size < network.stride:
        raise OptionError(f"the size must be at least {network.stride} pixels, not {viewing.size}")
    found = explained(network, _frames(clip), _first_mask(clip), viewing)
    name = viewing.names.get(viewing.object_id)
    called = f"object {viewing.object_id}" + (f" ({name})" if name else "")
    about = (
        f"{path.stem}, {called} of '{clip.reader.path.name}', mask given at frame {clip.start}, "
        f"short side {viewing.size} pixels, float32"
    )
    for file in write_figures(given.out, card.model, found, about, given.format):
        print(f"wrote {file}")


def _weights(given: argparse.Namespace) -> list[str]:
    if given.weights:
        return [given.weights]
    return [SHIPPED_WEIGHTS[given.model]] if given.model else list(SHIPPED_WEIGHTS.values())


def _viewing(given: argparse.Namespace, clip: DemoClip) -> Viewing:
    from vos_ros.explain.scene import Viewing

    object_id = given.object or clip.ids[0]
    if object_id not in clip.ids:
        held = ", ".join(map(str, clip.ids))
        raise OptionError(f"the mask '{clip.mask_path}' holds no object {object_id}, but {held}")
    wanted = tuple(sorted(set(given.frames))) or _spread(clip)
    if wanted[0] <= clip.start:
        raise OptionError(
            f"frame {wanted[0]} is not after frame {clip.start}, which the mask belongs to and "
            "with which the network begins: name later ones with --frames"
        )
    if clip.reader.count and wanted[-1] >= clip.reader.count:
        raise OptionError(
            f"the clip '{clip.reader.path}' has {clip.reader.count} frames, counted from 0: there "
            f"is no frame {wanted[-1]}"
        )
    try:
        region = region_settings(given.region_margin, DEFAULT_REGION.smallest)
    except ValueError as error:
        raise OptionError(str(error)) from error
    return Viewing(wanted, object_id, given.size, region, clip.names)


def _spread(clip: DemoClip) -> tuple[int, ...]:
    """Frames after the first, equally far apart to the end."""
    last = clip.reader.count - 1
    if last <= clip.start:
        raise OptionError(
            f"it is not known how many frames '{clip.reader.path}' has after frame {clip.start}: "
            "name some with --frames"
        )
    steps = min(_SHOWN, last - clip.start)
    return tuple(clip.start + (last - clip.start) * (n + 1) // steps for n in range(steps))


def _frames(clip: DemoClip) -> Iterator[tuple[int, np.ndarray]]:
    for number, frame in enumerate(clip.reader):
        if number >= clip.start:
            yield number, np.ascontiguousarray(frame[..., ::-1])


def _first_mask(clip: DemoClip) -> np.ndarray:
    return resize_labels(clip.labels, clip.reader.width, clip.reader.height)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="explain", description="Draw what a network computes on a clip, part by part."
    )
    add = parser.add_argument
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--model", choices=tuple(SHIPPED_WEIGHTS), default="",
        help="a network with its shipped weights (default: each of them)",
    )  # fmt: skip
    which.add_argument(
        "--weights", default="", metavar="NAME", help="a weight file, or the name of a shipped one"
    )
    add("--video", default="", help="file or folder of frames (default: the demo's clip)")
    add("--mask", default="", help="PNG with the first mask; pixel values are object ids")
    add("--start", type=whole, metavar="N",
        help="the frame that the mask belongs to, counted from 0 (default: the first)")  # fmt: skip
    add("--frames", "--frame", type=whole, nargs="+", default=[], metavar="N",
        help="frames to show, a row each (default: three, to the end)")  # fmt: skip
    add("--object", type=positive, default=0, metavar="ID",
        help="the object to show; all are followed (default: the least id)")  # fmt: skip
    add("--size", type=positive, default=288, metavar="PIXELS",
        help="short side of what the network sees (default: %(default)s)")  # fmt: skip
    add("--region-margin", type=float, default=DEFAULT_REGION.margin, metavar="TIMES",
        help="how closely to look; 0: always the whole image (default: %(default)s)")  # fmt: skip
    add("--format", choices=("png", "jpg", "pdf", "svg"), default="png",
        help="of the figures (default: %(default)s)")  # fmt: skip
    add("--out", type=Path, default=Path("out/explain"), metavar="FOLDER",
        help="where to write (default: %(default)s)")  # fmt: skip
    return parser


if __name__ == "__main__":
    sys.exit(main())
