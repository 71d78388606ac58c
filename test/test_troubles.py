# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The last thing that went wrong."""

from __future__ import annotations

from vos_ros.ros.troubles import Troubles


def test_the_last_trouble_is_remembered():
    troubles = Troubles()
    assert troubles.last is None
    troubles.note("one", serious=True)
    troubles.note("two", serious=False)
    assert (troubles.last.text, troubles.last.serious, troubles.last.lasting) == (
        "two", False, False,
    )  # fmt: skip


def test_what_lasts_is_not_hidden_by_what_passes():
    troubles = Troubles()
    troubles.note("cannot start", serious=True, lasting=True)
    troubles.note("a request was refused", serious=False)
    assert troubles.last.text == "cannot start"
    troubles.note("cannot start either", serious=True, lasting=True)
    assert troubles.last.text == "cannot start either"
    when = troubles.last.when
    troubles.overcome()
    assert (troubles.last.text, troubles.last.lasting, troubles.last.when) == (
        "cannot start either", False, when,
    )  # fmt: skip
    troubles.note("a frame", serious=False)
    assert troubles.last.text == "a frame"


def test_nothing_to_overcome_is_no_trouble():
    troubles = Troubles()
    troubles.overcome()
    assert troubles.last is None
