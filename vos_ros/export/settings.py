# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is fixed in exported files, and what they are called."""

from __future__ import annotations

from dataclasses import dataclass

from vos_ros.export.errors import ExportError

START_FILE, STEP_FILE = "start.onnx", "step.onnx"

#: most objects, as ids go from 1 to 255
MOST_OBJECTS = 255
#: no side of the input is longer, pixels: what is remembered grows with the area
LONGEST = 2048
#: versions of ONNX's operations: those that PyTorch writes without translating them afterwards
OPSETS = range(18, 24)
#: read by every ONNX Runtime since 1.17
DEFAULT_OPSET = 20


@dataclass(frozen=True)
class ExportSettings:
    """What is fixed in a pair of files.

    Attributes:
        height: of the images, pixels.
        width: likewise.
        objects: how many; None to leave their number open.
        opset: version of ONNX's operations.
    """

    height: int = 288
    width: int = 512
    objects: int | None = None
    opset: int = DEFAULT_OPSET

    @property
    def size(self) -> str:
        """Height and width, as the command line has them."""
        return f"{self.height}x{self.width}"

    def check(self, stride: int) -> None:
        """Raise ExportError for what cannot be exported.

        Args:
            stride: height and width must be multiples of it.
        """
        sides = (self.height, self.width)
        longest = LONGEST // stride * stride
        right = [min(max(-(-side // stride), 1) * stride, longest) for side in sides]
        if list(sides) != right:
            raise ExportError(
                f"images of {self.size} (height x width) do not fit the network: both must be "
                f"multiples of {stride} pixels, at most {longest}; give {right[0]}x{right[1]}"
            )
        if self.objects is not None and not 1 <= self.objects <= MOST_OBJECTS:
            raise ExportError(f"objects must be within 1..{MOST_OBJECTS}, not {self.objects}")
        if self.opset not in OPSETS:
            raise ExportError(f"opset must be within {OPSETS[0]}..{OPSETS[-1]}, not {self.opset}")
