# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ids stay with their objects, whatever happens to the slots: compared with a plain dictionary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from vos_ros.models.state import ObjectState
from vos_ros.targets import Targets


@dataclass(frozen=True)
class Numbers(ObjectState):
    """1 x K numbers, and 1 x K x 2 x 3 maps filled with ten times the same."""

    renewed: ClassVar[frozenset[str]] = frozenset()

    values: Tensor
    maps: Tensor


def targets_of(objects: dict[int, float]) -> Targets[Numbers]:
    values = torch.tensor([list(objects.values())])
    maps = (values * 10)[..., None, None].expand(1, -1, 2, 3)
    return Targets(tuple(objects), Numbers(values, maps))


def read(targets: Targets[Numbers]) -> dict[int, float]:
    """What each id's slot holds."""
    state = targets.state
    assert state.values.shape == (1, len(targets.slots)) and state.count == len(targets.slots)
    assert torch.equal(state.maps, (state.values * 10)[..., None, None].expand_as(state.maps))
    return dict(zip(targets.slots, state.values[0].tolist(), strict=True))


ids = st.integers(1, 255)
objects = st.dictionaries(ids, st.integers(0, 999).map(float), min_size=1, max_size=8)
changes = st.lists(objects | st.lists(ids, max_size=4), max_size=6)


@given(first=objects, changes=changes)
def test_adding_and_removing_is_what_a_dictionary_does(first, changes):
    targets, expected = targets_of(first), dict(first)
    for change in changes:
        before = read(targets)
        old = targets
        if isinstance(change, dict):
            targets = targets.joined(targets_of(change))
            expected |= change
        else:
            targets = targets.without(change)
            expected = {key: value for key, value in expected.items() if key not in change}
        assert read(old) == before  # nothing is changed in place
        if not expected:
            assert targets is None
            return
        assert read(targets) == expected
        assert targets.ids == tuple(sorted(expected))


def test_a_new_state_belongs_to_the_same_objects():
    targets = targets_of({200: 1.0, 3: 2.0})
    later = targets.with_state(targets_of({1: 5.0, 2: 6.0}).state)
    assert read(later) == {200: 5.0, 3: 6.0} and read(targets) == {200: 1.0, 3: 2.0}
    assert later.ids == (3, 200)


def test_nothing_can_be_set():
    with pytest.raises(AttributeError):
        targets_of({1: 1.0}).slots = (2,)
