# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`replay` offline writes the camera's calibration beside each mask, as the node sends it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture
from scene import Scene

from vos_ros.apps.replay import main

pytest.importorskip("rclpy", reason="ROS 2 writes the bags of these tests")
from bags import STORAGES, image, read_bag, stamped, topics_of, write_bag  # noqa: E402
from sensor_msgs.msg import CameraInfo, Image  # noqa: E402

COUNT = 4
SCENE = Scene(width=96, height=72)
SMALL = ("--internal-size", "64", "--device", "cpu", "--runtime", "torch", "--precision", "fp32")


def info(number: int, focal: float = 50.0, width: int = 96) -> CameraInfo:
    made = CameraInfo(width=width, height=72, distortion_model="plumb_bob", d=[0.1] * 5)
    made.k = [focal, 0.0, 47.5, 0.0, focal, 35.5, 0.0, 0.0, 1.0]
    made.header.frame_id = "lens"
    return stamped(made, number)


def replayed(folder: Path, infos: list[CameraInfo], storage: str = "mcap", **topics: list) -> Path:
    """The new bag of a bag with these calibrations."""
    mask, bag, out = folder / "mask.png", folder / "run", folder / "new"
    Picture.fromarray(SCENE.truth(0).astype(np.uint8)).save(mask)
    images = [image(SCENE.frame(number), number) for number in range(COUNT)]
    named = {f"/{name.replace('__', '/')}": messages for name, messages in topics.items()}
    write_bag(bag, storage, {"/eye/image": images, "/eye/camera_info": infos, **named})
    assert main(["--mask", str(mask), "--out", str(out), *SMALL, str(bag)]) == 0
    return out


@pytest.mark.parametrize("storage", STORAGES)
def test_each_mask_has_the_calibration_with_its_stamp(tmp_path: Path, storage: str) -> None:
    infos = [info(number, focal=50.0 + number) for number in range(COUNT)]
    out = replayed(tmp_path, infos, storage)
    masks = read_bag(out, "/vos/mask", Image)
    found = read_bag(out, "/vos/camera_info", CameraInfo)
    assert [(time, message.header) for time, message in found] == [
        (time, message.header) for time, message in masks
    ]
    assert [message for _, message in found] == infos


def test_stamps_that_differ_leave_the_newest_of_the_images_size(tmp_path: Path) -> None:
    # Their stamps are none of the images', and one of them is for another size.
    infos = [info(100, 51.0), info(101, 52.0, width=48), info(102, 53.0)]
    found = read_bag(replayed(tmp_path, infos), "/vos/camera_info", CameraInfo)
    assert len(found) == COUNT
    # All three are received within a quarter of a second from the first image on.
    assert [message.k[0] for _, message in found] == [53.0] * COUNT
    assert [message.header.stamp for _, message in found] == [
        image(SCENE.frame(n), n).header.stamp for n in range(COUNT)
    ]


def test_calibrations_for_another_size_are_not_written(tmp_path: Path) -> None:
    out = replayed(tmp_path, [info(number, width=48) for number in range(COUNT)])
    assert read_bag(out, "/vos/camera_info", CameraInfo) == []


def test_without_a_calibration_there_is_no_topic_of_it(tmp_path: Path) -> None:
    out = replayed(tmp_path, [], other__camera_info=[info(0)])
    assert topics_of(out) == ["/eye/image", "/vos/mask", "/vos/presence"]
