# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Between the camera's image and the network's input: cutting out, resizing, padding, and back.

Letters: H0 x W0 the camera image, h0 x w0 the region of it that the network sees, H1 x W1 that
region scaled, H x W padded to what the network takes, all in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from vos_ros.region import Region

# The scaled image is a multiple of this, so that cropping a map at stride 2 or 4 is exact.
_GRAIN = 4
# A panorama gets no more than this many times its short side: its work stays bounded.
_LONGEST_RATIO = 4.0


@dataclass(frozen=True)
class Geometry:
    """What the network sees of a camera image, and how large; sizes are (height, width), pixels.

    Attributes:
        camera: of the image as the camera gives it.
        region: the part of it that the network sees.
        scaled: of that part as the network sees it, whichever part it is.
        padded: `scaled` with rows below and columns at the right, to multiples of the stride.
    """

    camera: tuple[int, int]
    region: Region
    scaled: tuple[int, int]
    padded: tuple[int, int]

    @classmethod
    def of(
        cls, height: int, width: int, size: int, stride: int, region: Region | None = None
    ) -> Geometry:
        """The geometry of a camera image.

        Args:
            height: of the camera image.
            width: of the camera image.
            size: wanted short side of the scaled image; the whole image is never enlarged beyond
                rounding to a multiple of 4.
            stride: the padded sides are multiples of it.
            region: the part that is seen, of the image's own shape; the whole image if None. A
                small part is enlarged.
        """
        short, long = min(height, width), max(height, width)
        size = min(size, short)
        scale = min(size / short, _LONGEST_RATIO * size / long)
        high, wide = (max(_GRAIN, _GRAIN * round(s * scale / _GRAIN)) for s in (height, width))
        scaled = (high, wide)
        padded = (stride * -(-high // stride), stride * -(-wide // stride))
        camera = (height, width)
        return cls(camera, region or Region.whole(camera), scaled, padded)

    @property
    def view(self) -> tuple[float, float, float, float]:
        """What the padded input shows of the scene: left, top, width and height, the image being 1.

        The padding shows what is below and at the right of the region. Cameras of different
        resolutions are taken to show the same scene.
        """
        (rows, columns), region = self.camera, self.region
        return (
            region.x / columns,
            region.y / rows,
            region.width / columns * self.padded[1] / self.scaled[1],
            region.height / rows * self.padded[0] / self.scaled[0],
        )


def to_input(image: np.ndarray, geometry: Geometry, device: torch.device) -> Tensor:
    """The region of a camera image as N = 1 x 3 x H1 x W1 in 0..255 on the device.

    It is scaled down without aliasing, or up between the pixels.

    Args:
        image: H0 x W0 x 3 uint8 RGB.
        geometry: of that image.
        device: where the result lives; the region's bytes are uploaded as they are, scaled there.
    """
    # Regions, mirrored views (BGR seen as RGB is one) and read-only bytes are copied, others not.
    image = np.require(image[geometry.region.window], requirements=["C", "W"])
    # HWC bytes seen as NCHW are already in the channels-last order that convolutions prefer.
    pixels = torch.from_numpy(image)
    if device.type == "cuda":
        # From memory that may be moved, the host would have to wait for the upload.
        pixels = pixels.pin_memory()
    frame = pixels.to(device, non_blocking=True).permute(2, 0, 1).unsqueeze(0)
    if geometry.scaled == geometry.region.size:
        return frame
    # CPUs scale bytes directly, which is several times faster; other devices want numbers.
    frame = frame if device.type == "cpu" else frame.float()
    return F.interpolate(
        frame, size=geometry.scaled, mode="bilinear", align_corners=False, antialias=True
    )


def pad(maps: Tensor, geometry: Geometry) -> Tensor:
    """... x H1 x W1 to ... x H x W with zeros below and at the right: grey, or background."""
    below = geometry.padded[0] - geometry.scaled[0]
    right = geometry.padded[1] - geometry.scaled[1]
    return maps if not (below or right) else F.pad(maps, (0, right, 0, below))


def to_masks(labels: np.ndarray, ids: tuple[int, ...], geometry: Geometry) -> Tensor:
    """Soft masks 1 x K x H x W of some ids of an H0 x W0 label image, on the CPU, float32."""
    labels = labels[geometry.region.window]
    one_hot = torch.from_numpy(np.stack([labels == i for i in ids])).float().unsqueeze(0)
    if geometry.scaled != geometry.region.size:
        one_hot = F.interpolate(
            one_hot, size=geometry.scaled, mode="bilinear", align_corners=False, antialias=True
        )
    return pad(one_hot.clamp(0, 1), geometry)


def crop(maps: Tensor, geometry: Geometry) -> Tensor:
    """... x H/s x W/s to ... x H1/s x W1/s: what lies in the image, not in its padding.

    The stride s of the maps follows from their size; it divides `_GRAIN`.
    """
    stride = geometry.padded[0] // maps.shape[-2]
    rows, columns = (side // stride for side in geometry.scaled)
    return maps[..., :rows, :columns]


def to_camera(maps: Tensor, geometry: Geometry) -> Tensor:
    """1 x C x H1/s x W1/s maps, cropped already, to the region's pixels: 1 x C x h0 x w0."""
    rows, columns = geometry.region.size
    if maps.device.type != "cpu":
        return F.interpolate(maps, size=(rows, columns), mode="bilinear", align_corners=False)
    # The same, for which PyTorch takes several times as long on a CPU.
    scaled = np.empty((maps.shape[1], rows, columns), np.float32)
    for number, plane in enumerate(maps[0].float().numpy()):
        cv2.resize(plane, (columns, rows), dst=scaled[number], interpolation=cv2.INTER_LINEAR)
    return torch.from_numpy(scaled).unsqueeze(0)
