# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m vos_ros benchmark`: how fast a network and the segmenter are on this machine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from vos_ros.apps.arguments import positive, span
from vos_ros.benchmark.cases import PARTS, PRECISIONS, SETTINGS, parse_comparison
from vos_ros.benchmark.errors import BenchmarkError
from vos_ros.evaluation import environment

if TYPE_CHECKING:
    from vos_ros.benchmark.session import Outcome, Request

CEILING = "ceiling"


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="vos_ros benchmark",
        description="Times networks and the segmenter on this machine, all in turn in one run, "
        "with what the machine can do at best beside them.",
    )
    grid = parser.add_argument_group("what to measure: every combination of")
    grid.add_argument("--what", nargs="+", default=[*PARTS, CEILING], choices=[*PARTS, CEILING],
                      help="the network alone, the segmenter (image in, labels out), and the "
                      "machine's ceiling (default: all)")
    grid.add_argument("--weights", nargs="+", metavar="NAME",
                      help="weight files, names of shipped ones, or names of networks, which are "
                      "measured as published and untrained (default: every shipped file)")
    _add_list(grid, "size", ["640x480", "854x480"], "WxH", "size of the camera image, pixels",
              flag="--sizes")
    _add_list(grid, "objects", ["1", "3"], "N", "objects followed")
    _add_list(grid, "precision", ["fp32", "bf16"], "P",
              f"arithmetic of the network: {', '.join(PRECISIONS)}")
    _add_list(grid, "internal_size", ["288"], "N",
              "short side of the image inside the network, pixels")
    grid.add_argument("--compare", nargs="+", default=[], metavar="SIDE",
                      help="two settings or more to set against each other in every combination, "
                      "such as precision=fp32 precision=bf16, or weights=A,objects=1 "
                      "weights=B,objects=1")
    work = parser.add_argument_group("how")
    work.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 (default: %(default)s)")
    work.add_argument("--threads", type=positive, metavar="N",
                      help="threads of an operation on the CPU (default: the usable cores)")
    work.add_argument("--rounds", type=positive, default=20, metavar="N",
                      help="turns of every combination (default: %(default)s)")
    work.add_argument("--calls", type=positive, default=5, metavar="N",
                      help="timed calls in a turn (default: %(default)s)")
    work.add_argument("--warmup", type=positive, default=5, metavar="N",
                      help="calls before the first round (default: %(default)s)")
    work.add_argument("--seconds", type=span, metavar="S",
                      help="begin no further round after so long (default: no limit)")
    out = parser.add_argument_group("output, beside the table on the terminal")
    out.add_argument("--json", type=Path, metavar="FILE", help="rows, hardware and versions")
    out.add_argument("--markdown", type=Path, metavar="FILE", help="the tables for a document")
    out.add_argument("--figure", type=Path, metavar="PNG",
                     help="time against objects and against image size (png, svg or pdf)")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Returns 0 when everything was measured and 1, with a sentence, when it could not be."""
    args = build_parser().parse_args(argv)
    try:
        _benchmark(args)
    except (BenchmarkError, OSError) as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("benchmark: interrupted", file=sys.stderr)
        return 130
    return 0


def _benchmark(args: argparse.Namespace) -> None:
    request = _request(args)
    writers = _writers(args)
    from vos_ros.benchmark.report import terminal_text
    from vos_ros.benchmark.session import Session

    session = Session(request)
    if session.busy:
        print("benchmark: other work kept this machine busy in the last minute; the figures will "
              "tell of that, too", file=sys.stderr)
    # disable=None: no bar where nobody looks at one, such as in a log file.
    with tqdm(total=session.turns, unit="turn", desc="benchmark", disable=None) as bar:
        outcome = session.run(bar.update)
    print(terminal_text(outcome))
    for path, write in writers:
        write(path, outcome)


def _request(args: argparse.Namespace) -> Request:
    comparison = parse_comparison(args.compare)
    parts = [part for part in PARTS if part in args.what]
    if not parts:
        raise BenchmarkError(f"--what needs one of {', '.join(PARTS)} beside the ceiling")
    choices = {name: [SETTINGS[name](text) for text in getattr(args, name)]
               for name in ("size", "objects", "precision", "internal_size")}
    from vos_ros.benchmark.rotation import LEAST_ROUNDS, Effort
    from vos_ros.benchmark.session import Request
    from vos_ros.weights import shipped_names  # imports PyTorch

    if args.rounds < LEAST_ROUNDS:
        raise BenchmarkError(f"--rounds must be at least {LEAST_ROUNDS}, for a spread")
    return Request(
        choices={**choices, "what": parts, "weights": args.weights or shipped_names()},
        variants=comparison,
        device=args.device,
        threads=args.threads or environment.usable_cores(),
        ceiling=CEILING in args.what,
        effort=Effort(args.rounds, args.calls, args.warmup, args.seconds),
    )


def _writers(args: argparse.Namespace) -> list[tuple[Path, Callable[[Path, Outcome], None]]]:
    """What to write where; fails now rather than after an hour of measuring."""
    from vos_ros.benchmark import figure, report

    wanted = [(args.json, report.write_json), (args.markdown, report.write_markdown),
              (args.figure, figure.write_figure)]
    if args.figure is not None:
        figure.check_figure(args.figure)
    for path, _ in wanted:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise BenchmarkError(f"{path} is a folder; name a file to write")
    return [(path, write) for path, write in wanted if path is not None]


def _add_list(
    group: argparse._ArgumentGroup, name: str, default: list[str], metavar: str, text: str,
    flag: str | None = None,
) -> None:  # fmt: skip
    group.add_argument(flag or "--" + name.replace("_", "-"), dest=name, nargs="+",
                       default=default, metavar=metavar,
                       help=f"{text} (default: {' '.join(default)})")


if __name__ == "__main__":
    sys.exit(main())
