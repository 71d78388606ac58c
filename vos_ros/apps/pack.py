# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`pack`: a small copy of what stages of training read, to train with on another machine."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vos_ros.apps.arguments import positive, span
from vos_ros.apps.termination import Terminated, terminable
from vos_ros.data.datasets import open_dataset
from vos_ros.data.faults import FaultLog
from vos_ros.data.pack_coco import CocoPart
from vos_ros.data.pack_estimate import Sample
from vos_ros.data.pack_parts import Part, PhotographPart, StillPart, VideoPart
from vos_ros.data.pack_picture import Packing
from vos_ros.data.sequence import SequenceError
from vos_ros.data.stills import StillError
from vos_ros.training.data_entries import check_data, entries_of, video_layout, video_split
from vos_ros.training.pack import Copy, PackError
from vos_ros.training.sources import COMPLETE
from vos_ros.training.stage import StageError, read_stage

_UNUSABLE = (StageError, StillError, SequenceError, PackError, OSError)


def main(argv: Sequence[str] | None = None) -> int:
    """Make the copy.

    Returns:
        0 when it is whole, 128 and the signal's number when SIGINT or SIGTERM interrupted it (the
        same command goes on), 2 when something given was unusable or the copy is larger than the
        limit.
    """
    arguments = _parser().parse_args(argv)
    try:
        packing = Packing(arguments.size, arguments.quality)
    except ValueError as error:
        print(f"pack: {error}", file=sys.stderr)
        return 2
    try:
        with terminable():
            _pack(arguments, packing)
    except _UNUSABLE as error:
        print(f"pack: {error}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, Terminated) as error:
        print("pack: interrupted; the same command goes on from here", file=sys.stderr)
        return 128 + (signal.SIGTERM if isinstance(error, Terminated) else signal.SIGINT)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pack", description=__doc__)
    parser.add_argument(
        "--config", type=Path, nargs="+", required=True, help="the YAML files of the stages"
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="folder that their paths start from"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the copy")
    parser.add_argument(
        "--size", type=positive, default=288, help="longest shorter side, pixels (default: 288)"
    )
    parser.add_argument(
        "--quality", type=positive, default=80, help="of the pictures, 1 to 100 (default: 80)"
    )
    parser.add_argument(
        "--limit", type=span, help="MB that the copy may have; one of more is refused"
    )
    return parser


def _pack(arguments: argparse.Namespace, packing: Packing) -> None:
    faults = FaultLog()
    parts = stage_parts(arguments.config, arguments.data, faults)
    copy = Copy(arguments.data, arguments.out, packing, faults)
    for part in parts:  # what has no place in the copy is told before any is made
        copy.place(part.path(0))
    limit = arguments.limit
    if limit is not None:
        sample = Sample(parts)
        if sum(sample.megabytes(packing)) > limit:
            raise PackError(too_much(parts, sample, packing, limit))
    for part in parts:
        before = copy.bytes
        for size in copy.pack(part):
            if limit is not None and size > 1e6 * limit:
                raise PackError(too_much(parts, sample, packing, limit))
        print(f"{(copy.bytes - before) / 1e6:7.1f} MB  {part.name}", flush=True)
    copy.finish()
    if faults.known:
        print(f"files that could not be used, and are not in the copy: {len(faults.known)}")
    print(f"{copy.bytes / 1e6:7.1f} MB in all, in {arguments.out}")


def stage_parts(configs: Sequence[Path], data: Path, faults: FaultLog) -> list[Part]:
    """The sets that stages read, each once.

    Raises:
        StageError, StillError, SequenceError, PackError: a stage cannot be read, or a set of it.
    """
    parts: dict[tuple[type, str], Part] = {}
    for config in configs:
        stage = read_stage(config)
        check_data(stage.data)
        for part in _parts(stage.data, data, faults):
            if not len(part):
                raise PackError(f"nothing in {part.name} can be used")
            parts.setdefault((type(part), part.name), part)
    return list(parts.values())


def _parts(entries: dict[str, Any], data: Path, faults: FaultLog) -> Iterator[Part]:
    for entry in entries_of(entries, "video"):
        dataset = open_dataset(video_layout(entry), data / entry["root"], video_split(entry))
        yield VideoPart(dataset, faults, complete=video_layout(entry) in COMPLETE)
    for entry in entries_of(entries, "stills"):
        for folder in entry.get("folders", []):
            yield StillPart(data / folder, faults)
        for pair in entry.get("coco", []):
            yield CocoPart(data / pair["annotations"], data / pair["images"], faults)
        if "backgrounds" in entry:
            yield PhotographPart(data / entry["backgrounds"], faults)


def too_much(parts: Sequence[Part], sample: Sample, packing: Packing, limit: float) -> str:
    """That a copy has more than `limit` MB, what takes most of it, and what would help."""
    megabytes = sample.megabytes(packing)
    largest = int(np.argmax(megabytes))
    told = (
        f"the copy would have more than {limit:g} MB, about {sum(megabytes):.0f}; the largest "
        f"part, about {megabytes[largest]:.0f} MB, is {parts[largest].name}"
    )
    ways = [
        f"--size {way.size} --quality {way.quality} (about {size:.0f} MB)"
        for way, size in sample.fitting(packing, limit)
    ]
    if not ways:
        return f"{told}; no size and quality help that are of use: take less data"
    return f"{told}; it would fit with {' or '.join(ways)}, and an --out of its own"


if __name__ == "__main__":
    sys.exit(main())
