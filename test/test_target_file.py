# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files of taught objects: what is kept comes back to the bit, nothing else is taken for one."""

from __future__ import annotations

import json
import os
import struct
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file
from taught import (
    CARD,
    described_as,
    parts_of,
    put_together,
    same_tensors,
    some_learned,
    some_taught,
)

from vos_ros import target_file
from vos_ros.target_file import TargetFileError, TaughtObjects, load_targets, save_targets


@pytest.fixture
def path(tmp_path):
    return save_targets(tmp_path, "cup", some_taught(), CARD)


def test_what_is_kept_comes_back_to_the_bit(tmp_path):
    taught = some_taught()
    path = save_targets(tmp_path, "cup", taught, CARD)
    assert path == tmp_path / "cup.safetensors"
    found = load_targets(tmp_path, "cup", CARD)
    for entry in ("ids", "padded", "size", "precision"):
        assert getattr(found.learned, entry) == getattr(taught.learned, entry), entry
    same_tensors(found.learned, taught.learned)
    assert found.names == {3: "Tasse ☕"} and found.thumbnails.keys() == {3}
    np.testing.assert_array_equal(found.thumbnails[3], taught.thumbnails[3])


def test_numbers_at_the_edges_come_back_to_the_bit(tmp_path):
    """Denormal ones, the sign of zero, the largest."""
    bits = torch.tensor([1, -2147483648, 8388607, 2139095039, -8388609], dtype=torch.int32)
    learned = some_learned((7,), tensors={"means": bits.view(torch.float32).view(1, 1, 5)})
    save_targets(tmp_path, "edges", TaughtObjects(learned), CARD)
    same_tensors(load_targets(tmp_path, "edges", CARD).learned, learned)


def test_the_file_says_what_it_is_of(path):
    with safe_open(path, framework="np") as file:
        metadata = file.metadata()
    assert metadata["format"] == "vos_ros.targets.1"
    assert json.loads(metadata["objects"]) == {
        "model": "gfddal", "weights": CARD.sha256, "precision": "bf16", "size": 72,
        "padded": [96, 128], "ids": [200, 3], "names": ["", "Tasse ☕"],
    }  # fmt: skip


def test_every_id_and_the_longest_names_fit(tmp_path):
    ids = tuple(range(1, 256))
    names = dict.fromkeys(ids, "\x01" * 255)  # takes the most room of all characters
    save_targets(tmp_path, "all", TaughtObjects(some_learned(ids), names), CARD)
    assert load_targets(tmp_path, "all", CARD).names == names


# --- not written ----------------------------------------------------------------------------------


def picture(*shape, dtype=np.uint8):
    return np.zeros(shape, dtype)


@pytest.mark.parametrize(
    ("taught", "words"),
    [
        (some_taught(ids=()), "must be of one or more objects"),
        (some_taught(ids=(3, 3)), "the ids being 3, 3"),
        (some_taught(ids=(3, 256)), "ids must be within 1..255, not 256"),
        (some_taught(ids=(3, 0)), "ids must be within 1..255, not 0"),
        (TaughtObjects(replace(some_learned(), ids=(3, 4, 5))), r"must begin with \[1, 3\]"),
        (some_taught(precision="int4"), "precision must be one of fp32, bf16, fp16, not 'int4'"),
        (some_taught(tensors={"means": torch.full((1, 2, 3), torch.nan)}), "means holds values"),
        (some_taught(tensors={"means": torch.full((1, 2, 3), torch.inf)}), "means holds values"),
        (TaughtObjects(some_learned(), {5: "cup"}), "objects that are not among them"),
        (TaughtObjects(some_learned(), {3: "x" * 256}), "at most 255 characters of text"),
        (TaughtObjects(some_learned(), {3: "a\0b"}), "at most 255 characters of text"),
        (TaughtObjects(some_learned(), {3: "\ud800"}), "at most 255 characters of text"),
        (TaughtObjects(some_learned(), {}, {5: picture(4, 4, 3)}), "not among them"),
        (TaughtObjects(some_learned(), {}, {3: picture(4, 4)}), "thumbnail of object 3 must be"),
        (TaughtObjects(some_learned(), {}, {3: picture(4, 129, 3)}), "and is 4 x 129 x 3 of uint8"),
        (TaughtObjects(some_learned(), {}, {3: picture(0, 4, 3)}), "and is 0 x 4 x 3 of uint8"),
        (TaughtObjects(some_learned(), {}, {3: picture(4, 4, 3, dtype="f4")}), "of float32"),
    ],
)
def test_what_could_not_be_read_again_is_not_written(tmp_path, taught, words):
    with pytest.raises(TargetFileError, match=words):
        save_targets(tmp_path, "cup", taught, CARD)
    assert list(tmp_path.iterdir()) == []


def test_more_than_a_file_may_hold_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(target_file, "MAX_BYTES", (1 << 20) + 500)
    with pytest.raises(TargetFileError, match="has at most 1049076; keep fewer of them"):
        save_targets(tmp_path, "cup", some_taught(), CARD)


# --- refused --------------------------------------------------------------------------------------


def refusal(path, card=CARD):
    with pytest.raises(TargetFileError) as caught:
        load_targets(path.parent, path.stem, card)
    assert str(path) in str(caught.value) and len(str(caught.value)) < 1000
    return str(caught.value)


def test_a_file_of_another_network_is_told(path):
    text = refusal(path, replace(CARD, model="dgmpm"))
    assert "is of the network 'gfddal', and this is 'dgmpm'; use that network, or show" in text


def test_a_file_of_other_weights_is_told(path):
    text = refusal(path, replace(CARD, sha256="5ca1ab1e" * 8))
    assert "made with other weights (c0ffeec0ffee..., these are 5ca1ab1e5ca1...), which" in text


@pytest.mark.parametrize("share", [0.0, 0.003, 0.3, 0.7, 0.999])
def test_a_truncated_file_is_told(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert "is damaged or not a file of taught objects: " in refusal(path)


def test_a_file_with_something_behind_it_is_told(path):
    path.write_bytes(path.read_bytes() + b"x")
    assert "is damaged" in refusal(path)


@pytest.mark.parametrize("length", [1 << 62, (1 << 64) - 1, 100_000_001, 200, 0])
def test_a_header_longer_than_the_file_is_told(path, length):
    path.write_bytes(struct.pack("<Q", length) + b"{}" * 50)
    assert "is damaged" in refusal(path)


def test_a_huge_header_is_not_parsed(path):
    put_together(path, b"[" * ((1 << 20) + 1), b"")
    assert "begins with 1048577 bytes of description, at most 1048576 are right" in refusal(path)


@pytest.mark.parametrize(
    "header", [b"[" * 100_000, b'{"a":' * 100_000, b"\xff", b"null", b"7"], ids=lambda b: str(b[:9])
)
def test_a_header_that_is_none_is_told(path, header):
    assert "is damaged" in refusal(put_together(path, header, b""))


def test_a_pickle_is_not_opened(path):
    torch.save({"a": torch.zeros(3)}, path)
    assert "is damaged" in refusal(path)


@pytest.mark.parametrize(
    "metadata",
    [None, {}, {"format": "pt"}, {"format": "vos_ros.weights.1"}, {"format": "x" * 9999}],
    ids=lambda metadata: str(metadata)[:40],
)
def test_a_foreign_file_is_told(path, metadata):
    save_file({"a": torch.zeros(3)}, path, metadata=metadata)
    assert "not one of taught objects: its format is" in refusal(path)


@pytest.mark.parametrize(
    "objects",
    [
        "",
        "{",
        "[]",
        "7",
        "null",
        "{}",
        "[" * 100_000,
        "9" * 10_000,
        '{"model": "gfddal"}',
        '{"model": 1, "weights": 1, "precision": 1, "size": 1, "padded": 1, "ids": 1, "names": 1}',
    ],
    ids=lambda text: text[:30],
)
def test_a_bad_description_is_told(path, objects):
    header, numbers = parts_of(path)
    header["__metadata__"]["objects"] = objects
    assert "is damaged" in refusal(put_together(path, header, numbers))


BAD_ENTRIES = [
    ({"ids": [200, 200]}, "the ids being 200, 200"),
    ({"ids": [200, 300]}, "ids must be within 1..255, not 300"),
    ({"ids": [200, -3]}, "ids must be within 1..255, not -3"),
    ({"ids": [200, 3.0]}, "sizes and ids in its description must be whole numbers"),
    ({"ids": [200, True]}, "sizes and ids in its description must be whole numbers"),
    ({"ids": [200, "3"]}, "sizes and ids in its description must be whole numbers"),
    ({"ids": list(range(1, 256)), "names": [""] * 255}, "must begin with [1, 255]"),
    ({"ids": [1] * 90_000, "names": [""] * 90_000}, "the ids being 1, 1, 1"),
    ({"ids": [200, 4]}, "names or thumbnails of objects that are not among them"),
    ({"ids": [], "names": []}, "must be of one or more objects"),
    ({"names": ["cup"]}, "must have a name, or an empty one, for each id"),
    ({"names": ["cup", 5]}, "must have a name, or an empty one, for each id"),
    ({"names": ["cup", "x" * 9999]}, "at most 255 characters of text"),
    ({"names": ["cup", "\ud800"]}, "at most 255 characters of text"),
    ({"padded": [96]}, "sizes and ids in its description must be whole numbers"),
    ({"padded": [96.0, 128]}, "sizes and ids in its description must be whole numbers"),
    ({"size": "72"}, "size in its description must be of the type int"),
    ({"size": True}, "size in its description must be of the type int"),
    ({"precision": "fp8" * 999}, "precision must be one of fp32, bf16, fp16"),
    ({"unheard": 1}, "its description cannot be read"),
    ({"x" * 9999: 1}, "its description cannot be read"),
]


@pytest.mark.parametrize(("changes", "words"), BAD_ENTRIES, ids=lambda value: str(value)[:30])
def test_a_wrong_entry_is_told(path, changes, words):
    assert words in refusal(described_as(path, **changes))


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("state.means", {"shape": [1, 2, 4, 8]}),  # more than its bytes
        ("state.means", {"shape": [1, 2, 1 << 40, 1 << 40]}),
        ("state.means", {"shape": [1 << 62, 4, 1 << 62]}),
        ("state.nothing", {"shape": [1, 3, 0, 1 << 62]}),
        ("state.means", {"shape": [1] * 9999 + [56]}),
        ("state.means", {"shape": [-1, 2, 4, 7]}),
        ("state.means", {"dtype": "F64"}),
        ("state.means", {"dtype": "F4"}),
        ("state.means", {"dtype": "pickle"}),
        ("state.means", {"data_offsets": [0, 1 << 60]}),
        ("state.means", {"data_offsets": [224, 0]}),
        ("state.means", {"data_offsets": [0, 224]}),  # others lie there
        ("thumbnail.3", {"dtype": "I8"}),
        ("thumbnail.3", {"shape": [135]}),
        ("thumbnail.3", {"shape": [1, 135, 1]}),
    ],
)
def test_a_tensor_that_lies_about_itself_is_told(path, name, changes):
    header, numbers = parts_of(path)
    header[name].update(changes)
    assert "is damaged" in refusal(put_together(path, header, numbers))


@pytest.mark.parametrize(
    "name",
    [
        "means",
        "state.",
        "state.Means",
        "state.a.b",
        "state." + "x" * 9999,
        "thumbnail.03",
        "thumbnail.1000",
        "thumbnail.",
        "../x",
        "state.__class__\n",
    ],
)
def test_a_tensor_without_a_meaning_is_told(path, name):
    header, numbers = parts_of(path)
    header[name] = header.pop("thumbnail.3")
    assert "it holds a tensor that has no meaning" in refusal(put_together(path, header, numbers))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_told(path, value):
    header, numbers = parts_of(path)
    begin = header["state.means"]["data_offsets"][0] + 12
    numbers = numbers[:begin] + struct.pack("<f", value) + numbers[begin + 4 :]
    text = refusal(put_together(path, header, numbers))
    assert "means holds values that are not numbers, or infinite" in text


#: of memory taken while a file of a kilobyte or two is read, bytes
LARGE = 8 << 20


def changed_bytes(content, data):
    """Bytes put in, left out or turned over, most often in the header."""
    header = struct.unpack("<Q", content[:8])[0] + 8
    place = data.draw(st.one_of(st.integers(0, header), st.integers(0, len(content))))
    piece = data.draw(st.binary(max_size=8))
    skipped = data.draw(st.sampled_from([len(piece), 0, 1, 4]))
    return content[:place] + piece + content[place + skipped :]


@pytest.mark.fuzz
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_bytes_do_more_than_be_refused(path, data):
    """Random files, and the good file with bytes changed."""
    content = path.read_bytes()
    random = data.draw(st.integers(0, 9)) == 0
    changed = data.draw(st.binary(max_size=200)) if random else changed_bytes(content, data)
    other = path.with_name("other.safetensors")
    other.write_bytes(changed)
    tracemalloc.start()
    try:
        load_targets(path.parent, "other", CARD).learned.check()
    except TargetFileError as error:
        assert str(other) in str(error)
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert most < LARGE


entries = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)


@pytest.mark.fuzz
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_description_does_more_than_be_refused(path, data):
    """Well-formed files that say anything whatever of themselves."""
    header, numbers = parts_of(path)
    where = data.draw(st.sampled_from(["objects", "__metadata__", "state.means", "thumbnail.3"]))
    value = data.draw(entries)
    if where == "objects":
        objects = json.loads(header["__metadata__"]["objects"])
        objects[data.draw(st.sampled_from(sorted(objects)))] = value
        header["__metadata__"]["objects"] = json.dumps(objects)
    else:
        header[where][data.draw(st.sampled_from(sorted(header[where])))] = value
    put_together(path.with_name("other.safetensors"), header, numbers)
    try:
        load_targets(path.parent, "other", CARD)
    except TargetFileError as error:
        assert "other" in str(error)


def test_reading_runs_nothing(path, monkeypatch):
    """Neither a pickle nor a shell is anywhere on the way."""
    for module, name in ((torch, "load"), (os, "system")):
        monkeypatch.setattr(module, name, lambda *_, **__: pytest.fail("was called"))
    load_targets(path.parent, "cup", CARD)
