# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measures whether objects that were out of view are taken up again, and keep their ids."""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vos_ros.apps.arguments import positive, whole


def main(argv: Sequence[str] | None = None) -> int:
    """Returns 0 when all clips were gone through and 1, with a sentence, when they could not be."""
    args = _parser().parse_args(argv)
    # Imported here, so that --help does not wait for PyTorch.
    from vos_ros.evaluation.gaps import WAYS, GapClip
    from vos_ros.evaluation.pairs import WAYS as PAIR_WAYS
    from vos_ros.evaluation.pairs import PairClip
    from vos_ros.evaluation.returns import WITHOUT_MEMORY, Return, follow, summary
    from vos_ros.evaluation.returns_figure import ENDINGS, write_figure
    from vos_ros.evaluation.swaps import Swap, Unwatched
    from vos_ros.evaluation.swaps import follow as follow_pair
    from vos_ros.evaluation.swaps import summary as pair_summary
    from vos_ros.figures import check_figure
    from vos_ros.segmenter import VideoSegmenter
    from vos_ros.weights import DEFAULT_WEIGHTS, WeightsError, find_weights, load_network

    earlier: list[dict[str, Any]] = []
    try:
        if args.figure is not None:
            check_figure(args.figure, ENDINGS)
        if args.against is not None:
            earlier = _clips_of(args.against)
        network, _ = load_network(find_weights(args.weights))
    except (WeightsError, OSError, ValueError) as error:
        print(f"returns: {error}", file=sys.stderr)
        return 1
    kind = Unwatched if args.before else VideoSegmenter
    segmenter = kind(
        network,
        device=args.device,
        precision=args.precision,
        size=args.size,
        presence=WITHOUT_MEMORY if args.before else None,
    )
    found: list[Return] = []
    for way, look_alike in itertools.product(WAYS, (False, True)):
        clips = [
            GapClip(way, gap, look_alike, seed)
            for gap, seed in itertools.product(args.gaps, range(args.seeds))
        ]
        results = [follow(segmenter, clip) for clip in clips]
        found += results
        beside = "look-alike" if look_alike else "alone"
        told = dataclasses.asdict(summary(results))
        print(f"{way}, {beside}:", json.dumps(told), flush=True)
    pairs: list[Swap] = []
    for way, alike in itertools.product(PAIR_WAYS, (False, True)):
        swaps = [follow_pair(segmenter, PairClip(way, alike, k)) for k in range(args.pairs)]
        pairs += swaps
        if swaps:
            told = dataclasses.asdict(pair_summary(swaps))
            what = "the same" if alike else "of one make"
            print(f"two {what}, {way}:", json.dumps(told), flush=True)
    if args.json is not None:
        report = {"weights": args.weights, "size": args.size, "precision": args.precision}
        report["before"] = args.before
        report["clips"] = [dataclasses.asdict(one) for one in found]
        report["pairs"] = [dataclasses.asdict(one) for one in pairs]
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if args.figure is not None:
        title = f"{args.weights or DEFAULT_WEIGHTS}, {args.size} pixels, {args.precision}"
        title = f"{title}, {args.seeds} clips a point"
        write_figure(args.figure, title, [dataclasses.asdict(one) for one in found], earlier)
    return 0


def _clips_of(path: Path) -> list[dict[str, Any]]:
    """The clips of an earlier report; ValueError when it is none."""
    try:
        return list(json.loads(path.read_text(encoding="utf-8"))["clips"])
    except (ValueError, LookupError, TypeError) as error:
        raise ValueError(f"{path} is no report of `returns --json` ({error})") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="returns", description=__doc__)
    parser.add_argument("--weights", default="", help="a shipped name or a file; the default's")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="bf16", choices=("fp32", "bf16", "fp16"))
    parser.add_argument("--size", type=positive, default=144, help="short side seen, pixels")
    parser.add_argument("--gaps", type=positive, nargs="+", default=[1, 3, 10, 30, 100],
                        help="frames out of view")  # fmt: skip
    parser.add_argument("--seeds", type=positive, default=4, help="clips of each kind and gap")
    parser.add_argument("--pairs", type=whole, default=4,
                        help="clips of each kind of two objects of one make")  # fmt: skip
    parser.add_argument("--before", action="store_true",
                        help="by scores alone, as if nothing were remembered of presence, nor of "
                             "which object is which")  # fmt: skip
    parser.add_argument("--json", type=Path, help="where every clip's result goes")
    parser.add_argument("--figure", type=Path, help="where a figure goes (needs matplotlib)")
    parser.add_argument("--against", type=Path, metavar="JSON",
                        help="an earlier report, drawn dashed beside this one")  # fmt: skip
    return parser


if __name__ == "__main__":
    sys.exit(main())
