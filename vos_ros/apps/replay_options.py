# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command line of `replay`."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vos_ros.apps.arguments import rate, whole
from vos_ros.data.image_files import read_labels
from vos_ros.masks import ids_of
from vos_ros.recordings.errors import RecordingError
from vos_ros.ros.parameters import BY_NAME, Settings, show

#: the node's parameters that masks depend on
PARAMETERS = (
    "model", "weights", "device", "precision", "runtime", "internal_size", "region_margin",
    "region_smallest", "max_objects", "threads", "presence_appear", "presence_vanish",
    "presence_minimum_area",
)  # fmt: skip

KEPT = ("images", "all", "none")


@dataclass(frozen=True)
class Options:
    """The command line, read and checked; see `parser` for the meaning of each."""

    bag: Path
    topic: str
    labels: np.ndarray | None  # H x W uint8; None only where the first frame is to be written
    names: dict[int, str]  # of all objects or of none
    stamp: str
    frame: int
    first_frame: Path | None
    out: Path | None
    node: str  # its name, without a leading slash
    keep: str  # one of KEPT
    settings: Settings
    rate: float  # 0: offline
    image: str


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    built = argparse.ArgumentParser(
        prog="replay",
        description="Follow objects through the images of a rosbag2 (MCAP or SQLite): offline,"
        " every image and always with the same masks, or with --rate through a running node.",
    )
    add = built.add_argument
    add("bag", type=Path, help="the bag's folder, or its .mcap or .db3 file")
    add("--mask", default="", metavar="PNG", help="mask to begin with; pixel values are object ids")
    add("--names", nargs="+", default=[], help="names of the objects, by ascending id")
    add("--topic", default="", help="topic of the images (default: the only one with images)")
    at = built.add_mutually_exclusive_group().add_argument
    at("--frame", type=whole, default=0, help="number of the mask's image (default: 0)")
    at("--stamp", default="", help="its stamp, SECONDS.NANOSECONDS, or how that begins")
    add("--first-frame", type=Path, metavar="PNG", help="only write that image, to draw on")
    add("--out", type=Path, metavar="BAG", help="new bag for the masks (default: NAME_masks)")
    add("--keep", choices=KEPT, default="images", help="what is copied there (default: images)")
    add("--node", default="vos", help="name of the node, of which the topics are (default: vos)")
    live = built.add_argument_group("through a running node").add_argument
    live("--rate", type=rate, default=0.0, help="pace: 1 as recorded, 0.5 half as fast")
    live("--image", default="image", help="topic to publish on (default: image)")
    own = built.add_argument_group("offline, as the node's parameters of the same names")
    for name in PARAMETERS:
        parameter = BY_NAME[name]
        own.add_argument(
            _option(name),
            type=parameter.type,
            metavar=parameter.type.__name__.upper(),
            help=f"{parameter.description} Default: {show(parameter.default)}".replace("%", "%%"),
        )
    return built


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def read_options(given: argparse.Namespace) -> Options:
    """Check the command line.

    Raises:
        RecordingError, ImageFileError: with a sentence.
    """
    labels = read_labels(given.mask) if given.mask else None
    if labels is None and given.first_frame is None:
        raise RecordingError(
            "no mask was given. --mask names a PNG of the first image's size whose pixels are 0"
            " for the background and any number from 1 to 255 for an object; --first-frame"
            " first.png writes the image to draw on"
        )
    if given.first_frame is not None and given.first_frame.exists():
        raise RecordingError(f"'{given.first_frame}' is there already and is not replaced")
    chosen = {name: getattr(given, name) for name in PARAMETERS}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    if chosen and given.rate:
        raise RecordingError(
            f"{_option(next(iter(chosen)))} is for offline replay; with --rate the running node"
            " has its own parameters"
        )
    problems = filter(None, (BY_NAME[name].problem(value) for name, value in chosen.items()))
    for problem in problems:
        raise RecordingError(problem)
    out = given.out
    if out is None and not given.rate:
        out = Path(f"{given.bag.resolve().stem}_masks")
    return Options(
        bag=given.bag,
        topic=given.topic,
        labels=labels,
        names=_names(labels, given.names),
        stamp=given.stamp,
        frame=given.frame,
        first_frame=given.first_frame,
        out=out,
        node=given.node.strip("/"),
        keep=given.keep,
        settings=Settings(**chosen),
        rate=given.rate,
        image=given.image,
    )


def _names(labels: np.ndarray | None, names: list[str]) -> dict[int, str]:
    if labels is None or not names:
        return {}
    ids = ids_of(labels)
    if len(names) != len(ids):
        raise RecordingError(f"{len(ids)} objects need as many names, not {len(names)}")
    return dict(zip(ids, names, strict=True))
