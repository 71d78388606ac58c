# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`export`: a weight file as a pair of ONNX files, for programs without PyTorch."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vos_ros.apps.arguments import positive
from vos_ros.benchmark.errors import BenchmarkError
from vos_ros.benchmark.film import Film, make_film
from vos_ros.benchmark.settings import Size
from vos_ros.export.errors import ExportError
from vos_ros.export.packages import RUNNING, WRITING, need_packages
from vos_ros.export.settings import (
    DEFAULT_OPSET,
    OPSETS,
    START_FILE,
    STEP_FILE,
    ExportSettings,
)
from vos_ros.models.state import SegmentationNetwork
from vos_ros.weights import DEFAULT_WEIGHTS, WeightsError, find_weights, load_network

if TYPE_CHECKING:
    from vos_ros.export.pair import OnnxPair

#: frames of the clip that files are checked on, the first included
_FRAMES = 32
#: what is checked where the number of objects is open
_COUNTS = (1, 3)


def main(argv: Sequence[str] | None = None) -> int:
    """Export; 1 when the files do not do what the network does, 2 when something is unusable."""
    args = _parser().parse_args(argv)
    height, width = args.size
    settings = ExportSettings(height, width, objects=args.objects, opset=args.opset)
    try:
        need_packages(WRITING + RUNNING * args.check)
        # Imported here, since it imports packages that are not installed everywhere.
        from vos_ros.export.pair import OnnxPair

        path = find_weights(args.weights)
        network, card = load_network(path)
        settings.check(network.stride)
        films = _films(settings) if args.check else []
        args.out.mkdir(parents=True, exist_ok=True)
        pair = OnnxPair.of(network, card, path.stem, settings)
        if not _checked(network, pair, films):
            print("export: the files differ from the network; nothing was written", file=sys.stderr)
            return 1
        pair.write(args.out)
    except (ExportError, WeightsError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"export: {args.out} cannot be written to: {error.strerror}", file=sys.stderr)
        return 2
    _report(args.out, settings)
    return 0


def _films(settings: ExportSettings) -> list[Film]:
    """What the files are checked on, one film for each number of objects."""
    size = Size(settings.width, settings.height)
    counts = _COUNTS if settings.objects is None else (settings.objects,)
    try:
        return [make_film(size, count, _FRAMES) for count in counts]
    except BenchmarkError as error:
        raise ExportError(f"{error}; give --no-check, or a larger --size") from error


def _checked(network: SegmentationNetwork[Any, Any], pair: OnnxPair, films: Sequence[Film]) -> bool:
    """Whether ONNX Runtime does with the files what PyTorch does; the figures are printed."""
    if not films:
        return True
    from vos_ros.export.comparison import compare

    good = True
    for film in films:
        agreement = compare(network, pair, film.frames, film.mask)
        print(f"check: {agreement}")
        good = good and agreement.good
    return good


def _report(out: Path, settings: ExportSettings) -> None:
    for path in (out / START_FILE, out / STEP_FILE):
        print(f"wrote {path}, {path.stat().st_size / 1e6:.1f} MB")
    count = "any number of" if settings.objects is None else settings.objects
    print(f"for images {settings.height} pixels high and {settings.width} wide, {count} objects")


def _parser() -> argparse.ArgumentParser:
    default = ExportSettings()
    parser = argparse.ArgumentParser(
        prog="vos_ros export",
        description="Writes a network as two ONNX files: start.onnx, from an image and masks to a "
        "state, and step.onnx, from an image and a state to labels' logits and the next state.",
    )
    parser.add_argument(
        "--weights",
        default="",
        metavar="NAME",
        help=f"a weight file, or the name of a shipped one (default: {DEFAULT_WEIGHTS})",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where to write")
    parser.add_argument(
        "--size",
        type=_size,
        default=(default.height, default.width),
        metavar="HxW",
        help="height and width of the images, pixels, both multiples of 32 "
        f"(default: {default.size})",
    )
    parser.add_argument(
        "--objects", type=positive, metavar="N", help="so many objects always (default: any number)"
    )
    parser.add_argument(
        "--opset",
        type=positive,
        default=DEFAULT_OPSET,
        metavar="N",
        help=f"version of ONNX's operations, {OPSETS[0]} to {OPSETS[-1]} (default: %(default)s)",
    )
    parser.add_argument(
        "--precision",
        choices=("fp32",),
        default="fp32",
        help="of weights and states; ONNX Runtime has no convolutions in bfloat16 for CPUs",
    )
    parser.add_argument(
        "--check",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="run the files in ONNX Runtime beside the network, on a made-up clip, and write them "
        "only if they do the same",
    )
    return parser


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not HEIGHTxWIDTH in pixels, such as 288x512")
    return int(found[1]), int(found[2])


if __name__ == "__main__":
    sys.exit(main())
