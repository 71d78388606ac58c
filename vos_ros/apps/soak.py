# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Drives the real node for a stated time, and does to it what cameras, clocks and clients do wrong.

The node runs in a process of its own and is talked to over DDS, as on a robot. The camera shows
generated scenes; faults come one after the other, in an order that follows from the seed. After
each fault masks must come again, and no call may go unanswered. See docs/soak.md.

The exit status is 0 when every promise was kept, 1 when one was broken or the node had to be
started again, 2 for options that make no soak, and 130 when it was ended before its time.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from vos_ros.apps.arguments import positive, span, whole
from vos_ros.apps.domains import claim_domain
from vos_ros.apps.termination import Terminated, terminable
from vos_ros.figures import check_figure
from vos_ros.ros.environment import complete_environment
from vos_ros.soak.figure import ENDINGS, write_figure
from vos_ros.soak.plan import FAULTS
from vos_ros.soak.report import Report

_WARM_UP = (0.3, 300.0)  # share of the time, and the most seconds, that the memory slope leaves out


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="soak", description="Drive the node for a stated time among faults from a seed."
    )
    add = parser.add_argument
    add("--seconds", type=positive, default=120, help="how long (default: %(default)s)")
    add("--seed", type=whole, default=0, help="of scenes and faults (default: %(default)s)")
    add("--json", type=Path, metavar="FILE", help="where to write the report")
    add(
        "--figure",
        type=Path,
        metavar="FILE",
        help="where to draw memory and latency over time (.png, .svg, .pdf; needs matplotlib)",
    )
    add(
        "--logs",
        type=Path,
        default=Path("out/soak"),
        metavar="DIR",
        help="where to keep what the node says and saves (default: %(default)s)",
    )
    add(
        "--every",
        type=span,
        default=2.5,
        metavar="S",
        help="seconds from fault to fault, in the mean; late ones come as soon as those before "
        "them are over (default: %(default)s)",
    )
    add(
        "--faults",
        nargs="+",
        choices=FAULTS,
        default=list(FAULTS),
        metavar="KIND",
        help=f"only these kinds: {', '.join(FAULTS)}",
    )
    add("--rate", type=positive, default=15, help="images a second (default: %(default)s)")
    add(
        "--patience",
        type=span,
        default=30.0,
        metavar="S",
        help="seconds within which answers and masks must come (default: %(default)s)",
    )
    add("--weights", default="", help="weight file or name (default: the node's)")
    add("--device", default="", help="auto, cpu, cuda or cuda:N (default: the node's)")
    add("--internal-size", type=whole, default=0, help="short side the network sees, in pixels")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a soak; see the module for the exit status."""
    given = build_parser().parse_args(argv)
    report = _new_report(given)
    try:
        if given.figure is not None:
            check_figure(given.figure, ENDINGS)
        given.logs.mkdir(parents=True, exist_ok=True)
        with terminable():
            _soak(given, report)
    except (KeyboardInterrupt, Terminated):
        report.interrupted = True
    except (OSError, ValueError) as error:
        print(f"soak: {error}", file=sys.stderr)
        return 2
    print(report.describe())
    if given.json is not None:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(report.as_json(), indent=1, ensure_ascii=False)
        given.json.write_text(text + "\n", encoding="utf-8")
    if given.figure is not None:
        given.figure.parent.mkdir(parents=True, exist_ok=True)
        write_figure(given.figure, report)
    if report.failed:
        print(f"soak: FAILED; what the node said is in {given.logs}", file=sys.stderr)
        return 1
    return 130 if report.interrupted else 0


def _new_report(given: argparse.Namespace) -> Report:
    node = {
        "weights": given.weights,
        "device": given.device,
        "internal_size": given.internal_size,
    }
    return Report(
        seconds=given.seconds,
        seed=given.seed,
        every=given.every,
        rate=given.rate,
        node={name: value for name, value in node.items() if value},
        warm_up=min(_WARM_UP[0] * given.seconds, _WARM_UP[1]),
    )


def _soak(given: argparse.Namespace, report: Report) -> None:
    os.environ.update(complete_environment(os.environ))
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    # With ROS, so only when there is something to do.
    from vos_ros.apps.soak_run import SoakRun
    from vos_ros.weights import find_weights

    weights = given.logs / "weights.safetensors"
    shutil.copyfile(find_weights(given.weights), weights)
    with claim_domain() as domain:
        os.environ["ROS_DOMAIN_ID"] = str(domain.number)
        patience = given.patience
        with SoakRun(given.logs, report, domain.number, patience, weights=weights) as run:
            run.start()
            run.go_through(given.faults)
