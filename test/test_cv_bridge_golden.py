# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Our own conversion gives the bytes of a real cv_bridge, also where there is none to ask."""

from __future__ import annotations

import numpy as np
import pytest
from cv_bridge_golden import HEIGHT, WIDTH, golden, golden_message

from vos_ros.ros import bridge
from vos_ros.ros.encodings import ENCODINGS
from vos_ros.ros.images import image_to_rgb

BYTES = golden()


def test_every_bridged_encoding_has_its_bytes() -> None:
    assert set(BYTES) == {name for name, encoding in ENCODINGS.items() if encoding.bridged}


@pytest.mark.parametrize("pixels_of_padding", [0, 3])
@pytest.mark.parametrize("encoding", BYTES)
def test_our_bytes_are_those_of_cv_bridge(
    encoding: str, pixels_of_padding: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge, "_find_bridge", lambda: None)
    rows, theirs = BYTES[encoding]
    assert theirs.shape == (HEIGHT, WIDTH, 3) and np.ptp(theirs) > 100
    ours = image_to_rgb(golden_message(encoding, rows, pixels_of_padding))
    np.testing.assert_array_equal(ours, theirs)


def test_padding_of_any_length_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """cv_bridge itself would shear rows whose padding is no whole number of pixels."""
    monkeypatch.setattr(bridge, "_find_bridge", lambda: None)
    for encoding, (rows, theirs) in BYTES.items():
        msg = golden_message(encoding, rows, 0)
        data = np.frombuffer(bytes(msg.data), np.uint8).reshape(HEIGHT, -1)
        msg.step += 5
        msg.data = np.pad(data, ((0, 0), (0, 5)), constant_values=0xEE).tobytes()
        np.testing.assert_array_equal(image_to_rgb(msg), theirs, err_msg=encoding)
