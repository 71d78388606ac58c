# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What docs/troubleshooting.md quotes is really said, and what docs/python.md names exists."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
PYTHON = (ROOT / "docs/python.md").read_text(encoding="utf-8")
QUOTES = re.findall(r"^ *> (.+)$", PAGE, re.MULTILINE)
GAP = "\0"  # stands for what is filled in


def templates(source: str) -> list[str]:
    """Every text of a source, f-strings with a gap for what is filled in."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            parts = (p.value if isinstance(p, ast.Constant) else GAP for p in node.values)
            found.append("".join(parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
    return found


def is_said(quote: str, texts: list[str]) -> bool:
    """Whether one of the texts has every piece of the quote, in order."""
    pieces = [re.escape(piece.strip()) for piece in quote.split("...") if piece.strip()]
    wanted = re.compile(".*?".join(pieces), re.DOTALL)
    return any(wanted.search(text) for text in texts)


TEXTS = [
    text
    for path in ROOT.glob("vos_ros/**/*.py")
    for text in templates(path.read_text(encoding="utf-8"))
]


def test_a_quote_is_found_only_where_it_is_said() -> None:
    texts = templates('f"No image on {topic} for" f" {x:.1f} s; it has {n}."\n"Plain text."')
    assert is_said("No image on ... for ... s; it has ...", texts)
    assert is_said("Plain text.", texts)
    assert not is_said("No image on ... since", texts)
    assert not is_said("it has ... No image on", texts)
    assert not is_said("Plain texts.", texts)


@pytest.mark.parametrize("quote", QUOTES)
def test_the_program_says_what_is_quoted(quote: str) -> None:
    assert len(quote.replace("...", "").strip()) > 12, "too little to tell by"
    assert is_said(quote, TEXTS)


def test_much_is_quoted() -> None:
    assert len(QUOTES) == len(PAGE.split("\n> ")) + PAGE.count("\n  > ") - 1 > 30


def test_the_names_called_public_are_there() -> None:
    rows = re.findall(r"^\| (`vos_ros\.[^|]+) \| (.+) \|$", PYTHON, re.MULTILINE)
    assert len(rows) >= 8
    for modules, names in rows:
        loaded = [importlib.import_module(name) for name in re.findall(r"`([\w.]+)`", modules)]
        for name in re.findall(r"`(\w+)`", names):
            owners = [module for module in loaded if hasattr(module, name)]
            assert owners and getattr(owners[0], name).__doc__, name


def test_the_example_in_python_runs(one_thread: None, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PYTHON, re.DOTALL)
    image = np.full((96, 128, 3), 90, np.uint8)
    image[30:60, 40:80] = (200, 30, 30)
    mask = np.zeros((96, 128), np.uint8)
    mask[30:60, 40:80] = 1
    known = {"first_image": image, "first_mask": mask, "images": [image]}
    exec(compile(code, "python.md", "exec"), known)
    assert capsys.readouterr().out.startswith("1 True")
    assert 800 < known["pixels"] < 1600
