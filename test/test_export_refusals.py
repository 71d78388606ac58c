# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What cannot be exported is refused in a sentence, and leaves nothing behind."""

from __future__ import annotations

import pytest
from exporting import export, saved
from tiny import add_tiny_backbone

from vos_ros.apps.export import main
from vos_ros.export.pair import OnnxPair


@pytest.fixture(autouse=True)
def tiny_backbone(monkeypatch):
    add_tiny_backbone(monkeypatch)


@pytest.mark.parametrize(
    ("options", "size", "said"),
    [
        ([], "60x96", "multiples of 32 pixels, at most 2048; give 64x96"),
        ([], "64x0", "give 64x32"),
        ([], "64x99999", "give 64x2048"),
        (["--objects", "256"], "64x96", "objects must be within 1..255, not 256"),
        (["--objects", "255"], "64x96", "no room in an image of 96x64 pixels; give --no-check"),
        (["--opset", "12"], "64x96", "opset must be within 18..23, not 12"),
    ],
)
def test_what_cannot_be_exported_is_refused_in_a_sentence(tmp_path, capsys, options, size, said):
    weights = saved(tmp_path, "dgmpm")
    assert export(weights, tmp_path / "out", *options, size=size) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--size", "288"], "'288' is not HEIGHTxWIDTH in pixels, such as 288x512"),
        (["--precision", "bf16"], "invalid choice: 'bf16'"),
        (["--objects", "0"], "not a whole number of 1 or more"),
    ],
)
def test_unusable_options_are_refused(tmp_path, capsys, option, said):
    with pytest.raises(SystemExit) as ended:
        main(["--out", str(tmp_path), *option])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_unknown_weights_are_refused(tmp_path, capsys):
    assert main(["--weights", "nobody", "--out", str(tmp_path)]) == 2
    assert "no weight file 'nobody'" in capsys.readouterr().err


def test_absent_packages_are_named_with_the_command_that_installs_them(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["--out", str(tmp_path / "a")]) == 2
    assert "pip install onnx onnxscript onnxruntime" in capsys.readouterr().err
    assert main(["--out", str(tmp_path / "a"), "--no-check"]) == 2
    assert capsys.readouterr().err.endswith("pip install onnx onnxscript\n")
    assert not (tmp_path / "a").exists()


def test_a_folder_that_cannot_be_is_told(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["--out", str(tmp_path / "file" / "folder")]) == 2
    assert "file/folder cannot be written to: Not a directory" in capsys.readouterr().err


def test_where_one_file_cannot_be_replaced_neither_is(tmp_path):
    (tmp_path / "start.onnx").write_bytes(b"old")
    (tmp_path / "step.onnx").mkdir()
    with pytest.raises(IsADirectoryError):
        OnnxPair(b"new", b"new").write(tmp_path)
    assert (tmp_path / "start.onnx").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["start.onnx", "step.onnx"]
