# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Exported files against the network in PyTorch, which is their reference."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import math
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from exporting import HEIGHT, KINDS, LICENCE, WIDTH, export, masks_of, reference, saved
from scenes import moving
from tiny import add_tiny_backbone
from torch.nn import functional as F

from vos_ros.benchmark.film import make_film
from vos_ros.benchmark.settings import Size
from vos_ros.export.comparison import Agreement, compare
from vos_ros.export.pair import OnnxPair
from vos_ros.inference import prepare
from vos_ros.weights import load_network

ROOT = Path(__file__).parents[1]

# Exporting takes PyTorch ten to twenty seconds of a whole core, however small the network.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module", autouse=True)
def tiny_backbone():
    with pytest.MonkeyPatch.context() as patch:
        add_tiny_backbone(patch)
        yield


class Exported:
    """A network in its files, for any number of objects, and what was said of them."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.weights, self.folder = saved(folder, kind), folder / "onnx"
        with contextlib.redirect_stdout(io.StringIO()) as said:
            self.status = export(self.weights, self.folder)
        self.said = said.getvalue()
        self.network, self.card = load_network(self.weights)
        self.paths = [self.folder / "start.onnx", self.folder / "step.onnx"]

    @property
    def pair(self) -> OnnxPair:
        return OnnxPair(*(path.read_bytes() for path in self.paths))


@pytest.fixture(scope="module", params=KINDS)
def exported(request, tmp_path_factory):
    return Exported(tmp_path_factory.mktemp(request.param), request.param)


def by_the_files(paths, images, masks):
    """What `reference` gives, by ONNX Runtime from nothing but the files."""
    start, step = (onnxruntime.InferenceSession(path) for path in paths)
    first, *later = images
    names = [output.name for output in start.get_outputs()]
    state = dict(zip(names, start.run(names, {"images": first, "masks": masks}), strict=True))
    outputs, found = [output.name for output in step.get_outputs()], []
    for image in later:
        values = dict(zip(outputs, step.run(outputs, {"images": image, **state}), strict=True))
        for name in state:
            state[name] = values.get(f"{name}_after", state[name])
        found.append((torch.from_numpy(values["logits"]), torch.from_numpy(values["sound"])))
    return found


@pytest.mark.parametrize("objects", [1, 3])
def test_the_files_follow_objects_as_the_network_does(exported, objects):
    images = [np.moveaxis(f, 2, 0)[None].astype(np.float32) for f in moving(9)]
    masks = masks_of(objects)
    wanted = reference(exported.network, images, masks)
    found = by_the_files(exported.paths, images, masks)
    seen = set()
    for (logits, sound), (other, also_sound) in zip(wanted, found, strict=True):
        assert other.shape == logits.shape and torch.equal(also_sound, sound)
        apart = F.softmax(other, dim=1) - F.softmax(logits, dim=1)
        assert apart.abs().max() <= 1e-3
        labels = logits.argmax(dim=1)
        assert (other.argmax(dim=1) == labels).double().mean() >= 0.999
        seen |= set(labels.unique().tolist())
    assert seen == set(range(objects + 1))


def test_what_goes_in_and_comes_out_is_named_and_of_the_state_s_shapes(exported):
    start, step = (onnx.load(path).graph for path in exported.paths)
    ready = prepare(exported.network, torch.device("cpu"), "fp32")
    images, masks = torch.zeros(1, 3, HEIGHT, WIDTH), torch.from_numpy(masks_of(2))
    with torch.inference_mode():
        state = ready.start(ready.encode(images), masks)
        logits = ready.advance(images, state)[0].logits
    held = {name: tuple(value.shape) for name, value in state.tensors().items()}
    renewed = {f"{name}_after": held[name] for name in held if name in state.renewed}
    given = {"images": (1, 3, HEIGHT, WIDTH)}
    assert shapes(start.input) == given | {"masks": (1, 2, HEIGHT, WIDTH)}
    assert shapes(start.output) == held
    assert shapes(step.input) == given | held
    results = {"logits": tuple(logits.shape), "sound": (1, 2)}
    assert shapes(step.output) == results | renewed
    types = {value.name: value.type.tensor_type.elem_type for value in step.output}
    assert types.pop("sound") == onnx.TensorProto.BOOL
    assert set(types.values()) == {onnx.TensorProto.FLOAT}


def shapes(values) -> dict[str, tuple[int, ...]]:
    """By name, in the order of the file, for two objects."""
    known = {"objects": 2, "objects + 1": 3}
    return {
        value.name: tuple(
            known[axis.dim_param] if axis.dim_param else axis.dim_value
            for axis in value.type.tensor_type.shape.dim
        )
        for value in values
    }


def test_the_files_say_what_they_are_and_nothing_of_where_they_were_made(exported):
    for path, part in zip(exported.paths, ("start", "step"), strict=True):
        model = onnx.load(path)
        about = {entry.key: entry.value for entry in model.metadata_props}
        assert about["format"] == "vos_ros.onnx.1" and about["graph"] == part
        assert about["model"] == exported.card.model
        assert json.loads(about["config"]) == exported.network.config
        assert about["weights"] == exported.weights.stem
        assert about["weights_sha256"] == exported.card.sha256
        assert about["licence"] == LICENCE
        assert (about["size"], about["objects"]) == (f"{HEIGHT}x{WIDTH}", "open")
        assert json.loads(about["padding"]) == [127.5, 102, 114.75]  # of the backbone's mean
        assert model.opset_import[0].version == 20
        for trace in (b".py", b"site-packages", str(ROOT).encode()):
            assert trace not in path.read_bytes()


def test_the_figures_of_the_check_are_printed_and_only_whole_files_are_there(exported):
    assert exported.status == 0
    figures = re.findall(
        r"check: (\d) objects?, 31 frames: probabilities differ by (\S+) at most, (\S+) % of",
        exported.said,
    )
    assert [int(count) for count, _, _ in figures] == [1, 3]
    assert all(float(worst) <= 1e-3 and float(equal) >= 99.9 for _, worst, equal in figures)
    assert sorted(path.name for path in exported.folder.iterdir()) == ["start.onnx", "step.onnx"]


def test_files_of_other_weights_are_told_and_not_written(exported, tmp_path, monkeypatch, capsys):
    kind = exported.card.model
    other = saved(tmp_path, kind, seed=3)
    film = make_film(Size(WIDTH, HEIGHT), 2, 3)
    assert not compare(load_network(other)[0], exported.pair, film.frames, film.mask).good
    monkeypatch.setattr(OnnxPair, "of", lambda *_: exported.pair)
    assert export(other, tmp_path / "out") == 1
    assert "differ from the network; nothing was written" in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []


def test_a_stated_number_of_objects_is_the_only_one(tmp_path, capsys):
    weights = saved(tmp_path, "dgmpm")
    assert export(weights, tmp_path, "--objects", "2", "--opset", "18") == 0
    assert "check: 2 objects, 31 frames" in capsys.readouterr().out
    model = onnx.load(tmp_path / "step.onnx")
    assert model.opset_import[0].version == 18
    assert not any(
        axis.dim_param for v in model.graph.input for axis in v.type.tensor_type.shape.dim
    )
    images = [np.moveaxis(f, 2, 0)[None].astype(np.float32) for f in moving(2)]
    paths = (tmp_path / "start.onnx", tmp_path / "step.onnx")
    with pytest.raises(Exception, match="Got: 3 Expected: 2"):
        by_the_files(paths, images, masks_of(3))


def test_the_document_s_example_follows_a_video(exported, tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/export.md").read_text(), re.DOTALL)
    for path in exported.paths:
        (tmp_path / path.name).symlink_to(path)
    video = cv2.VideoWriter(
        str(tmp_path / "clip.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 10, (WIDTH, HEIGHT)
    )
    for frame in moving(6):
        video.write(frame[:, :, ::-1].copy())
    video.release()
    masks = masks_of(2)
    labels = np.maximum(40 * masks[0, 0], 90 * masks[0, 1]).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "mask.png"), labels)
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stderr
    counts = [[int(n) for n in re.findall(r"\d+", line)] for line in ran.stdout.splitlines()]
    for (logits, _), found in zip(
        reference(exported.network, decoded(tmp_path / "clip.mp4"), masks), counts, strict=True
    ):
        shown = F.interpolate(logits, (HEIGHT, WIDTH), mode="bilinear", align_corners=False)
        wanted = shown[0].argmax(dim=0).flatten().bincount(minlength=3)
        assert np.abs(wanted.numpy() - found).sum() <= 0.002 * HEIGHT * WIDTH


def decoded(path: Path) -> list[np.ndarray]:
    """The frames of a video, 1 x 3 x H x W float32 RGB each."""
    video, frames = cv2.VideoCapture(str(path)), []
    while (frame := video.read()[1]) is not None:
        frames.append(np.ascontiguousarray(frame[:, :, ::-1].transpose(2, 0, 1)[None], np.float32))
    return frames


def test_agreement_has_three_conditions():
    good = Agreement(1, 31, 1e-3, 0.999, True)
    assert good.good
    worse = [{"difference": 1.1e-3}, {"difference": math.nan}, {"equal": 0.99}, {"sound": False}]
    assert not any(dataclasses.replace(good, **change).good for change in worse)
