# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads what the page sends: every field is checked before anything is done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vos_ros.strokes import Box, Point, Polygon, Scribble, Stroke, StrokeError

MOST_STROKES = 64
MOST_POINTS = 2000  # of one stroke
MOST_LETTERS = 64  # of a name
HIGHEST_ID = 255
_WIDEST = 1000.0  # pixels, of a scribble


class OrderError(ValueError):
    """Something that the page would not send; the message says what is wrong."""


def read_object(body: object) -> dict[str, Any]:
    """The fields of a request."""
    if not isinstance(body, dict):
        raise OrderError("The request must be a JSON object.")
    return body


def read_id(fields: dict[str, Any], key: str = "id") -> int:
    """An object's id, 1..255."""
    value = fields.get(key)
    if type(value) is not int or not 1 <= value <= HIGHEST_ID:
        raise OrderError(f"'{key}' must be a whole number from 1 to {HIGHEST_ID}.")
    return value


def read_serial(fields: dict[str, Any]) -> int:
    """The number of a view, 0 for the newest."""
    value = fields.get("serial", 0)
    if type(value) is not int or not 0 <= value < 2**63:
        raise OrderError("'serial' must be a whole number, 0 or greater.")
    return value


def read_name(fields: dict[str, Any]) -> str:
    """A name for people; characters that cannot be seen are left out, and blanks around it."""
    value = fields.get("name", "")
    if not isinstance(value, str) or len(value) > MOST_LETTERS:
        raise OrderError(f"'name' must be a text of at most {MOST_LETTERS} letters.")
    return "".join(letter for letter in value if letter.isprintable()).strip()


def read_flag(fields: dict[str, Any], key: str) -> bool:
    """Yes or no; no when it is not there."""
    value = fields.get(key, False)
    if type(value) is not bool:
        raise OrderError(f"'{key}' must be true or false.")
    return value


def read_strokes(fields: dict[str, Any]) -> list[Stroke]:
    """What was drawn, in its order."""
    value = fields.get("strokes")
    if not isinstance(value, list) or len(value) > MOST_STROKES:
        raise OrderError(f"'strokes' must be a list of at most {MOST_STROKES}.")
    try:
        return [_read_stroke(read_object(stroke)) for stroke in value]
    except StrokeError as error:
        raise OrderError(str(error)) from error


def _read_stroke(fields: dict[str, Any]) -> Stroke:
    make = _KINDS.get(str(fields.get("kind")))
    if make is None:
        raise OrderError(f"A stroke's 'kind' must be one of {', '.join(_KINDS)}.")
    return make(fields, read_flag(fields, "add"))


def _box(fields: dict[str, Any], add: bool) -> Box:
    x, y, width, height = (_number(fields.get(key), key) for key in ("x", "y", "width", "height"))
    return Box(x, y, width, height, add=add)


def _scribble(fields: dict[str, Any], add: bool) -> Scribble:
    width = _number(fields.get("width"), "width")
    if width > _WIDEST:
        raise OrderError(f"A scribble is at most {_WIDEST:g} pixels wide.")
    return Scribble(_points(fields), width, add)


def _polygon(fields: dict[str, Any], add: bool) -> Polygon:
    return Polygon(_points(fields), add)


_KINDS: dict[str, Callable[[dict[str, Any], bool], Stroke]] = {
    "box": _box,
    "scribble": _scribble,
    "polygon": _polygon,
}


def _points(fields: dict[str, Any]) -> tuple[Point, ...]:
    value = fields.get("points")
    if not isinstance(value, list) or len(value) > MOST_POINTS:
        raise OrderError(f"'points' must be a list of at most {MOST_POINTS}.")
    if not all(isinstance(point, list) and len(point) == 2 for point in value):
        raise OrderError("A point must be a list of two numbers, [x, y].")
    return tuple((_number(x, "x"), _number(y, "y")) for x, y in value)


def _number(value: object, key: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise OrderError(f"'{key}' must be a number.")
    try:
        return float(value)
    except OverflowError as error:
        raise OrderError(f"'{key}' is too large.") from error
