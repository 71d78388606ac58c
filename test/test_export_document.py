# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the document tells of the export is so; that its example runs is in `test_export`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from exporting import HEIGHT, WIDTH

from vos_ros.apps import export
from vos_ros.runtimes.flat_step import blank_state
from vos_ros.weights import find_weights, load_network, shipped_names

DOCUMENT = (Path(__file__).parents[1] / "docs/export.md").read_text(encoding="utf-8")


def test_every_option_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        export.main(["--help"])
    offered = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help", "--check"}
    assert set(re.findall(r"^\| `(--[a-z-]+)", DOCUMENT, re.MULTILINE)) == offered


@pytest.mark.parametrize("name", shipped_names())
def test_the_document_tells_the_state_of_every_shipped_network(name):
    told = state_table(DOCUMENT)
    network, card = load_network(find_weights(name))
    state = blank_state(network, HEIGHT, WIDTH)
    parts = ["DGMPM"] if card.model == "dgmpm" else ["GFDDAL"]
    parts += ["GFDDAL with a memory"] * bool(card.config.get("memory"))
    wanted = {key: row for part in parts for key, row in told[part].items()}
    held = {n: (tuple(v.shape), n in state.renewed) for n, v in state.tensors().items()}
    assert wanted == {key: row for key, row in held.items() if 0 not in row[0]}


def state_table(text: str) -> dict[str, dict[str, tuple[tuple[int, ...], bool]]]:
    """By part and name: the shape for two objects in images of the tests' size, and if renewed."""
    sizes = {"K": 2, "h": HEIGHT // 16, "w": WIDTH // 16, "H'": HEIGHT // 2, "W'": WIDTH // 2}
    sizes["hw"] = sizes["h"] * sizes["w"]
    found, part = {}, ""
    for line in text[text.index("| network | tensor |") :].splitlines()[2:]:
        if not line.startswith("|"):
            break
        network, tensor, shape, renewed = (cell.strip() for cell in line[1:-1].split("|"))
        part = network.split(" (")[0] or part
        axes = tuple(sizes.get(axis) or int(axis) for axis in shape.split(" x "))
        found.setdefault(part, {})[tensor.strip("`")] = (axes, renewed == "yes")
    return found
