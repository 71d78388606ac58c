# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The list of files that training went on without."""

from vos_ros.training.skipped import read_skipped, write_skipped


def test_what_is_written_is_read_again(tmp_path):
    faults = {"/data/b c.png": "there is no mask", "/data/a.jpg": "not an image: cut short"}
    write_skipped(tmp_path / "skipped.txt", faults)
    assert read_skipped(tmp_path / "skipped.txt") == faults
    assert (tmp_path / "skipped.txt").read_text() == (
        "/data/a.jpg\tnot an image: cut short\n/data/b c.png\tthere is no mask\n"
    )


def test_no_list_is_written_of_nothing(tmp_path):
    write_skipped(tmp_path / "skipped.txt", {})
    assert not (tmp_path / "skipped.txt").exists()
    assert read_skipped(tmp_path / "skipped.txt") == {}


def test_names_that_would_break_the_list_cost_their_own_spelling_only(tmp_path):
    write_skipped(tmp_path / "skipped.txt", {"/a\nb\t.png": "of two\nlines", "/c\udc80": "x"})
    assert read_skipped(tmp_path / "skipped.txt") == {"/a b .png": "of two lines", "/c?": "x"}
