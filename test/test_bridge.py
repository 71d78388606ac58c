# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""cv_bridge: the same bytes as ours where it is installed, and no harm done where it is broken."""

from __future__ import annotations

import itertools
import os
import sys

import numpy as np
import pytest
from image_messages import layout_of, make_message
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from vos_ros.ros import bridge
from vos_ros.ros.encodings import ENCODINGS
from vos_ros.ros.images import (
    MASK_ENCODINGS,
    image_to_rgb,
    labels_to_message,
    mask_to_labels,
    rgb_to_message,
)

BRIDGED = [name for name, encoding in ENCODINGS.items() if encoding.bridged]


def _message(encoding: str, width: int, height: int, padding: int = 0, big: bool = False) -> Image:
    layout = layout_of(encoding)
    rng = np.random.default_rng(width * 100 + height)
    shape = (height, width * layout.per_pixel)
    rows = rng.integers(0, 256**layout.itemsize, shape).tolist()
    return make_message(encoding, rows, width=width, padding=padding, big=big)


def _own(msg: Image, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    with monkeypatch.context() as patch:
        patch.setattr(bridge, "_find_bridge", lambda: None)
        return image_to_rgb(msg)


# --- the real one


@pytest.fixture
def real_bridge():
    if not bridge.bridge_is_used():
        pytest.skip("cv_bridge is not installed here, or does not work with this numpy")


def test_cv_bridge_gives_the_same_bytes(real_bridge, monkeypatch):
    sizes = ((1, 1), (2, 2), (2, 7), (7, 2), (3, 3), (65, 33), (64, 5))
    for name, size, pixels_of_padding in itertools.product(BRIDGED, sizes, (0, 1, 5)):
        width, height = size
        if ENCODINGS[name].even_width:
            width += width % 2
        layout = layout_of(name)
        padding = pixels_of_padding * layout.per_pixel * layout.itemsize
        msg = _message(name, width, height, padding)
        case = f"{name}, {width} x {height}, padded by {padding}"
        theirs = bridge.convert_by_bridge(msg, ENCODINGS[name])
        assert theirs is not None, f"cv_bridge refused what it should take: {case}"
        np.testing.assert_array_equal(_own(msg, monkeypatch), theirs, err_msg=case)


def test_cv_bridge_scales_every_16_bit_value_as_ours(real_bridge, monkeypatch):
    for encoding, channels in (("mono16", 1), ("bgr16", 3)):
        values = np.arange(65536).repeat(channels).reshape(256, -1)
        msg = make_message(encoding, values.tolist(), width=256)
        theirs = bridge.convert_by_bridge(msg, ENCODINGS[encoding])
        np.testing.assert_array_equal(_own(msg, monkeypatch), theirs)


def test_cv_bridge_reads_the_same_labels(real_bridge):
    from cv_bridge import CvBridge

    for encoding, padding in itertools.product(MASK_ENCODINGS, (0, 4)):
        msg = _message(encoding, 7, 5, padding)
        theirs = CvBridge().imgmsg_to_cv2(msg, "passthrough")
        np.testing.assert_array_equal(mask_to_labels(msg), theirs, err_msg=encoding)
        assert mask_to_labels(msg).dtype == theirs.dtype


def test_cv_bridge_reads_what_we_send(real_bridge):
    from cv_bridge import CvBridge

    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (5, 7, 3), np.uint8)
    for encoding in ("bgr8", "rgb8"):
        sent = rgb_to_message(image, Header(), encoding)
        np.testing.assert_array_equal(CvBridge().imgmsg_to_cv2(sent, "rgb8"), image)
        bgr = image if encoding == "rgb8" else np.ascontiguousarray(image[..., ::-1])
        assert sent == CvBridge().cv2_to_imgmsg(bgr, encoding)
    sent = labels_to_message(image[..., 0], Header())
    assert sent == CvBridge().cv2_to_imgmsg(image[..., 0], "mono8")


# --- ones made for the purpose

WORKING = """
import numpy as np

class CvBridge:
    calls = []

    def imgmsg_to_cv2(self, msg, wanted):
        assert wanted == "rgb8"
        self.calls.append((msg.encoding, msg.step))
        pixels = np.frombuffer(msg.data, np.uint8).reshape(msg.height, msg.step)
        if msg.encoding != "bgr8":
            raise TypeError("Unrecognized image encoding")
        return pixels[:, : msg.width * 3].reshape(msg.height, msg.width, 3)[..., ::-1].copy()
"""
CRASHING = "import os\nos.abort()\n"
RAISING = "raise AttributeError('_ARRAY_API not found')\n"
WRONG = WORKING.replace("[..., ::-1]", "")


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a cv_bridge of the given source where this process and its children find it."""
    before = sys.modules.pop("cv_bridge", None)

    def write(source: str) -> None:
        (tmp_path / "cv_bridge").mkdir()
        (tmp_path / "cv_bridge" / "__init__.py").write_text(source)
        monkeypatch.syspath_prepend(str(tmp_path))
        paths = [str(tmp_path), os.environ.get("PYTHONPATH", "")]
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in paths if path))
        bridge._find_bridge.cache_clear()

    yield write
    bridge._find_bridge.cache_clear()
    sys.modules.pop("cv_bridge", None)
    if before is not None:
        sys.modules["cv_bridge"] = before


def test_an_installed_cv_bridge_is_used(install, monkeypatch):
    install(WORKING)
    assert bridge.bridge_is_used()
    msg = _message("bgr8", 4, 3)
    expected = _own(msg, monkeypatch)
    np.testing.assert_array_equal(image_to_rgb(msg), expected)
    from cv_bridge import CvBridge

    assert CvBridge.calls == [("bgr8", 12)]


@pytest.mark.parametrize(
    "encoding, padding, big",
    [("bgr8", 2, False), ("bgr8", 0, True), ("yuyv", 0, False), ("rgb8", 0, False)],
)
def test_what_cv_bridge_gets_wrong_or_cannot_do_is_kept_from_it(
    install, monkeypatch, encoding, padding, big
):
    install(WORKING)
    msg = _message(encoding, 4, 3, padding, big)
    np.testing.assert_array_equal(image_to_rgb(msg), _own(msg, monkeypatch))
    from cv_bridge import CvBridge

    assert CvBridge.calls == []


def test_an_encoding_that_an_older_cv_bridge_does_not_know_is_converted_all_the_same(
    install, monkeypatch
):
    install(WORKING)
    msg = _message("yuv422_yuy2", 4, 3)
    np.testing.assert_array_equal(image_to_rgb(msg), _own(msg, monkeypatch))


@pytest.mark.parametrize("source", [CRASHING, RAISING, WRONG], ids=["crashing", "raising", "wrong"])
def test_a_broken_cv_bridge_is_left_alone(install, source):
    install(source)
    assert not bridge.bridge_is_used()
    assert image_to_rgb(_message("bgr8", 4, 3)).shape == (3, 4, 3)
    assert "cv_bridge" not in sys.modules


def test_no_process_is_started_where_there_is_no_cv_bridge(monkeypatch):
    monkeypatch.setattr(bridge.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(bridge.subprocess, "run", lambda *_, **__: pytest.fail("a child started"))
    bridge._find_bridge.cache_clear()
    try:
        assert not bridge.bridge_is_used()
    finally:
        bridge._find_bridge.cache_clear()
