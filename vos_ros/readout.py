# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From logits on the device to labels and statistics on the host, in one transfer.

Letters: K objects, H0 x W0 the camera image, h0 x w0 the region of it that the network saw, H' x W'
the network's output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from vos_ros.region import Region

#: score, area, x, y, width, height
STATISTICS = 6
_AREA, _X, _Y = 1, 2, 3


def read_out(
    camera_logits: Tensor,
    logits: Tensor,
    ids: Sequence[int],
    sound: Tensor | None = None,
    computed: Callable[[], None] = lambda: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Labels and statistics of the region.

    Args:
        camera_logits: 1 x (1 + K) x h0 x w0, the background first.
        logits: 1 x (1 + K) x H' x W', the same before scaling to the camera's pixels, and without
            padding; scores are taken of these.
        ids: the id of each object, in the order of the channels.
        sound: K booleans: whether what is said of the object can be relied on; all can if None.
        computed: called when the device has been given all its work, and only the transfer is left.

    Returns:
        h0 x w0 uint8 labels, and K x 6 float32: score (the mean probability of the object, weighted
        by itself: how sure the network is where it sees it; NaN where it is not sound), area in
        pixels of the camera image, and the box x, y, width, height of those pixels in the region
        (zeros where there are none).
    """
    values, probabilities = camera_logits[0], logits[0].softmax(dim=0)[1:]
    read = _read_on_host if values.device.type == "cpu" else _read_on_device
    labels, places = read(values, ids)
    scores = _scores(probabilities)
    if sound is not None:
        scores = torch.where(sound, scores, torch.nan)
    statistics = torch.cat([scores.unsqueeze(1), places], dim=1)
    computed()
    return _download(labels, statistics)


def confidence_of(
    camera_logits: Tensor, labels: np.ndarray, ids: Sequence[int], region: Region
) -> np.ndarray:
    """How probable the label of every pixel is.

    Args:
        camera_logits: 1 x (1 + K) x h0 x w0, the background first.
        labels: H0 x W0 uint8 of the whole image, as they are published.
        ids: the id of each object, in the order of the channels.
        region: where the logits lie in the image.

    Returns:
        H0 x W0 float32 in 0..1: the probability of the label, after merging with all others; 0
        outside the region, where the network did not look.
    """
    table = np.zeros(256, np.uint8)
    table[list(ids)] = range(1, len(ids) + 1)
    channels = torch.from_numpy(table[labels[region.window]]).to(camera_logits.device).long()
    probabilities = camera_logits[0].float().softmax(dim=0)
    whole = np.zeros(labels.shape, np.float32)
    whole[region.window] = probabilities.gather(0, channels.unsqueeze(0))[0].cpu().numpy()
    return whole


def laid_out(
    labels: np.ndarray, statistics: np.ndarray, region: Region, camera: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """What was read out of a region as that of the whole image, with background around the region.

    Args:
        labels: h0 x w0 uint8.
        statistics: K x 6, the boxes in pixels of the region.
        region: where it lies in the image.
        camera: H0, W0.

    Returns:
        H0 x W0 labels, and statistics with boxes in pixels of the image: what was given where the
        region is the whole image, else new arrays.
    """
    if region.size == camera:
        return labels, statistics
    whole = np.zeros(camera, np.uint8)
    whole[region.window] = labels
    moved = statistics.copy()
    found = moved[:, _AREA] > 0
    moved[found, _X] += region.x
    moved[found, _Y] += region.y
    return whole, moved


def _read_on_host(values: Tensor, ids: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Labels and places as `_read_on_device` gives them, by what is quickest on a CPU."""
    background, *objects = values.numpy()
    labels = np.zeros(background.shape, np.uint8)
    best = background.copy()
    # Ascending, so that where two channels are equally large the larger id wins.
    for object_id, channel in sorted(zip(ids, objects, strict=True), key=lambda pair: pair[0]):
        larger = cv2.compare(channel, best, cv2.CMP_GE)
        cv2.max(channel, best, dst=best)
        cv2.copyTo(np.full_like(labels, object_id), larger, labels)
    places = np.zeros((len(ids), STATISTICS - 1), np.float32)
    for slot, object_id in enumerate(ids):
        own = cv2.compare(labels, object_id, cv2.CMP_EQ)  # type: ignore[call-overload]  # a number
        places[slot] = cv2.countNonZero(own), *cv2.boundingRect(own)
    return torch.from_numpy(labels), torch.from_numpy(places)


def _read_on_device(values: Tensor, ids: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Labels h0 x w0, and area and box of each object, K x 5; no loop over the objects.

    Args:
        values: (1 + K) x h0 x w0, the background first.
        ids: the id of each object, in the order of the channels.
    """
    table = torch.tensor([0, *ids], dtype=torch.uint8).to(values.device, non_blocking=True)
    # Where two channels are equally large the larger id wins; where nothing is a number, 0.
    largest = values == values.amax(dim=0)
    labels = (largest * table.view(-1, 1, 1)).amax(dim=0)
    own = labels.unsqueeze(0) == table[1:].view(-1, 1, 1)
    rows, columns = own.sum(dim=2), own.any(dim=1)
    x, w = _extent(columns)
    y, h = _extent(rows > 0)
    return labels, torch.stack([rows.sum(dim=1), x, y, w, h], dim=1).float()


def _scores(probabilities: Tensor) -> Tensor:
    """The mean of each object's probabilities K x H' x W', weighted by themselves: K."""
    flat = probabilities.flatten(1)
    return (flat * flat).sum(dim=1) / flat.sum(dim=1).clamp_min(1e-6)


def _extent(occupied: Tensor) -> tuple[Tensor, Tensor]:
    """First occupied place and the length up to the last, of K x L booleans; zeros for none."""
    marks = occupied.to(torch.uint8)
    first = marks.argmax(dim=1)  # 0 where there are none
    last = occupied.shape[1] - 1 - marks.flip(1).argmax(dim=1)
    return first, (last - first + 1) * occupied.any(dim=1)


def _download(labels: Tensor, statistics: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Both to the host: as they are from a CPU, packed into one transfer from anything else."""
    if labels.device.type == "cpu":
        return labels.numpy(), statistics.numpy()
    return _unpacked(_packed(labels, statistics).cpu().numpy(), (labels.shape[0], labels.shape[1]))


def _packed(labels: Tensor, statistics: Tensor) -> Tensor:
    """The bytes of both, one after the other, on their device."""
    return torch.cat([statistics.contiguous().view(torch.uint8).flatten(), labels.flatten()])


def _unpacked(data: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Labels and statistics from the bytes of `_packed`, without copying them."""
    split = data.size - shape[0] * shape[1]
    return data[split:].reshape(shape), data[:split].view(np.float32).reshape(-1, STATISTICS)
