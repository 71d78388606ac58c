# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One folder, and no way out of it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from vos_ros import files
from vos_ros.target_folder import TargetFileError, TargetFolder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file that is none of the folder's business."""
    path = tmp_path / "outside.safetensors"
    path.write_bytes(b"secret")
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


def test_what_is_written_is_read_and_listed(tmp_path):
    folder = TargetFolder(tmp_path / "new" / "one")
    assert folder.names() == []
    for name in ("b-2", "A_1"):
        path = folder.write(name, name.encode())
        assert path == tmp_path / "new" / "one" / f"{name}.safetensors"
    assert folder.read("b-2") == b"b-2"
    assert folder.names() == ["A_1", "b-2"]
    folder.write("b-2", b"other")
    assert folder.read("b-2") == b"other"


def test_files_and_a_folder_that_is_made_are_for_the_owner_alone(tmp_path):
    path = TargetFolder(tmp_path / "new").write("cup", b"x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


NAMES = [
    "", ".", "..", "../outside", "/etc/passwd", "a/b", "a\\b", "a.b", "-rf", "a b", "a\n", "a\0",
    "~", "ä", "a" * 65, "a" * 100_000, "outside.safetensors", "%2e%2e", "$HOME",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name[:12]))
def test_what_is_no_plain_name_is_refused_both_ways(root, outside, name):
    for call in (TargetFolder(root).read, lambda name: TargetFolder(root).write(name, b"x")):
        with pytest.raises(TargetFileError, match="is no name for a file: give 1 to 64") as caught:
            call(name)
        assert len(str(caught.value)) < 500
    assert outside.read_bytes() == b"secret" and list(root.iterdir()) == []


def test_the_longest_name_is_one(root):
    assert TargetFolder(root).write("a" * 64, b"x").is_file()


@pytest.mark.parametrize("target", ["../outside.safetensors", "/etc/passwd", "sub/x.safetensors"])
def test_a_link_out_of_the_folder_is_not_followed(root, outside, target):
    (root / "cup.safetensors").symlink_to(target)
    (root / "sub").mkdir()
    (root / "sub/x.safetensors").write_bytes(b"deeper")
    for call in (TargetFolder(root).read, lambda name: TargetFolder(root).write(name, b"x")):
        with pytest.raises(TargetFileError, match="is a link that leads out of"):
            call("cup")
    assert outside.read_bytes() == b"secret"
    assert (root / "cup.safetensors").is_symlink()


def test_a_link_within_the_folder_is_followed(root):
    folder = TargetFolder(root)
    folder.write("real", b"one")
    (root / "alias.safetensors").symlink_to("real.safetensors")
    assert folder.read("alias") == b"one"
    folder.write("alias", b"two")
    assert folder.read("real") == b"two"


def test_links_in_a_circle_are_refused(root):
    (root / "cup.safetensors").symlink_to("cup.safetensors")
    for call in (TargetFolder(root).read, lambda name: TargetFolder(root).write(name, b"x")):
        with pytest.raises(TargetFileError, match="cup"):
            call("cup")


def test_the_folder_itself_may_be_a_link(root, tmp_path):
    (tmp_path / "way").symlink_to(root)
    TargetFolder(tmp_path / "way").write("cup", b"x")
    assert (root / "cup.safetensors").read_bytes() == b"x"


def test_a_trap_beside_the_file_is_not_written_through(root, outside):
    (root / "cup.safetensors.partial").symlink_to(outside)
    TargetFolder(root).write("cup", b"x")
    assert outside.read_bytes() == b"secret"
    assert [path.name for path in root.iterdir()] == ["cup.safetensors"]


def test_what_was_left_by_a_process_that_died_is_in_nobodys_way(root):
    (root / "cup.safetensors.partial").write_bytes(b"half")
    TargetFolder(root).write("cup", b"x")
    assert TargetFolder(root).read("cup") == b"x"


def test_a_pipe_and_a_folder_are_no_files(root):
    os.mkfifo(root / "pipe.safetensors")  # reading one waits until somebody writes
    (root / "sub.safetensors").mkdir()
    for name in ("pipe", "sub"):
        with pytest.raises(TargetFileError, match="is something else than a file"):
            TargetFolder(root).read(name)


def test_a_file_larger_than_any_of_ours_is_not_read(root):
    with open(root / "huge.safetensors", "wb") as file:
        file.truncate(1 << 40)  # with a hole in it: takes no place on the disk
    with pytest.raises(TargetFileError, match="holds 1099511627776 bytes; .* at most 268435456"):
        TargetFolder(root).read("huge")


def test_an_absent_file_is_answered_with_those_there_are(root):
    with pytest.raises(TargetFileError, match=f"called 'cup' in {root}; there are: none"):
        TargetFolder(root).read("cup")
    TargetFolder(root).write("spoon", b"x")
    (root / "not ours.safetensors").touch()
    with pytest.raises(TargetFileError, match="there are: spoon$"):
        TargetFolder(root).read("cup")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_what_may_not_be_read_or_written_is_told(root):
    folder = TargetFolder(root)
    folder.write("cup", b"x").chmod(0)
    with pytest.raises(TargetFileError, match="cannot be read: Permission denied"):
        folder.read("cup")
    root.chmod(0o500)
    with pytest.raises(TargetFileError, match="cannot be written: Permission denied"):
        folder.write("spoon", b"x")


def test_a_folder_that_cannot_be_made_is_told(root):
    (root / "file").write_bytes(b"x")
    with pytest.raises(TargetFileError, match="cannot be written: Not a directory"):
        TargetFolder(root / "file" / "below").write("cup", b"x")


@pytest.mark.parametrize("full_at", ["open", "write", "fsync"])
def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(root, monkeypatch, full_at):
    folder = TargetFolder(root)
    folder.write("cup", b"old")
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def refuse(*_args, **_rest):
        raise full

    if full_at == "open":
        monkeypatch.setattr(os, "open", refuse)
    elif full_at == "fsync":
        monkeypatch.setattr("vos_ros.files.synchronise", refuse)
    else:
        monkeypatch.setattr(files, "open", full_device, raising=False)
    with pytest.raises(TargetFileError, match="cannot be written: No space left on device; what"):
        folder.write("cup", b"new" * 10_000)
    monkeypatch.undo()
    assert folder.read("cup") == b"old"
    assert [path.name for path in root.iterdir()] == ["cup.safetensors"]


def full_device(descriptor, mode):
    """As `open`, but what is written goes where no room ever is."""
    os.close(descriptor)
    return open("/dev/full", mode)
