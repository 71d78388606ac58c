# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hearing what parts of a network are given and give, without disturbing them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import TracebackType

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle


@dataclass(frozen=True)
class Call:
    """One call of a part.

    Attributes:
        inputs: what it was given, tensors copied.
        output: what it gave, a tensor copied.
    """

    inputs: tuple[object, ...]
    output: Tensor


class Taps:
    """Hears the last call of each of some parts while it is entered; afterwards nothing is left.

    Args:
        parts: the modules by the names under which they are heard.
    """

    def __init__(self, parts: Mapping[str, nn.Module]) -> None:
        self._parts = dict(parts)
        self._handles: list[RemovableHandle] = []

    def __enter__(self) -> dict[str, Call]:
        """The calls by name, filled in as they come."""
        heard: dict[str, Call] = {}
        for name, part in self._parts.items():
            self._handles.append(part.register_forward_hook(partial(_hear, heard, name)))
        return heard

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        while self._handles:
            self._handles.pop().remove()


def _hear(
    heard: dict[str, Call], name: str, _part: nn.Module, inputs: tuple[object, ...], output: Tensor
) -> None:
    # Copied, for what comes after may write into the same memory.
    kept = tuple(value.clone() if isinstance(value, Tensor) else value for value in inputs)
    heard[name] = Call(kept, output.clone())
