# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a real cv_bridge makes of small images: read from a file, or written where there is one.

`PYTHONPATH=. python test/cv_bridge_golden.py VERSION` writes the file anew; it takes an installed
cv_bridge, and VERSION says which. The file's own metadata tells how it was made.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from image_messages import layout_of, make_message
from safetensors import safe_open
from safetensors.numpy import save_file
from sensor_msgs.msg import Image

GOLDEN = Path(__file__).parent / "data" / "cv_bridge_golden.safetensors"
WIDTH, HEIGHT = 8, 6


def golden() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By encoding: HEIGHT x values per row, and the HEIGHT x WIDTH x 3 uint8 RGB of them."""
    with safe_open(GOLDEN, framework="np") as file:
        names = sorted(name.partition("/")[0] for name in file.keys() if name.endswith("/rgb"))
        return {n: (file.get_tensor(f"{n}/rows"), file.get_tensor(f"{n}/rgb")) for n in names}


def golden_message(encoding: str, rows: np.ndarray, pixels_of_padding: int) -> Image:
    """The message that holds such rows, each followed by so many pixels of padding."""
    layout = layout_of(encoding)
    padding = pixels_of_padding * layout.per_pixel * layout.itemsize
    return make_message(encoding, rows.tolist(), width=WIDTH, padding=padding)


def _write(version: str) -> None:
    from cv_bridge import CvBridge

    from vos_ros.ros.encodings import ENCODINGS

    random = np.random.default_rng(2026)
    tensors: dict[str, np.ndarray] = {}
    for encoding in (name for name, entry in ENCODINGS.items() if entry.bridged):
        layout = layout_of(encoding)
        kind = {1: np.uint8, 2: np.uint16}[layout.itemsize]
        rows = random.integers(0, 256**layout.itemsize, (HEIGHT, WIDTH * layout.per_pixel), kind)
        rows[0, :2] = 0, np.iinfo(kind).max
        # It copies no padding, so both must be the same; else the rows were sheared.
        one, other = (
            CvBridge().imgmsg_to_cv2(golden_message(encoding, rows, padding), "rgb8")
            for padding in (0, 3)
        )
        np.testing.assert_array_equal(one, other, err_msg=encoding)
        tensors[f"{encoding}/rows"], tensors[f"{encoding}/rgb"] = rows, np.ascontiguousarray(one)
    made = (
        f"CvBridge().imgmsg_to_cv2(message, 'rgb8') of cv_bridge {version} for random values, rows "
        "padded by 0 and by 3 pixels alike; written by test/cv_bridge_golden.py"
    )
    GOLDEN.parent.mkdir(exist_ok=True)
    save_file(tensors, GOLDEN, metadata={"made": made})
    GOLDEN.chmod(0o644)


if __name__ == "__main__":
    _write(sys.argv[1])
