# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weight files: what is written comes back, and nothing else is taken for one."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import struct
import subprocess
import sys

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file
from tiny import CONFIG, add_tiny_backbone, tiny_gfddal

from vos_ros import share, weights
from vos_ros.weights import (
    ModelCard,
    WeightsError,
    file_hash,
    find_weights,
    load_network,
    read_card,
    save_network,
    write_card,
)

CARD = ModelCard(
    model="gfddal",
    config=CONFIG,
    data=["squares, CC0"],
    schedule=[{"steps": 3, "seed": 1}],
    commit="0123abc",
    results={"squares": {"jf": 71.5}},
    licence="Apache-2.0",
)


@pytest.fixture
def network(monkeypatch):
    add_tiny_backbone(monkeypatch)
    return tiny_gfddal(seed=4)


@pytest.fixture
def path(tmp_path, network):
    path = tmp_path / "some.safetensors"
    save_network(path, network, CARD)
    return path


def rewritten(path, tensors=None, **changes):
    """Write the file anew with other tensors, another format, or other entries in its card."""
    with safe_open(path, framework="pt") as file:
        metadata = dict(file.metadata())
        tensors = tensors or {name: file.get_tensor(name) for name in file.keys()}
    if "format" in changes:
        metadata["format"] = changes.pop("format")
    metadata["card"] = changes.pop("card", json.dumps(json.loads(metadata["card"]) | changes))
    save_file(tensors, path, metadata=metadata)
    return path


def test_a_network_comes_back_with_its_card(path, network):
    loaded, card = load_network(path)
    expected = dataclasses.replace(CARD, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    assert card == expected == read_card(path)
    assert loaded.config == network.config and not loaded.training
    state = loaded.state_dict()
    assert state.keys() == network.state_dict().keys()
    for name, value in network.state_dict().items():
        assert state[name].dtype == value.dtype
        kept = value if value.dim() < 2 else value.half().float()
        assert torch.equal(state[name], kept), name


LOADING = """
import sys
import torch
from vos_ros.weights import load_network, shipped_names, find_weights
torch.manual_seed(5)
before = torch.get_rng_state()
for name in shipped_names():
    load_network(find_weights(name))
heavy = {"torch._dynamo", "torch._inductor", "sympy"} & sys.modules.keys()
print(len(shipped_names()), torch.equal(before, torch.get_rng_state()), sorted(heavy))
"""


def test_loading_neither_draws_numbers_nor_loads_a_compiler():
    """The one would be overwritten; the other takes a second of a node's start-up, and 70 MB."""
    done = subprocess.run(
        [sys.executable, "-c", LOADING], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    count, undrawn, heavy = done.stdout.split(maxsplit=2)
    assert int(count) > 1 and undrawn == "True" and heavy.strip() == "[]"


def test_only_matrices_are_narrowed(path, network):
    with safe_open(path, framework="pt") as file:
        for name, value in network.state_dict().items():
            narrow = value.is_floating_point() and value.dim() >= 2
            assert file.get_tensor(name).dtype == (torch.float16 if narrow else value.dtype), name


def test_numbers_too_large_for_half_precision_are_kept(tmp_path, network):
    with torch.no_grad():
        network.coarse.weight[0, 0] = 1e6
        network.backbone.layer2[1].running_var.fill_(1e9)
    save_network(tmp_path / "w.safetensors", network, CARD)
    loaded, _ = load_network(tmp_path / "w.safetensors")
    assert torch.equal(loaded.coarse.weight, network.coarse.weight)
    assert torch.equal(loaded.backbone.layer2[1].running_var, torch.full((6,), 1e9))


def test_what_comes_back_segments_alike(path, network):
    loaded, _ = load_network(path)
    images = loaded.normalise(torch.randint(0, 256, (1, 3, 64, 64)))
    masks = torch.zeros(1, 1, 64, 64)
    masks[..., 10:30, 10:30] = 1
    with torch.no_grad():
        one, two = (
            n.step(n.encode(images), n.start(n.encode(images), masks))[0].logits
            for n in (network.eval(), loaded)
        )
    torch.testing.assert_close(one, two, atol=0.01, rtol=0.01)


def test_another_card_leaves_the_tensors_and_one_that_does_not_fit_leaves_all(path, network):
    before, _ = load_network(path)
    write_card(path, dataclasses.replace(CARD, licence="CC0"))
    after, card = load_network(path)
    assert card.licence == "CC0" and card.sha256 == file_hash(path)
    for name, value in before.state_dict().items():
        assert torch.equal(after.state_dict()[name], value)
    content = path.read_bytes()
    with pytest.raises(WeightsError, match="does not fit"):
        write_card(path, dataclasses.replace(CARD, config=CONFIG | {"deepest": False}))
    assert path.read_bytes() == content


def test_saving_replaces_a_file_only_when_it_is_whole(path, network, monkeypatch):
    before = path.read_bytes()

    def half(tensors, partial, metadata):
        partial.write_bytes(b"half")
        raise OSError("the disk is full")

    monkeypatch.setattr(weights, "save_file", half)
    with pytest.raises(OSError, match="full"):
        save_network(path, network, CARD)
    assert path.read_bytes() == before


def test_a_hash_is_that_of_the_whole_file(tmp_path):
    content = os.urandom((1 << 20) + 17)
    (tmp_path / "f").write_bytes(content)
    assert file_hash(tmp_path / "f") == hashlib.sha256(content).hexdigest()


# --- refused --------------------------------------------------------------------------------------


def refusal(path):
    with pytest.raises(WeightsError) as caught:
        load_network(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_an_absent_file_is_named(tmp_path):
    assert refusal(tmp_path / "no.safetensors").startswith("there is no weight file")


def test_a_folder_is_no_file(tmp_path):
    assert "is not a file" in refusal(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.999])
def test_a_truncated_file_is_told(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert "is truncated or not a safetensors file" in refusal(path)


@pytest.mark.parametrize("length", [1 << 62, (1 << 64) - 1, 100_000_001, 200, 0])
def test_a_header_longer_than_the_file_is_told(path, length):
    path.write_bytes(struct.pack("<Q", length) + b"{}" * 50)
    assert "is truncated or not a safetensors file" in refusal(path)


def test_a_pickle_is_not_opened(tmp_path):
    path = tmp_path / "w.safetensors"
    torch.save({"a": torch.zeros(3)}, path)
    assert "is truncated or not a safetensors file" in refusal(path)


def test_a_file_larger_than_any_of_ours_is_not_read(path, monkeypatch):
    monkeypatch.setattr(weights, "_MAX_BYTES", 100)
    monkeypatch.setattr(weights, "load", lambda *_, **__: pytest.fail("was read"))
    assert "a weight file has at most 100" in refusal(path)


def test_a_file_that_is_cut_short_while_it_is_read_is_told(path, monkeypatch):
    """A file in use on a disk that somebody copies a new one over: mapped, it would end us."""
    fstat = os.fstat

    def cutting(descriptor):
        status = fstat(descriptor)
        os.truncate(path, 100)
        return status

    monkeypatch.setattr(os, "fstat", cutting)
    assert "is truncated or not a safetensors file (it is shorter than it says)" in refusal(path)


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}, {"format": "vos_ros.weights.9"}])
def test_a_foreign_safetensors_file_is_told(tmp_path, metadata):
    path = tmp_path / "w.safetensors"
    save_file({"a": torch.zeros(3)}, path, metadata=metadata)
    text = refusal(path)
    assert "is a safetensors file, but not one of vos_ros" in text
    assert repr((metadata or {}).get("format")) in text and "'vos_ros.weights.1'" in text


@pytest.mark.parametrize(
    "card",
    [
        "",
        "{",
        "[]",
        "7",
        "null",
        "{}",
        '{"model": "gfddal"}',
        '{"model": 1, "config": {}}',
        '{"model": "gfddal", "config": []}',
        '{"model": "gfddal", "config": {}, "sha256": "x"}',
        '{"model": "gfddal", "config": {}, "data": 3}',
        '{"model": "gfddal", "config": {}, "x": 1}',
        "[" * 100_000,
        "9" * 10_000,
    ],
    ids=lambda text: text[:40],
)
def test_a_bad_card_is_told(path, card):
    assert "the model card inside" in refusal(rewritten(path, card=card))
    with pytest.raises(WeightsError, match="the model card inside"):
        read_card(path)


@pytest.mark.parametrize(
    "config",
    [
        {"backbone": "resnet7"},
        {"unheard": 1},
        {"direction_channels": "many"},
        {"direction_channels": -1},
        {"decoder_channels": [4]},
        {"decoder_channels": None},
        {"guided_channels": 10**9},
        {"fused_channels": 7},
        {"modulation": False, "matching": False, "appearance": False},
    ],
    ids=str,
)
def test_a_network_that_cannot_be_built_is_told(path, config):
    assert "describes a network that cannot be built" in refusal(
        rewritten(path, config=CONFIG | config)
    )


def test_an_unknown_model_is_told(path):
    text = refusal(rewritten(path, model="segnet"))
    assert "no network is called 'segnet'" in text and "gfddal" in text


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        ({"guided_channels": 16}, "has another shape there"),
        ({"deepest": False}, "context.deep.weight has no place in it (one of 2 such tensors)"),
        ({"decoder_channels": [16, 8, 8]}, "has no place in it"),
        # As much memory as no machine has: refused before it is asked for.
        ({"guided_channels": 10**5}, "has another shape there"),
    ],
    ids=str,
)
def test_a_card_of_another_network_is_told(path, config, fault):
    text = refusal(rewritten(path, config=CONFIG | config))
    assert "does not fit the network of its own card (gfddal): " in text and fault in text


def test_a_missing_tensor_is_named(path):
    with safe_open(path, framework="pt") as file:
        tensors = {n: file.get_tensor(n) for n in file.keys() if n != "coarse.bias"}
    assert "coarse.bias is missing (one of 1 such tensors)" in refusal(rewritten(path, tensors))


@pytest.mark.fuzz
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_bytes_do_more_than_be_refused(path, data):
    """Random files, and the good file with random bytes put in."""
    content = path.read_bytes()
    if data.draw(st.booleans()):
        changed = data.draw(st.binary(max_size=200))
    else:
        header = struct.unpack("<Q", content[:8])[0] + 8
        place = data.draw(st.integers(0, header))
        piece = data.draw(st.binary(min_size=1, max_size=8))
        changed = content[:place] + piece + content[place + len(piece) :]
    other = path.with_name("other.safetensors")
    other.write_bytes(changed)
    try:
        load_network(other)
    except WeightsError as error:
        assert str(other) in str(error)


# --- found ----------------------------------------------------------------------------------------


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """An installation prefix with two weight files, and nothing in the source tree."""
    folder = tmp_path / "prefix/share/vos_ros/weights"
    folder.mkdir(parents=True)
    for name in ("gfddal_lite0", "other"):
        (folder / f"{name}.safetensors").write_bytes(b"x")
    monkeypatch.setattr(share, "__file__", str(tmp_path / "lib/vos_ros/share.py"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "nothing"))
    monkeypatch.setenv(
        "AMENT_PREFIX_PATH", os.pathsep.join([str(tmp_path / "gone"), "", str(tmp_path / "prefix")])
    )
    monkeypatch.chdir(tmp_path)
    return folder


def test_weights_are_found_by_name_by_path_and_by_default(shipped, tmp_path):
    assert find_weights("other") == shipped / "other.safetensors"
    assert find_weights("") == find_weights() == shipped / "gfddal_lite0.safetensors"
    own = tmp_path / "my own.safetensors"
    own.write_bytes(b"x")
    assert find_weights(str(own)) == own
    assert find_weights("my own.safetensors").resolve() == own


def test_the_home_folder_is_understood(shipped, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "w.safetensors").write_bytes(b"x")
    assert find_weights("~/w.safetensors") == tmp_path / "w.safetensors"


def test_a_source_tree_comes_before_an_installation(shipped, tmp_path):
    folder = tmp_path / "lib/weights"
    folder.mkdir(parents=True)
    (tmp_path / "lib/package.xml").touch()
    (folder / "other.safetensors").write_bytes(b"x")
    assert find_weights("other") == folder / "other.safetensors"


@pytest.mark.parametrize(
    "name",
    ["nothing", "no/where.safetensors", "folder/other", "~nobody/w", "a" * 5000, "a\0b", "."],
    ids=lambda name: repr(name[:12]),
)
def test_what_is_not_there_is_answered_with_what_is(shipped, name):
    with pytest.raises(WeightsError, match=r"give a path .*shipped names \(gfddal_lite0, other\)"):
        find_weights(name)


def test_an_installation_without_weights_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "weight_folders", lambda: [])
    with pytest.raises(WeightsError, match="none is installed"):
        find_weights("")
