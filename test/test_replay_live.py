# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`replay --rate`: a bag through a node that runs, over DDS, and what it answers in a new bag."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

pytest.importorskip("rclpy", reason="ROS 2 is not installed")
from bags import (  # noqa: E402
    DELAY,
    compressed,
    image,
    labels_of,
    read_bag,
    stamp,
    topics_of,
    write_bag,
)
from sensor_msgs.msg import CompressedImage, Image  # noqa: E402
from spinning import Spinning  # noqa: E402
from stage import picture, truth  # noqa: E402

from vos_msgs.msg import ObjectPresenceArray  # noqa: E402
from vos_ros.apps import replay_live  # noqa: E402
from vos_ros.apps.replay import main  # noqa: E402

COUNT = 6
RATE = "2"


@pytest.fixture
def running(make_stage, request: pytest.FixtureRequest) -> Iterator[Spinning]:
    node = Spinning(make_stage(**getattr(request, "param", {})).activate())
    yield node
    node.close()


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    path = tmp_path / "mask.png"
    Picture.fromarray(truth((1, 3))).save(path)
    return path


def bag_of(path: Path, make) -> Path:
    return write_bag(path, "mcap", {"/eye": [make(picture(n), n) for n in range(COUNT)]})


def replay(bag: Path, mask: Path, node: Spinning, *more: object) -> int:
    fixed = ["--rate", RATE, "--node", node.name, "--image", node.image]
    return main([str(bag), "--mask", str(mask), *fixed, *map(str, more)])


def test_images_go_through_the_node_and_its_answers_into_a_bag(
    tmp_path: Path, mask: Path, running: Spinning, capsys
) -> None:
    out = tmp_path / "new"
    more = ("--out", out, "--names", "red", "blue")
    bag = bag_of(tmp_path / "run", image)
    assert replay(bag, mask, running, *more) == 0
    masks = read_bag(out, f"{running.name}/mask", Image)
    told = {
        (m.header.stamp.sec, m.header.stamp.nanosec): m
        for _, m in read_bag(out, f"{running.name}/presence", ObjectPresenceArray)
    }
    stamps = [m.header.stamp.sec * 10**9 + m.header.stamp.nanosec for _, m in masks]
    assert stamps == sorted(set(stamps)) and set(stamps) <= {stamp(n) for n in range(COUNT)}
    assert stamps[-1] == stamp(COUNT - 1)  # the newest image is never given up
    for time, message in masks:
        assert message.header.frame_id == "lens"
        np.testing.assert_array_equal(labels_of(message), truth((1, 3)))
        seen = told[message.header.stamp.sec, message.header.stamp.nanosec]
        assert [(o.id, o.name, o.present) for o in seen.objects] == [
            (1, "red", True),
            (3, "blue", True),
        ]
        # By the recording's clock, an answer comes after its image.
        own = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        assert time >= own + DELAY
    assert read_bag(out, "/eye", Image) == read_bag(bag, "/eye", Image)
    assert f"{len(masks)} masks for {COUNT} images" in capsys.readouterr().out


@pytest.mark.parametrize(
    "running", [{"image_transport": "compressed"}], indirect=True, ids=["compressed"]
)
def test_compressed_images_go_on_their_own_topic(
    tmp_path: Path, mask: Path, running: Spinning
) -> None:
    out = tmp_path / "new"
    assert replay(bag_of(tmp_path / "run", compressed), mask, running, "--out", out) == 0
    assert len(read_bag(out, "/eye", CompressedImage)) == COUNT
    for _, message in read_bag(out, f"{running.name}/mask", Image):
        np.testing.assert_array_equal(labels_of(message), truth((1, 3)))


def test_without_a_bag_to_write_the_node_is_only_shown_the_images(
    tmp_path: Path, mask: Path, running: Spinning, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    bag = bag_of(tmp_path / "run", image)
    before = sorted(tmp_path.iterdir())
    assert replay(bag, mask, running, "--keep", "none") == 0
    assert sorted(tmp_path.iterdir()) == before
    assert "written" not in capsys.readouterr().out


def test_alone_means_without_the_images(tmp_path: Path, mask: Path, running: Spinning) -> None:
    out = tmp_path / "new"
    bag = bag_of(tmp_path / "run", image)
    assert replay(bag, mask, running, "--out", out, "--keep", "none") == 0
    assert topics_of(out) == [f"{running.name}/mask", f"{running.name}/presence"]


def test_what_the_node_refuses_is_told_and_leaves_nothing(
    tmp_path: Path, running: Spinning, capsys
) -> None:
    square = tmp_path / "square.png"
    Picture.fromarray(np.ones((500, 500), np.uint8)).save(square)
    bag, out = bag_of(tmp_path / "run", image), tmp_path / "new"
    assert replay(bag, square, running, "--out", out) == 1
    assert "the node refused the mask" in capsys.readouterr().err
    assert not out.exists()


def test_a_node_that_is_not_there_is_told(
    tmp_path: Path, mask: Path, running: Spinning, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_live, "JOINING", 0.1)
    bag = bag_of(tmp_path / "run", image)
    assert main([str(bag), "--mask", str(mask), "--rate", "1", "--node", "nobody"]) == 1
    assert "nobody offers /nobody/init_mask" in capsys.readouterr().err
    monkeypatch.setattr(replay_live, "JOINING", 10.0)
    deaf = ["--rate", "1", "--node", running.name, "--image", "/nowhere"]
    monkeypatch.setattr(replay_live.Waiter, "spin_for", _impatient(replay_live.Waiter.spin_for))
    assert main([str(bag), "--mask", str(mask), *deaf]) == 1
    assert "nobody subscribes to /nowhere" in capsys.readouterr().err


def _impatient(spin_for):
    """As the original, but not waiting ten seconds for a subscriber that will not come."""

    def quick(self, seconds, condition):
        subscribers = getattr(condition, "__name__", "") == "get_subscription_count"
        return spin_for(self, 0.1 if subscribers else seconds, condition)

    return quick
