# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command line of `evaluate`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from vos_ros.apps.arguments import positive
from vos_ros.data.datasets import LAYOUTS
from vos_ros.evaluation.pictures import COLUMNS
from vos_ros.evaluation.protocols import PROTOCOLS
from vos_ros.region import DEFAULT_REGION, region_settings


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The options, checked against each other.

    `split` is that of the data set if none is named, `region` the settings of both its options.
    """
    parser = build_parser()
    args = parser.parse_args(argv)
    if args.from_masks and (args.masks_out or args.weights):
        parser.error("--from-masks scores files: --weights and --masks-out do not go with it")
    if args.all_frames and args.dataset != "youtube_vos":
        parser.error("--all-frames goes with --dataset youtube_vos only")
    if args.binary and args.dataset != "folder":
        parser.error("--binary goes with --dataset folder only")
    try:
        args.region = region_settings(args.region_margin, args.region_smallest)
    except ValueError as error:
        parser.error(str(error))
    if args.split is None:
        args.split = LAYOUTS[args.dataset].split
    return args


def build_parser() -> argparse.ArgumentParser:
    """Every option, in the order of the documentation."""
    parser = argparse.ArgumentParser(
        prog="vos_ros evaluate",
        description="Runs a network over the videos of a data set and scores its masks: region "
        "similarity J, contour accuracy F, per object, per sequence and overall, in percent.",
    )
    _add_data(parser.add_argument_group("data"))
    _add_masks(parser.add_argument_group("masks, from a network or from files"))
    _add_work(parser.add_argument_group("work"))
    _add_output(parser.add_argument_group("output"))
    return parser


def _add_data(data: argparse._ArgumentGroup) -> None:
    data.add_argument(
        "--dataset",
        choices=tuple(PROTOCOLS),
        default="davis2016",
        help="protocol to score by, and layout on disk (default: %(default)s)",
    )
    data.add_argument("--root", type=Path, required=True, help="folder of the data set")
    data.add_argument(
        "--split",
        help="list of sequences, such as train, val or test-dev (default: val for "
        "DAVIS, valid for YouTube-VOS, all sequences for the others)",
    )
    data.add_argument(
        "--sequences",
        nargs="+",
        default=[],
        metavar="NAME",
        help="only these sequences of the split",
    )
    data.add_argument(
        "--all-frames",
        action="store_true",
        help="youtube_vos: run on every frame, from SPLIT_all_frames",
    )
    data.add_argument(
        "--binary", action="store_true", help="folder: whatever is not background is one object"
    )
    data.add_argument(
        "--twin",
        action="store_true",
        help="set every frame beside its own mirror image, so that each object has a "
        "double; only the object itself, on the left, is right",
    )


def _add_masks(masks: argparse._ArgumentGroup) -> None:
    masks.add_argument(
        "--weights",
        default="",
        help="weight file, or name of one that ships (default: the shipped default)",
    )
    masks.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 (default: %(default)s)")
    masks.add_argument(
        "--precision",
        choices=("fp32", "bf16", "fp16"),
        default="fp32",
        help="arithmetic of the network (default: %(default)s)",
    )
    masks.add_argument(
        "--runtime",
        choices=("auto", "torch", "openvino", "cudagraphs"),
        default="auto",
        help="what computes the network; on a CPU openvino is about twice as fast, "
        "and taken by auto where it is installed (default: %(default)s)",
    )
    masks.add_argument(
        "--size",
        type=positive,
        default=288,
        help="short side of the image inside the network, pixels (default: %(default)s)",
    )
    masks.add_argument(
        "--region-margin",
        type=float,
        default=DEFAULT_REGION.margin,
        metavar="M",
        help="how many times as large as the objects the region is that the network "
        "sees; 0 shows it the whole image always (default: %(default)s)",
    )
    masks.add_argument(
        "--region-smallest",
        type=float,
        default=DEFAULT_REGION.smallest,
        metavar="SHARE",
        help="smallest share of the image's sides that such a region may have "
        "(default: %(default)s)",
    )
    masks.add_argument(
        "--max-objects",
        type=positive,
        default=255,
        help="refuse a sequence with more objects than this, each of which takes "
        "memory and time (default: %(default)s, as many as there can be)",
    )
    masks.add_argument(
        "--from-masks",
        type=Path,
        metavar="DIR",
        help="score the files DIR/SEQUENCE/FRAME.png; no network runs",
    )


def _add_work(work: argparse._ArgumentGroup) -> None:
    work.add_argument(
        "--workers",
        type=positive,
        default=1,
        help="sequences at a time, each in a process with its own copy of the "
        "network; more than one disturbs the times (default: %(default)s)",
    )
    work.add_argument(
        "--threads",
        type=positive,
        help="processor threads of each worker (default: the usable cores shared "
        "among the workers)",
    )
    work.add_argument(
        "--fresh", action="store_true", help="begin anew where an interrupted run left results"
    )


def _add_output(out: argparse._ArgumentGroup) -> None:
    out.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="write the report; results gather in FILE.partial until it is whole, "
        "and an interrupted run goes on from there",
    )
    out.add_argument(
        "--csv", type=Path, metavar="FILE", help="write a row for each sequence and each object"
    )
    out.add_argument(
        "--masks-out",
        type=Path,
        metavar="DIR",
        help="write masks as palette PNGs, DIR/SEQUENCE/FRAME.png, as the server of "
        "the data set wants them",
    )
    out.add_argument(
        "--contact-sheet",
        type=Path,
        metavar="PNG",
        help=f"draw {COLUMNS} frames of each sequence with their masks",
    )
    out.add_argument(
        "--figure",
        type=Path,
        metavar="PNG",
        help="draw J over time for each sequence (needs matplotlib)",
    )
