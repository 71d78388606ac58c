# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m vos_ros benchmark`: how fast network, segmenter and node are on this machine."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from vos_ros.apps.benchmark_options import build_parser, read_request
from vos_ros.apps.domains import claim_domain
from vos_ros.apps.termination import Terminated, terminable
from vos_ros.benchmark.errors import BenchmarkError
from vos_ros.figures import check_figure
from vos_ros.ros.environment import complete_environment, keep_large_blocks

if TYPE_CHECKING:
    from vos_ros.benchmark.session import Means, Outcome, Request

_WITHOUT_ROS = frozenset({"network", "segmenter"})


def main(argv: Sequence[str] | None = None) -> int:
    """Returns 0 when everything was measured and 1, with a sentence, when it could not be."""
    args = build_parser().parse_args(argv)
    try:
        with terminable(), ExitStack() as stack:
            _benchmark(args, stack)
    except (BenchmarkError, OSError) as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, Terminated):
        return _interrupted()
    except SystemError as error:
        # Its cause is what a signal raised while compiled code of rclpy made a message.
        if not isinstance(error.__cause__, (KeyboardInterrupt, Terminated)):
            raise
        return _interrupted()
    return 0


def _interrupted() -> int:
    print("benchmark: interrupted", file=sys.stderr)
    return 130


def _benchmark(args: argparse.Namespace, stack: ExitStack) -> None:
    request = read_request(args)
    writers = _writers(args)
    from vos_ros.benchmark.output.report import terminal_text
    from vos_ros.benchmark.session import Session

    session = Session(request, _means(request, stack))
    if session.busy:
        print(
            "benchmark: other work kept this machine busy in the last minute; the figures will "
            "tell of that, too",
            file=sys.stderr,
        )
    # disable=None: no bar where nobody looks at one, such as in a log file.
    with tqdm(total=session.turns, unit="turn", desc="benchmark", disable=None) as bar:
        outcome = session.run(bar.update)
    print(terminal_text(outcome))
    for path, write in writers:
        write(path, outcome)
    if outcome.problem:
        raise BenchmarkError(outcome.problem)


def _means(request: Request, stack: ExitStack) -> Means:
    """Of measuring what needs ROS, as far as that is asked for."""
    from vos_ros.benchmark.session import Means

    sides = (request.variants or {}).values()
    asked = {*request.choices["what"], *(side["what"] for side in sides if "what" in side)}
    if asked <= _WITHOUT_ROS:
        return Means()
    os.environ.update(complete_environment(os.environ))
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    keep_large_blocks()  # as those who take masks do
    try:
        from vos_ros.apps.benchmark_conversion import conversion_work
        from vos_ros.apps.benchmark_run import StreamMeter
    except ImportError as error:
        raise BenchmarkError(
            f"there is no Python package '{error.name}': without ROS 2 only "
            f"{' and '.join(sorted(_WITHOUT_ROS))} can be measured; name them with --what"
        ) from error
    domain = stack.enter_context(claim_domain()).number
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vos_benchmark_")))
    meter = StreamMeter(domain, request.device, request.streams, folder)
    return Means({"conversion": conversion_work}, meter.check, meter.run)


def _writers(args: argparse.Namespace) -> list[tuple[Path, Callable[[Path, Outcome], None]]]:
    """What to write where; fails now rather than after an hour of measuring."""
    from vos_ros.benchmark.output import figure, report

    wanted = [
        (args.json, report.write_json),
        (args.markdown, report.write_markdown),
        (args.figure, figure.write_figure),
    ]
    if args.figure is not None:
        try:
            check_figure(args.figure, figure.ENDINGS)
        except ValueError as error:
            raise BenchmarkError(str(error)) from error
    for path, _ in wanted:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise BenchmarkError(f"{path} is a folder; name a file to write")
    return [(path, write) for path, write in wanted if path is not None]


if __name__ == "__main__":
    sys.exit(main())
