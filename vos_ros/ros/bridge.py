# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""cv_bridge, where it is installed and works.

A cv_bridge built for another numpy does not raise when it is used, it takes the process down; and
the binary package of a ROS installation is just that, once pip has brought in numpy 2. So it is
tried in a process of its own first.
"""

from __future__ import annotations

import functools
import importlib.util
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from vos_ros.ros.encodings import Encoding

if TYPE_CHECKING:
    from sensor_msgs.msg import Image

_TRIAL = """
from cv_bridge import CvBridge
from sensor_msgs.msg import Image
message = Image(width=1, height=1, step=3, encoding="bgr8", data=[1, 2, 3])
rgb = CvBridge().imgmsg_to_cv2(message, "rgb8")
raise SystemExit(rgb.tolist() != [[[3, 2, 1]]])
"""


def bridge_is_used() -> bool:
    """Whether images go through cv_bridge: it is installed, and a trial conversion succeeded.

    Decided at the first call, which takes the time of starting Python (about half a second) where
    cv_bridge is installed; so a node asks before its first frame comes.
    """
    return _find_bridge() is not None


def convert_by_bridge(msg: Image, encoding: Encoding) -> np.ndarray | None:
    """Convert to RGB by cv_bridge, or return None where it would not do, or not do it right.

    Args:
        msg: an image whose size, step and data are known to fit one another.
        encoding: the entry of its encoding.

    Returns:
        H x W x 3 uint8, or None: there is no cv_bridge, it does not know the encoding, the data is
        of the other byte order (its Python part raises then with numpy 2), or the padding is no
        whole number of pixels (it would shear the picture).
    """
    bridge = _find_bridge() if encoding.bridged else None
    if bridge is None or bool(msg.is_bigendian) != (sys.byteorder == "big"):
        return None
    if msg.step % (encoding.channels * encoding.itemsize):
        return None
    try:
        return bridge.imgmsg_to_cv2(msg, "rgb8")
    except Exception:
        # Releases differ in what they know. The message was checked: ours will do.
        return None


@functools.cache
def _find_bridge() -> Any | None:
    if importlib.util.find_spec("cv_bridge") is None or not _try_in_child():
        return None
    from cv_bridge import CvBridge

    return CvBridge()


def _try_in_child() -> bool:
    command = [sys.executable, "-c", _TRIAL]
    quiet = subprocess.DEVNULL
    try:
        done = subprocess.run(command, stdin=quiet, stdout=quiet, stderr=quiet, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
