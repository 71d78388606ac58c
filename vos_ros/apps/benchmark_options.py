# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command line of `benchmark`, and what it asks for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vos_ros.apps.arguments import positive, rate, span
from vos_ros.benchmark.cases import parse_comparison
from vos_ros.benchmark.errors import BenchmarkError
from vos_ros.benchmark.settings import PARTS, PRECISIONS, RUNTIMES, SETTINGS
from vos_ros.evaluation import environment

if TYPE_CHECKING:
    from vos_ros.benchmark.session import Request

CEILING = "ceiling"
_LISTS = ("size", "objects", "precision", "internal_size", "threads", "runtime", "cameras")


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="vos_ros benchmark",
        description="Times networks, the segmenter and the node on this machine, in turn in one "
        "run, with what the machine can do at best beside them.",
    )
    _add_grid(parser.add_argument_group("what to measure: every combination of"))
    _add_effort(parser.add_argument_group("how"))
    out = parser.add_argument_group("output, beside the tables on the terminal")
    out.add_argument("--json", type=Path, metavar="FILE", help="rows, hardware and versions")
    out.add_argument("--markdown", type=Path, metavar="FILE", help="the tables for a document")
    out.add_argument(
        "--figure",
        type=Path,
        metavar="PNG",
        help="time against objects and against image size (png, svg or pdf)",
    )
    return parser


def _add_grid(grid: argparse._ArgumentGroup) -> None:
    grid.add_argument(
        "--what",
        nargs="+",
        default=[*PARTS, CEILING],
        choices=[*PARTS, CEILING],
        help="the network alone, the segmenter (image in, labels out), message "
        "conversion, the node from stamp to mask in processes of their own, the "
        "transport alone, and the machine's ceiling (default: all)",
    )
    grid.add_argument(
        "--weights",
        nargs="+",
        metavar="NAME",
        help="weight files, names of shipped ones, or names of networks, which are "
        "measured as published and untrained (default: every shipped file)",
    )
    _add_list(
        grid,
        "size",
        ["640x480", "854x480"],
        "WxH",
        "size of the camera image, pixels",
        flag="--sizes",
    )
    _add_list(grid, "objects", ["1", "3"], "N", "objects followed")
    _add_list(
        grid,
        "precision",
        ["fp32", "bf16"],
        "P",
        f"arithmetic of the network: {', '.join(PRECISIONS)}",
    )
    _add_list(
        grid, "internal_size", ["288"], "N", "short side of the image inside the network, pixels"
    )
    grid.add_argument(
        "--threads",
        nargs="+",
        default=[str(environment.usable_cores())],
        metavar="N",
        help="threads of an operation on the CPU (default: the usable cores)",
    )
    _add_list(
        grid,
        "runtime",
        ["auto"],
        "R",
        f"what computes the steps: {', '.join(RUNTIMES)}, or auto for the fastest",
    )
    _add_list(grid, "cameras", ["1"], "N", "cameras that one process of the node serves")
    grid.add_argument(
        "--compare",
        nargs="+",
        default=[],
        metavar="SIDE",
        help="two settings or more to set against each other in every combination, "
        "such as precision=fp32 precision=bf16, or weights=A,objects=1 "
        "weights=B,objects=1",
    )


def _add_effort(work: argparse._ArgumentGroup) -> None:
    work.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 (default: %(default)s)")
    work.add_argument(
        "--rounds",
        type=positive,
        default=20,
        metavar="N",
        help="turns of every combination that is called (default: %(default)s)",
    )
    work.add_argument(
        "--calls",
        type=positive,
        default=5,
        metavar="N",
        help="timed calls in a turn (default: %(default)s)",
    )
    work.add_argument(
        "--runs",
        type=positive,
        default=3,
        metavar="N",
        help="turns of every combination that a camera streams to, each with new "
        "processes (default: %(default)s)",
    )
    work.add_argument(
        "--frames",
        type=positive,
        default=150,
        metavar="N",
        help="timed images of such a turn (default: %(default)s)",
    )
    work.add_argument(
        "--rate",
        type=rate,
        default=30.0,
        metavar="HZ",
        help="images a second (default: %(default)s)",
    )
    work.add_argument(
        "--warmup",
        type=positive,
        default=5,
        metavar="N",
        help="calls before the first round, and masks before the first timed image "
        "(default: %(default)s)",
    )
    work.add_argument(
        "--settle",
        type=span,
        default=8.0,
        metavar="S",
        help="seconds that the camera plays, at least, before the first timed image "
        "(default: %(default)s)",
    )
    work.add_argument(
        "--seconds",
        type=span,
        metavar="S",
        help="begin no further round after so long, of calls and of streams each "
        "(default: no limit)",
    )


def _add_list(
    group: argparse._ArgumentGroup, name: str, default: list[str], metavar: str, text: str,
    flag: str | None = None,
) -> None:  # fmt: skip
    group.add_argument(
        flag or "--" + name.replace("_", "-"),
        dest=name,
        nargs="+",
        default=default,
        metavar=metavar,
        help=f"{text} (default: {' '.join(default)})",
    )


def read_request(args: argparse.Namespace) -> Request:
    """What the command line asks for.

    Raises:
        BenchmarkError: something that cannot be measured.
    """
    comparison = parse_comparison(args.compare)
    parts = [part for part in PARTS if part in args.what]
    if not parts:
        raise BenchmarkError(f"--what needs one of {', '.join(PARTS)} beside the ceiling")
    choices = {name: [SETTINGS[name](text) for text in getattr(args, name)] for name in _LISTS}
    from vos_ros.benchmark.calls.rotation import LEAST_ROUNDS, Effort
    from vos_ros.benchmark.session import Request
    from vos_ros.benchmark.streams import StreamEffort
    from vos_ros.weights import shipped_names  # imports PyTorch

    if args.rounds < LEAST_ROUNDS:
        raise BenchmarkError(f"--rounds must be at least {LEAST_ROUNDS}, for a spread")
    return Request(
        choices={**choices, "what": parts, "weights": args.weights or shipped_names()},
        variants=comparison,
        device=args.device,
        ceiling=CEILING in args.what,
        effort=Effort(args.rounds, args.calls, args.warmup, args.seconds),
        streams=StreamEffort(
            args.runs, args.frames, args.warmup, args.settle, args.rate, args.seconds
        ),
    )
