# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`average`: the mean of several weight files of one network."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from vos_ros.training.average import mean_network
from vos_ros.weights import WeightsError, find_weights, save_network


def main(argv: Sequence[str] | None = None) -> int:
    """Write the mean; 2 when something given is unusable."""
    arguments = _parser().parse_args(argv)
    try:
        paths = [find_weights(name) for name in arguments.weights]
        network, card = mean_network(paths, dict(map(_change, arguments.set)))
        save_network(arguments.out, network, card)
    except (WeightsError, ValueError, OSError) as error:
        print(f"average: {error}", file=sys.stderr)
        return 2
    print(f"wrote {arguments.out}, the mean of {len(paths)} files")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="average", description=__doc__)
    parser.add_argument(
        "weights", nargs="+", help="weight files, or names of shipped ones, the newest last"
    )
    parser.add_argument("--out", type=Path, required=True, help="the weight file to write")
    parser.add_argument(
        "--set",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help="arguments of the network to change, such as memory_interval=5",
    )
    return parser


def _change(text: str) -> tuple[str, object]:
    name, given, value = text.partition("=")
    if not given or not name:
        raise ValueError(f"--set takes NAME=VALUE, not {text!r}")
    try:
        return name, yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ValueError(f"--set {text}: {value!r} is not a value") from error
