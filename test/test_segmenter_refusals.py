# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What cannot be met is worded, and changes nothing: what comes next is the same bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import FIRST, mask_of, moving, same
from tiny import ColourNetwork

from vos_ros import readout
from vos_ros.segmenter import SegmentationError, VideoSegmenter

IMAGE = moving(1)[0]
TOO_MANY = mask_of(*((8 * i, 0, 6, i + 1) for i in range(5)))
REFUSALS = {
    "empty mask": (IMAGE, mask_of(), "no object.*give each object's pixels an id from 1 to 255"),
    "id 256": (IMAGE, mask_of((4, 8, 9, 256), dtype=np.uint16), "id 256.*within 1..255"),
    "negative id": (IMAGE, mask_of((4, 8, 9, -2), dtype=np.int16), "id -2.*within 1..255"),
    "other aspect ratio": (
        IMAGE,
        mask_of((4, 8, 9, 1), size=(64, 64)),
        "mask is 64 x 64 pixels but the image is 96 x 64.*aspect.*image's own size",
    ),
    "too many objects": (IMAGE, TOO_MANY, "5 objects.*at most 4"),
    "float mask": (IMAGE, FIRST.astype(np.float32), "mask must be.*integers, not 64 x 96 float32"),
    "colour mask": (IMAGE, IMAGE, "mask must be height x width integers, not 64 x 96 x 3 uint8"),
    "no mask": (IMAGE, None, "mask must be.*not a NoneType"),
    "no pixel in the mask": (IMAGE, np.zeros((0, 0), np.uint8), "not 0 x 0 uint8"),
    "object lost in resizing": (
        IMAGE,
        mask_of((4, 8, 60, 1), (0, 0, 1, 2), size=(192, 288)),
        "object 2 is lost when the mask is resized from 288 x 192 to the image's 96 x 64",
    ),
    "grey image": (IMAGE[..., 0], FIRST, "must be height x width x 3 bytes.*not 64 x 96 uint8"),
    "image with alpha": (np.dstack([IMAGE, IMAGE])[..., :4], FIRST, "not 64 x 96 x 4 uint8"),
    "float image": (IMAGE / 255, FIRST, "not 64 x 96 x 3 float64"),
    "image without pixels": (IMAGE[:0], FIRST, "not 0 x 96 x 3 uint8"),
    "no image": (IMAGE.tolist(), FIRST, "not a list"),
}


@pytest.mark.parametrize("call", ["start", "add"])
@pytest.mark.parametrize("name", REFUSALS)
def test_a_refused_mask_or_image_is_worded_and_changes_nothing(network, name, call):
    image, mask, message = REFUSALS[name]
    harmed, unharmed = (VideoSegmenter(network, size=64, max_objects=4) for _ in range(2))
    images = moving(4)
    for segmenter in (harmed, unharmed):
        segmenter.start(images[0], FIRST)
        segmenter.step(images[1])
    with pytest.raises(SegmentationError, match=message):
        getattr(harmed, call)(image, mask)
    assert harmed.ids == (3, 200)
    same(harmed.step(images[2]), unharmed.step(images[2]))
    extra = mask_of((30, 50, 9, 5))
    same(harmed.add(images[2], extra), unharmed.add(images[2], extra))
    same(harmed.step(images[3]), unharmed.step(images[3]))


BAD_CALLS = {
    "a bad later image": lambda s: s.start(IMAGE, FIRST, [IMAGE, IMAGE[..., 0]]),
    "a bad later image of an addition": lambda s: s.add(IMAGE, FIRST, [IMAGE, IMAGE[..., 0]]),
    "later images that end in an error": lambda s: s.start(IMAGE, FIRST, (1 / 0 for _ in "a")),
    "too many beside the followed": lambda s: s.add(
        IMAGE, mask_of((0, 0, 9, 1), (20, 0, 9, 2), (40, 0, 9, 4))
    ),
    "a bad step": lambda s: s.step(IMAGE[..., :2]),
    "removing what is not followed": lambda s: s.remove(4),
}


@pytest.mark.parametrize("name", BAD_CALLS)
def test_a_call_that_fails_half_way_changes_nothing(network, name):
    harmed, unharmed = (VideoSegmenter(network, size=64, max_objects=4) for _ in range(2))
    images = moving(4)
    for segmenter in (harmed, unharmed):
        segmenter.start(images[0], FIRST)
        segmenter.step(images[1])
    with pytest.raises((SegmentationError, ZeroDivisionError)) as caught:
        BAD_CALLS[name](harmed)
    if name.startswith("too many"):
        assert "3 objects beside the 2 followed, which makes 5; at most 4" in str(caught.value)
    if name.startswith("removing"):
        assert str(caught.value) == "object 4 is not followed; followed are: 3, 200"
    same(harmed.step(images[2]), unharmed.step(images[2]))
    extra = mask_of((30, 50, 9, 5))
    same(harmed.add(images[2], extra), unharmed.add(images[2], extra))


def test_a_network_that_fails_changes_nothing(colour, monkeypatch):
    twin = VideoSegmenter(ColourNetwork(), size=64)
    images = moving(4)
    for segmenter in (colour, twin):
        segmenter.start(images[0], FIRST)
    with monkeypatch.context() as patch:
        patch.setattr(readout, "_download", lambda *_: (_ for _ in ()).throw(OverflowError()))
        for call in (
            lambda: colour.step(images[1]),
            lambda: colour.start(images[1], FIRST, images[2:]),
            lambda: colour.add(images[1], FIRST, images[2:]),
        ):
            with pytest.raises(OverflowError):
                call()
    same(colour.step(images[1]), twin.step(images[1]))


def test_replacing_a_followed_object_does_not_count_twice(colour):
    segmenter = VideoSegmenter(ColourNetwork(), size=64, max_objects=2)
    segmenter.start(moving(1)[0], FIRST)
    segmenter.add(moving(1)[0], FIRST)
    with pytest.raises(SegmentationError, match="1 objects beside the 2 followed, which makes 3"):
        segmenter.add(moving(1)[0], mask_of((30, 50, 9, 5)))


def test_nothing_is_followed_before_start_and_after_reset(colour):
    message = "nothing is followed yet: give a mask to start with"
    for _ in range(2):
        assert colour.ids == () and colour.state_bytes == 0
        with pytest.raises(SegmentationError, match=message):
            colour.step(IMAGE)
        with pytest.raises(SegmentationError, match="object 3 is not followed; followed are: none"):
            colour.remove(3)
        colour.start(IMAGE, FIRST)
        colour.step(IMAGE)
        colour.reset()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 31}, "size must be at least 32 pixels, not 31"),
        ({"max_objects": 0}, "max_objects must be within 1..255, not 0"),
        ({"max_objects": 256}, "max_objects must be within 1..255, not 256"),
        ({"precision": "int8"}, "no precision is called 'int8': one of fp32, bf16, fp16"),
        ({"device": "abacus"}, "no device is called 'abacus': cpu, cuda or cuda:N"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        VideoSegmenter(ColourNetwork(), **options)
