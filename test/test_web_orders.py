# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the page sends is read; what it would never send is refused in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vos_ros.strokes import Box, Polygon, Scribble
from vos_ros.web.orders import (
    MOST_POINTS,
    MOST_STROKES,
    OrderError,
    read_flag,
    read_id,
    read_name,
    read_object,
    read_serial,
    read_strokes,
)

BOX = {"kind": "box", "add": True, "x": 1, "y": 2.5, "width": 3, "height": 4}
LINE = {"kind": "scribble", "add": False, "width": 5, "points": [[1, 2], [3, 4.5]]}
RING = {"kind": "polygon", "add": True, "points": [[1, 2], [3, 4], [5, 0]]}


def test_strokes_are_read() -> None:
    assert read_strokes({"strokes": [BOX, LINE, RING]}) == [
        Box(1, 2.5, 3, 4),
        Scribble(((1, 2), (3, 4.5)), 5, add=False),
        Polygon(((1, 2), (3, 4), (5, 0))),
    ]
    assert read_strokes({"strokes": []}) == []


def test_a_name_is_cleaned() -> None:
    assert read_name({"name": "  red\u202ecup\n\x00 "}) == "redcup"
    assert read_name({"name": "Tässe 茶"}) == "Tässe 茶"
    assert read_name({}) == ""


WRONG: dict[str, Any] = {
    "no list": {"strokes": "box"},
    "nothing": {},
    "too many strokes": {"strokes": [BOX] * (MOST_STROKES + 1)},
    "a stroke that is none": {"strokes": [7]},
    "an unknown kind": {"strokes": [{**BOX, "kind": "circle"}]},
    "no kind": {"strokes": [{"x": 1}]},
    "a kind that is a list": {"strokes": [{**BOX, "kind": ["box"]}]},
    "a flag that is none": {"strokes": [{**BOX, "add": 1}]},
    "a side in words": {"strokes": [{**BOX, "width": "3"}]},
    "a side that is true": {"strokes": [{**BOX, "width": True}]},
    "a side too few": {"strokes": [{"kind": "box", "add": True, "x": 1, "y": 2, "width": 3}]},
    "no area": {"strokes": [{**BOX, "width": 0}]},
    "no number": {"strokes": [{**BOX, "x": float("nan")}]},
    "an endless number": {"strokes": [{**BOX, "x": 10**400}]},
    "too many points": {"strokes": [{**LINE, "points": [[1, 1]] * (MOST_POINTS + 1)}]},
    "a point of three": {"strokes": [{**LINE, "points": [[1, 1, 1]]}]},
    "a point in words": {"strokes": [{**LINE, "points": ["ab"]}]},
    "too wide": {"strokes": [{**LINE, "width": 1e6}]},
    "no points": {"strokes": [{**LINE, "points": []}]},
    "two corners": {"strokes": [{**RING, "points": [[1, 2], [3, 4]]}]},
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_stroke_is_refused(what: str) -> None:
    with pytest.raises(OrderError, match=r"\.$"):
        read_strokes(WRONG[what])


@pytest.mark.parametrize("value", [0, 256, -1, 1.0, "1", True, None, [1]])
def test_what_is_no_id_is_refused(value: object) -> None:
    with pytest.raises(OrderError):
        read_id({"id": value})


def test_other_fields_are_refused() -> None:
    for read, fields in (
        (read_serial, {"serial": -1}), (read_serial, {"serial": 2**63}),
        (read_name, {"name": 5}), (read_name, {"name": "x" * 65}),
        (lambda fields: read_flag(fields, "keep"), {"keep": "yes"}),
        (read_object, [1]), (read_object, "text"), (read_object, None),
    ):  # fmt: skip
        with pytest.raises(OrderError):
            read(fields)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["kind", "add", "x", "y", "width", "height", "points"]),
            inner,
            max_size=7,
        )
    ),
    max_leaves=20,
)


@given(st.fixed_dictionaries({"strokes": st.lists(JSON, max_size=3)}))
def test_anything_is_read_or_refused(fields: dict[str, Any]) -> None:
    try:
        strokes = read_strokes(fields)
    except OrderError:
        return
    for stroke in strokes:
        assert stroke.area((9, 13)).shape == (9, 13)
