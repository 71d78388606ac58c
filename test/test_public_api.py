# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What docs/python.md promises: public names are there, explained, and called as they were."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from public_api import WRITTEN_DOWN, described, documented, listed


def things() -> dict[str, Any]:
    return {
        f"{module}.{name}": getattr(importlib.import_module(module), name)
        for module, names in documented().items()
        for name in names
    }


def test_every_name_is_public_in_one_of_its_modules() -> None:
    assert {name.rpartition(".")[2] for name in things()} == listed()
    assert len(listed()) > 20


def test_every_public_thing_is_explained() -> None:
    for name, thing in things().items():
        assert (thing.__doc__ or "").strip(), name
        for member in vars(thing) if inspect.isclass(thing) else ():
            value = inspect.getattr_static(thing, member)
            if not member.startswith("_") and isinstance(value, property | staticmethod):
                assert getattr(thing, member).__doc__, f"{name}.{member}"
            elif not member.startswith("_") and inspect.isfunction(value):
                assert value.__doc__, f"{name}.{member}"


def test_everything_is_called_as_it_was() -> None:
    """By name or place, with the same left out: programs that use it need no change."""
    before = WRITTEN_DOWN.read_text(encoding="utf-8").splitlines()
    now = described()
    assert now == before, (
        "the public interface is another; if that is meant, say so in CHANGELOG.md and run"
        " `python test/public_api.py > test/data/public_api.txt`"
    )
