# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the camera of a soak shows: scenes in the encodings of cameras, and what is no image."""

from __future__ import annotations

import random

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import Image

from vos_ros.apps.soak_camera_faults import SPOILERS
from vos_ros.ros.images import ImageError, image_to_rgb
from vos_ros.soak.pixels import ENCODERS, encode
from vos_ros.soak.scene import OBJECTS, Scene

# --- the scene


@pytest.mark.parametrize("size", [(320, 240), (64, 64), (240, 320)])
def test_objects_are_where_their_mask_says(size):
    """Between two images only what the masks of both cover may change, where nothing drifts."""
    scene = Scene(1)
    for number in range(0, 400, 40):  # the ground moves with every second image
        pictures = [scene.image(number + n, *size).astype(int) for n in (0, 1)]
        labels = [scene.labels(number + n, *size) for n in (0, 1)]
        assert pictures[0].shape == (size[1], size[0], 3)
        still = (labels[0] == 0) & (labels[1] == 0)
        assert (pictures[0][still] == pictures[1][still]).all()
        assert (pictures[0] != pictures[1]).any()


def test_objects_come_and_go_and_move():
    scene = Scene(1)
    seen = [set(np.unique(scene.labels(number, 160, 120))) - {0} for number in range(0, 1500, 5)]
    assert set().union(*seen) == set(range(1, OBJECTS + 1))
    assert any(len(ids) < OBJECTS for ids in seen)
    assert all(seen)


def test_a_scene_follows_from_its_seed():
    np.testing.assert_array_equal(Scene(3).image(9, 64, 48), Scene(3).image(9, 64, 48))
    assert (Scene(3).image(9, 64, 48) != Scene(4).image(9, 64, 48)).any()


# --- encodings


@pytest.mark.parametrize("encoding", ENCODERS)
def test_the_node_reads_what_the_camera_sends(encoding):
    image = cv2.GaussianBlur(Scene(2).image(0, 64, 48), (0, 0), 3)
    data, step = encode(image, encoding)
    message = Image(width=64, height=48, step=step, encoding=encoding)
    message.data.frombytes(data)
    seen = image_to_rgb(message).astype(int)
    if encoding.startswith("mono"):
        grey = image @ [0.299, 0.587, 0.114]
        assert np.abs(seen - grey[..., None]).max() <= 1
    elif encoding in ("yuyv", "nv12", "bayer_rggb8"):  # neighbours share their colours
        assert np.abs(seen - image).mean() < 12
    else:
        np.testing.assert_array_equal(seen, image)


@pytest.mark.parametrize("encoding", ENCODERS)
@pytest.mark.parametrize("what", SPOILERS)
def test_a_spoiled_image_is_none(what, encoding):
    data, step = encode(Scene(2).image(0, 64, 48), encoding)
    for seed in range(5):
        message = Image(width=64, height=48, step=step, encoding=encoding)
        message.data.frombytes(data)
        SPOILERS[what](random.Random(seed), message)
        with pytest.raises(ImageError):
            image_to_rgb(message)
