# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The table of the parameters for people: in a terminal, and in Markdown for docs/parameters.md."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from vos_ros.ros.parameters import Changes, Parameter, show

_CHANGES = {
    Changes.NEVER: "never (read-only)",
    Changes.UNCONFIGURED: "while unconfigured",
    Changes.ALWAYS: "any time",
}
_TYPES = {bool: "bool", int: "integer", float: "double", str: "string"}
"""As `ros2 param describe` calls them."""
_HEAD = ("parameter", "type", "default", "allowed", "may change", "meaning")


def allowed(parameter: Parameter) -> str:
    """The values that a parameter may have, in words: a range, a list, or what the type says."""
    if parameter.limits is not None:
        low, high = (show(parameter.type(limit)) for limit in parameter.limits)
        return f"{low} to {high}"
    if parameter.type is bool:
        return "true, false"
    return ", ".join(parameter.choices) or "any text"


def as_text(parameters: Iterable[Parameter], width: int = 79) -> str:
    """A paragraph for each parameter, in lines of `width` letters at most, where words let it."""
    paragraphs = []
    for parameter in parameters:
        head = (
            f"{parameter.name} ({_TYPES[parameter.type]}), default {_default(parameter)};"
            f" allowed: {allowed(parameter)}; may change: {_CHANGES[parameter.changes]}"
        )
        lines = textwrap.wrap(head, width, subsequent_indent="  ")
        lines += textwrap.wrap(
            parameter.description, width, initial_indent="    ", subsequent_indent="    "
        )
        paragraphs.append("\n".join(lines) + "\n")
    return "\n".join(paragraphs)


def as_markdown(parameters: Iterable[Parameter]) -> str:
    """A table with a row for each parameter."""
    lines = [_row(_HEAD), "|" + "---|" * len(_HEAD)]
    for parameter in parameters:
        # A bar would end the cell, also within backquotes.
        cells = (
            f"`{parameter.name}`",
            _TYPES[parameter.type],
            f"`{_default(parameter)}`",
            allowed(parameter),
            _CHANGES[parameter.changes],
            parameter.description,
        )
        lines.append(_row(cell.replace("|", "\\|") for cell in cells))
    return "\n".join(lines) + "\n"


def _default(parameter: Parameter) -> str:
    """As one would type it: text without quotation marks, unless there is none."""
    return str(parameter.default or "''") if parameter.type is str else show(parameter.default)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
