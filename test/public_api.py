# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What docs/python.md calls public, and how it is called.

`python test/public_api.py > test/data/public_api.txt` writes it down anew, after a change that is
meant and told in CHANGELOG.md.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WRITTEN_DOWN = Path(__file__).with_name("data") / "public_api.txt"


def documented() -> dict[str, list[str]]:
    """By the name of each module, the public names in it that the document lists."""
    text = (ROOT / "docs/python.md").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for modules, names in re.findall(r"^\| (`vos_ros\.[^|]*) \| ([^|]*) \|$", text, re.M):
        for module in re.findall(r"`([\w.]+)`", modules):
            own = importlib.import_module(module).__all__
            found[module] = [name for name in re.findall(r"`(\w+)`", names) if name in own]
    return found


def listed() -> set[str]:
    """All names in that table."""
    text = (ROOT / "docs/python.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| `vos_ros\.[^|]* \| ([^|]*) \|$", text, re.M)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def described() -> list[str]:
    """A line for everything that can be called or read, with its arguments and their defaults."""
    lines: list[str] = []
    for module, names in documented().items():
        for name in names:
            lines += _lines(f"{module}.{name}", getattr(importlib.import_module(module), name))
    return lines


def _lines(name: str, thing: Any) -> Iterator[str]:
    yield f"{name}{_arguments(thing)}"
    if not inspect.isclass(thing) or issubclass(thing, Exception):
        return
    fields = (
        {f.name for f in dataclasses.fields(thing)} if dataclasses.is_dataclass(thing) else set()
    )
    for member in sorted(set(dir(thing)) - set(dir(object)) - fields):
        value = inspect.getattr_static(thing, member)
        if member.startswith("_"):
            continue
        if isinstance(value, property):
            yield f"{name}.{member}"
        elif callable(getattr(thing, member)):
            yield f"{name}.{member}{_arguments(getattr(thing, member))}"


def _arguments(thing: Any) -> str:
    if inspect.isclass(thing) and issubclass(thing, Exception):
        return ""
    signature = inspect.signature(thing)
    bare = [
        one.replace(annotation=inspect.Parameter.empty)
        for one in signature.parameters.values()
        if one.name != "self"
    ]
    text = str(inspect.Signature(bare))
    return re.sub(r"<[^<>]*>", "...", text)  # what has no text of its own, such as a factory


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    print("\n".join(described()))
