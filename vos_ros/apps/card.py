# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`card`: what a weight file is, and how it scored."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vos_ros.weights import ModelCard, WeightsError, find_weights, read_card, write_card

#: figures of a report that go into the card
_FIGURES = ("j", "f", "jf")
#: entries of a report that make another measurement of it, and their words
_KINDS = {"twin": "beside its mirror image", "all_frames": "all frames", "binary": "one object"}


class CardError(ValueError):
    """Something given that cannot go into a card; the message says what would be right."""


def main(argv: Sequence[str] | None = None) -> int:
    """Print a card, after adding to it what is given; 2 when something given is unusable."""
    arguments = _parser().parse_args(argv)
    try:
        path = find_weights(arguments.weights)
        before = read_card(path)
        card = _completed(before, arguments)
        if card != before:
            write_card(path, card)
            card = read_card(path)
    except (WeightsError, CardError) as error:
        print(f"card: {error}", file=sys.stderr)
        return 2
    print(markdown(path.stem, card), end="")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="card", description=__doc__)
    parser.add_argument("weights", help="a weight file, or the name of a shipped one")
    parser.add_argument("--data", nargs="+", help="put down what it was trained on, with licences")
    parser.add_argument("--licence", help="put down under which terms it may be used")
    parser.add_argument(
        "--results", type=Path, nargs="+", default=[], help="JSON files of `evaluate` to add"
    )
    return parser


def _completed(card: ModelCard, arguments: argparse.Namespace) -> ModelCard:
    results = dict(card.results)
    for path in arguments.results:
        name, figures = _result(path, card)
        results[name] = figures
    return dataclasses.replace(
        card,
        data=arguments.data or card.data,
        licence=arguments.licence or card.licence,
        results=results,
    )


def _result(path: Path, card: ModelCard) -> tuple[str, dict[str, Any]]:
    """The name of what a report of `evaluate` measured, and its figures."""
    report = _read(path)
    _check_weights(path, report, card)
    try:
        name = f"{report['dataset']} {report['split']}, {report['size']}, {report['precision']}"
        name += "" if report.get("runtime", "torch") == "torch" else f", {report['runtime']}"
        name += _region(report.get("region"))
        name += "".join(f", {words}" for key, words in _KINDS.items() if report.get(key))
        if report["j"] is None:
            raise CardError(f"{path} holds no scores: its videos had no truth to be scored by")
        figures = _rounded(report)
        rows = {sequence: _rounded(row) for sequence, row in report["sequences"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise CardError(f"{path} is not a whole report of `evaluate` ({error})") from error
    return name, {**figures, "sequences": rows}


def _region(region: dict[str, Any] | None) -> str:
    """How the objects were looked at, if not in the whole image, as once they always were."""
    if region is None:
        return ""
    return f", region of margin {region['margin']}, at least {region['smallest']} of the image"


def _read(path: Path) -> dict[str, Any]:
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CardError(f"the report {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise CardError(f"{path} is not a report of `evaluate`: it is not JSON") from error
    if not isinstance(report, dict) or "sequences" not in report:
        raise CardError(f"{path} is not a report of `evaluate`: it holds no sequences")
    return report


def _check_weights(path: Path, report: dict[str, Any], card: ModelCard) -> None:
    """Raise CardError unless a report was made with the weights that the card is of."""
    made_with = report.get("weights")
    if not isinstance(made_with, dict):
        raise CardError(f"{path} scores masks from files: it says nothing of a network")
    if made_with.get("sha256") != card.sha256:
        raise CardError(
            f"{path} was made with other weights, {made_with.get('name')} of "
            f"{made_with.get('model')}: evaluate this file as it is now, and give all its reports "
            "at once"
        )


def _rounded(row: dict[str, Any]) -> dict[str, float | None]:
    return {key: None if row[key] is None else round(row[key], 1) for key in _FIGURES}


def markdown(name: str, card: ModelCard) -> str:
    """The card for people, in Markdown."""
    config = ", ".join(f"{key}: {value}" for key, value in card.config.items())
    lines = [f"# {name}", "", f"- network: {card.model} ({config})"]
    lines.append(f"- licence: {card.licence or 'not stated'}")
    lines.append(f"- source: commit {card.commit or 'not known'}")
    lines.append(f"- sha256: {card.sha256}")
    lines += ["", "## Trained on", "", *[f"- {entry}" for entry in card.data or ["not stated"]]]
    lines += ["", "## Schedule", ""]
    for number, stage in enumerate(card.schedule, 1):
        entries = ", ".join(f"{key} {value}" for key, value in stage.items())
        lines.append(f"{number}. {entries}")
    for measured, figures in card.results.items():
        lines += ["", f"## {measured}", "", "| sequence | J | F | J&F |", "|---|---|---|---|"]
        rows = {**figures.get("sequences", {}), "**all**": figures}
        lines += [f"| {key} | {r['j']} | {r['f']} | {r['jf']} |" for key, r in rows.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
