# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`replay` offline: every image of a bag, the same masks twice, and a new bag that others read."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture
from scene import Scene

from vos_ros.apps.replay import main
from vos_ros.evaluation.measures import contour_accuracy, region_similarity

pytest.importorskip("rclpy", reason="ROS 2 writes the bags of these tests")
from bags import (  # noqa: E402
    BEGIN,
    DELAY,
    STORAGES,
    compressed,
    image,
    labels_of,
    read_bag,
    rows_of,
    stamp,
    topics_of,
    words,
    write_bag,
)
from sensor_msgs.msg import CompressedImage, Image  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from vos_msgs.msg import ObjectPresenceArray  # noqa: E402

COUNT = 8
EVERY = 3  # frames of the scene from one image of the bag to the next
SCENE = Scene(width=192, height=144)
SMALL = ("--internal-size", "96", "--device", "cpu", "--runtime", "torch", "--precision", "fp32")
FLOOR = 0.92  # of J and F each; the shipped weights have 0.949 and 0.987


def frames(count: int = COUNT) -> list[np.ndarray]:
    return [SCENE.frame(EVERY * number) for number in range(count)]


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    return write_mask(tmp_path / "mask.png", 0, 5)


def write_mask(path: Path, number: int, object_id: int = 1) -> Path:
    Picture.fromarray(object_id * SCENE.truth(EVERY * number)).save(path)
    return path


def bag_of(path: Path, storage: str = "mcap", **more: list) -> Path:
    topics = {"/eye/image": [image(rgb, n) for n, rgb in enumerate(frames())]}
    return write_bag(path, storage, {**topics, **{f"/{k}": v for k, v in more.items()}})


def replay(*arguments: object) -> int:
    return main([*map(str, arguments), *SMALL])


@pytest.mark.parametrize("storage", STORAGES)
def test_every_image_gets_a_true_mask_with_its_stamp(
    tmp_path: Path, mask: Path, storage: str
) -> None:
    bag, out = bag_of(tmp_path / "run", storage), tmp_path / "new"
    assert replay(bag, "--mask", mask, "--out", out, "--names", "flower") == 0
    masks = read_bag(out, "/vos/mask", Image)
    assert [time for time, _ in masks] == [stamp(n) + DELAY for n in range(COUNT)]
    scores = []
    for number, (_, message) in enumerate(masks):
        assert message.header.frame_id == "lens"
        assert message.header.stamp.sec * 10**9 + message.header.stamp.nanosec == stamp(number)
        found, truth = labels_of(message), SCENE.truth(EVERY * number)
        assert set(np.unique(found)) <= {0, 5}
        scores.append((region_similarity(found, truth), contour_accuracy(found, truth)))
    means = np.mean(scores[1:], axis=0)  # the first mask was given
    assert scores[0] == (1.0, 1.0)
    assert (means >= FLOOR).all(), means
    # The mask held still is no answer.
    still = [region_similarity(SCENE.truth(0), SCENE.truth(EVERY * n)) for n in range(1, COUNT)]
    assert np.mean(still) < 0.6


def test_presence_says_what_the_masks_show(tmp_path: Path, mask: Path) -> None:
    bag, out = bag_of(tmp_path / "run"), tmp_path / "new"
    assert replay(bag, "--mask", mask, "--out", out, "--names", "flower", "--node", "a/b") == 0
    masks = read_bag(out, "/a/b/mask", Image)
    told = read_bag(out, "/a/b/presence", ObjectPresenceArray)
    assert len(told) == len(masks) == COUNT
    for (_, shown), (_, message) in zip(masks, told, strict=True):
        assert message.header == shown.header
        (item,) = message.objects
        assert (item.id, item.name, item.present, item.absent_frames) == (5, "flower", True, 0)
        assert item.last_seen == shown.header.stamp
        rows, columns = np.nonzero(labels_of(shown))
        assert item.area_fraction == pytest.approx(len(rows) / (192 * 144))
        box = item.box
        assert (box.x_offset, box.y_offset) == (columns.min(), rows.min())
        assert (box.width, box.height) == (np.ptp(columns) + 1, np.ptp(rows) + 1)


@pytest.mark.parametrize("runtime", ["torch", "openvino"])
def test_the_same_bag_gives_the_same_bytes_twice(
    tmp_path: Path, mask: Path, capsys, runtime: str
) -> None:
    pytest.importorskip(runtime)
    bag = bag_of(tmp_path / "run")
    for name in ("one", "two"):
        given = [bag, "--mask", mask, "--out", tmp_path / name, *SMALL, "--runtime", runtime]
        assert main(list(map(str, given))) == 0
    one, two = (read_bag(tmp_path / name, "/vos/mask", Image) for name in ("one", "two"))
    assert [bytes(m.data) for _, m in one] == [bytes(m.data) for _, m in two]
    whole = hashlib.sha256(b"".join(bytes(message.data) for _, message in one)).hexdigest()
    assert capsys.readouterr().out.count(whole) == 2


@pytest.mark.parametrize("storage", STORAGES)
def test_what_is_kept_is_copied_byte_for_byte(tmp_path: Path, mask: Path, storage: str) -> None:
    bag = bag_of(tmp_path / "run", storage, talk=words(3))
    camera, kept = "/eye/image", {"images": COUNT, "none": 0, "all": COUNT + 3}
    for keep, others in (("images", [camera]), ("none", []), ("all", [camera, "/talk"])):
        out = tmp_path / keep
        assert replay(bag, "--mask", mask, "--out", out, "--keep", keep) == 0
        assert topics_of(out) == sorted([*others, "/vos/mask", "/vos/presence"])
        kinds = {"/eye/image": Image, "/talk": String}
        for topic in others:
            assert read_bag(out, topic, kinds[topic]) == read_bag(bag, topic, kinds[topic])
        (file,) = [item for item in out.iterdir() if item.name != "metadata.yaml"]
        assert file.suffix == {"mcap": ".mcap", "sqlite3": ".db3"}[storage]
        if storage == "sqlite3":
            assert rows_of(out) == 2 * COUNT + kept[keep]


def test_compressed_and_raw_images_give_the_same_masks(tmp_path: Path, mask: Path) -> None:
    raw = write_bag(
        tmp_path / "raw", "mcap", {"/i": [image(f, n, "bgr8") for n, f in enumerate(frames(3))]}
    )
    small = write_bag(
        tmp_path / "small", "mcap", {"/i": [compressed(f, n) for n, f in enumerate(frames(3))]}
    )
    found = []
    for bag in (raw, small):
        out = tmp_path / f"{bag.name}_new"
        assert replay(bag, "--mask", mask, "--out", out, "--keep", "none") == 0
        found.append([bytes(m.data) for _, m in read_bag(out, "/vos/mask", Image)])
    assert found[0] == found[1]


def test_the_mask_may_belong_to_a_later_image(tmp_path: Path) -> None:
    bag = bag_of(tmp_path / "run")
    mask = write_mask(tmp_path / "late.png", 4)
    whole, nanoseconds = divmod(stamp(4), 10**9)
    for name, choice in (
        ("frame", ["--frame", 4]),
        ("stamp", ["--stamp", f"{whole}.{nanoseconds:09d}"]),
        ("short", ["--stamp", f"{whole}.{nanoseconds // 10**7:02d}"]),
    ):
        out, picture = tmp_path / name, tmp_path / f"{name}.png"
        assert replay(bag, *choice, "--first-frame", picture) == 0
        np.testing.assert_array_equal(np.array(Picture.open(picture)), SCENE.frame(EVERY * 4))
        assert replay(bag, "--mask", mask, "--out", out, *choice) == 0
        masks = read_bag(out, "/vos/mask", Image)
        assert [time - DELAY for time, _ in masks] == [stamp(n) for n in range(4, COUNT)]
        np.testing.assert_array_equal(labels_of(masks[0][1]), SCENE.truth(EVERY * 4))
        assert len(read_bag(out, "/eye/image", Image)) == COUNT  # those before it are kept, too


def test_an_image_that_cannot_be_read_is_told_and_passed_over(
    tmp_path: Path, mask: Path, capsys
) -> None:
    images = [image(rgb, n) for n, rgb in enumerate(frames(4))]
    images[2].encoding = "purple"
    out = tmp_path / "new"
    bag = write_bag(tmp_path / "run", "mcap", {"/i": images})
    assert replay(bag, "--mask", mask, "--out", out) == 0
    masks = read_bag(out, "/vos/mask", Image)
    assert [time - DELAY for time, _ in masks] == [stamp(0), stamp(1), stamp(3)]
    said = capsys.readouterr().out
    assert "3 masks for 4 images" in said and "'purple'" in said


REFUSED = {
    "mask": (["--mask", "{none}"], 2, "there is no file"),
    "no mask": ([], 2, "no mask was given"),
    "names": (["--mask", "{mask}", "--names", "a", "b"], 2, "1 objects need as many names"),
    "range": (["--mask", "{mask}", "--internal-size", "5"], 2, "must be from 64 to 1440"),
    "live": (["--mask", "{mask}", "--rate", "1", "--threads", "1"], 2, "for offline replay"),
    "topic": (["--mask", "{mask}", "--topic", "/ear"], 1, "it has: /eye/image (sensor_msgs/msg/Im"),
    "frame": (["--mask", "{mask}", "--frame", "99"], 1, "has 8 images, so that there is no number"),
    "stamp": (["--mask", "{mask}", "--stamp", "12"], 1, "they go from 1700000000.250000000 to"),
    "there": (["--mask", "{mask}", "--out", "{mask}"], 1, "is there already and is not replaced"),
    "node": (["--mask", "{mask}", "--node", "eye", "--keep", "all"], 1, "has /eye/mask already"),
    "shape": (["--mask", "{square}"], 1, "aspect ratio"),
    "weights": (["--mask", "{mask}", "--weights", "nowhere"], 1, "nowhere"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_said_and_leaves_nothing(
    case: str, tmp_path: Path, mask: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bag = bag_of(tmp_path / "run", mask=words(1))  # and /eye/mask for one of them
    bag = write_bag(tmp_path / "twin", "mcap", {
        "/eye/image": [image(rgb, n) for n, rgb in enumerate(frames())], "/eye/mask": words(1),
    }) if case == "node" else bag  # fmt: skip
    square = tmp_path / "square.png"
    Picture.fromarray(np.ones((64, 64), np.uint8)).save(square)
    before = sorted(tmp_path.iterdir())
    arguments, status, sentence = REFUSED[case]
    places = {"mask": mask, "square": square, "none": tmp_path / "none.png"}
    given = [argument.format(**places) for argument in arguments]
    small = () if case in ("range", "live") else SMALL
    assert main([str(bag), *given, *small]) == status
    assert sentence in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before


def test_of_several_image_topics_one_has_to_be_named(tmp_path: Path, mask: Path, capsys) -> None:
    pictures = [image(rgb, n) for n, rgb in enumerate(frames(2))]
    packed = [compressed(rgb, n) for n, rgb in enumerate(frames(2))]
    topics = {"/left": pictures, "/right/compressed": packed, "/talk": words(1)}
    bag = write_bag(tmp_path / "run", "sqlite3", topics)
    assert replay(bag, "--mask", mask, "--out", tmp_path / "no") == 1
    said = capsys.readouterr().err
    assert "/left (sensor_msgs/msg/Image, 2 messages)" in said
    assert "/right/compressed (sensor_msgs/msg/CompressedImage, 2 messages)" in said
    assert "/talk" not in said
    named = ("--topic", "right/compressed", "--out", tmp_path / "yes")
    assert replay(bag, "--mask", mask, *named) == 0
    assert len(read_bag(tmp_path / "yes", "/right/compressed", CompressedImage)) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_a_readable_bag_or_none(tmp_path: Path, mask: Path, number: int) -> None:
    images = [image(rgb, n) for n, rgb in enumerate(frames(4) * 200)]
    bag, out = write_bag(tmp_path / "run", "mcap", {"/i": images}), tmp_path / "new"
    child = subprocess.Popen(
        [sys.executable, "-m", "vos_ros", "replay", bag, "--mask", mask, "--out", out, *SMALL],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1,
    )  # fmt: skip
    try:
        assert child.stderr is not None
        said = ""
        while not re.search(r"[1-9]%\|", said):  # eight or more of the images are done then
            said += child.stderr.read(1) or pytest.fail(f"it ended: {said}")
        child.send_signal(number)
        _, rest = child.communicate(timeout=60)
    finally:
        child.kill()
        child.wait()
    assert child.returncode == 128 + number, rest
    assert f"the masks made until then are in '{out}'" in rest
    masks = read_bag(out, "/vos/mask", Image)
    assert 0 < len(masks) < len(images)
    assert len(masks) <= len(read_bag(out, "/i", Image)) <= len(masks) + 1
    assert not [item for item in os.listdir(tmp_path) if item.startswith(".")]


def test_the_first_stamp_is_where_the_bags_begin() -> None:
    assert stamp(0) == BEGIN
