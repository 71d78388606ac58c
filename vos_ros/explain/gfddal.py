# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""GFDDAL's parts as figures: which of its tensors are shown, and how to read them."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from vos_ros.explain.panels import (
    LABELS,
    PROBABILITY,
    SEEN,
    Cell,
    Column,
    Part,
    Scale,
    labels_of,
    picture_of,
)
from vos_ros.explain.remembered import RememberedFrame
from vos_ros.explain.scene import Scene
from vos_ros.models.aggregation import merged_probabilities
from vos_ros.models.gfddal import Gfddal, GfddalFeatures, GfddalState
from vos_ros.models.gfddal.matching import match
from vos_ros.models.gfddal.memory import FrameMemory, Remembered

_COSINE = Scale("cosine with the best kernel", None, 1.0)
_POSTERIOR = Scale("posterior probability", 0.0, 1.0)
_VOTE = Scale("share of what is read", 0.0, 1.0)
_READ = Scale("share of what the marked place reads", 0.0, None)


def listened(network: Gfddal) -> dict[str, nn.Module]:
    """The modules whose calls the figures are made of."""
    found: dict[str, nn.Module] = {}
    if network.modulation is not None:
        found["alpha and beta"] = network.modulation.current.modulation
        found["guided"] = network.modulation
    if network.appearance is not None:
        found["posterior"] = network.appearance
    return found


def parts(network: Gfddal) -> tuple[Part, ...]:
    """The parts that a network has, in the order in which a frame goes through them."""
    found = []
    if network.modulation is not None:
        found.append(_MODULATION)
    if network.use_matching:
        found.append(_MATCHING)
    if network.appearance is not None:
        found.append(_APPEARANCE)
    if network.memory is not None:
        memory = network.memory
        found.append(_memory_part(memory))
    return (*found, _OUTPUT)


def modulation_cells(scene: Scene) -> tuple[Cell, ...]:
    """Section 2.1: the mask that steers, and what it makes of the features."""
    state = cast(GfddalState, scene.step.state)
    # The convolution gives alpha of all channels, then beta of all.
    alpha, beta = scene.step.heard["alpha and beta"].output[scene.slot].chunk(2)
    guided = scene.step.heard["guided"].output[scene.slot]
    means = (values.mean(dim=0).numpy() for values in (alpha, beta, guided))
    return (picture_of(scene), Cell(scene.map_of(state.coarse)), *map(Cell, means))


def matching_cells(scene: Scene) -> tuple[Cell, ...]:
    """Section 2.2: p, q, and which of them is larger."""
    state = cast(GfddalState, scene.step.state)
    features = cast(GfddalFeatures, scene.step.features)
    matched = match(state.target_kernels, state.background_kernels, features.directions)
    p, q = scene.map_of(matched)
    return picture_of(scene), Cell(p), Cell(q), Cell(p - q)


def appearance_cells(scene: Scene) -> tuple[Cell, ...]:
    """Section 2.3: the posterior of the four components."""
    posterior = scene.map_of(scene.step.heard["posterior"].output)
    return (picture_of(scene), *map(Cell, posterior))


def output_cells(scene: Scene) -> tuple[Cell, ...]:
    """Sections 2 and 2.4: from the coarse mask to the labels."""
    state = cast(GfddalState, scene.step.state)
    logits = scene.step.prediction.coarse_logits
    assert logits is not None
    coarse = scene.map_of(merged_probabilities(logits))
    previous = scene.map_of(state.previous)
    return Cell(previous), Cell(coarse), Cell(scene.soft_mask()), labels_of(scene)


def reading(
    memory: FrameMemory, state: GfddalState, directions: Tensor, slot: int, place: tuple[int, int]
) -> Tensor:
    """How much of what one place reads comes from each place of each remembered frame.

    The memory gives the mean of values, weighted by likeness: of values that are 1 at one place
    and 0 elsewhere it gives the weight of that place.

    Args:
        memory: the part of the network.
        state: before the frame, of one image.
        directions: 1 x D x h x w of the frame.
        slot: of the object.
        place: row and column among h x w.

    Returns:
        M x h x w in 0..1, all together 1.
    """
    keys = state.memory_keys[:, slot : slot + 1]
    frames, places = keys.shape[2:4]
    row, column = place
    asking = directions[..., row : row + 1, column : column + 1]
    age = state.memory_age[:, slot : slot + 1]
    shares = []
    for frame in range(frames):
        values = keys.new_zeros(1, 1, frames, places, places)
        values[0, 0, frame] = torch.eye(places)
        shares.append(memory(Remembered(keys, values, age), asking).flatten())
    return torch.stack(shares).unflatten(-1, directions.shape[-2:])


def vote(memory: FrameMemory, scene: Scene) -> np.ndarray:
    """How much of what each place reads stood under the object's masks: h x w in 0..1."""
    state = cast(GfddalState, scene.step.state)
    features = cast(GfddalFeatures, scene.step.features)
    slot = scene.slot
    masks = torch.stack([frame.masks[slot].flatten() for frame in scene.remembered])
    shown = Remembered(
        state.memory_keys[:, slot : slot + 1],
        masks[None, None, :, :, None],
        state.memory_age[:, slot : slot + 1],
    )
    return memory(shown, features.directions)[0, 0].numpy()


def surest_place(soft: np.ndarray, stride: int) -> tuple[int, int]:
    """Row and column of the place deepest inside a soft mask: the best mean of 3 x 3 places."""
    rows, columns = (side // stride for side in soft.shape)
    means = soft.reshape(rows, stride, columns, stride).mean(axis=(1, 3))
    around = np.pad(means, 1)
    sums = sum(around[y : y + rows, x : x + columns] for y in range(3) for x in range(3))
    row, column = np.unravel_index(np.argmax(sums), means.shape)
    return int(row), int(column)


def _memory_part(memory: FrameMemory) -> Part:
    def cells(scene: Scene) -> tuple[Cell, ...]:
        state = cast(GfddalState, scene.step.state)
        directions = cast(GfddalFeatures, scene.step.features).directions
        soft = scene.soft_mask()
        stride = soft.shape[0] // directions.shape[-2]
        place = surest_place(soft, stride)
        side = scene.geometry.padded[0] / directions.shape[-2]
        mark = (side * (place[1] + 0.5), side * (place[0] + 0.5))
        shares = reading(memory, state, directions, scene.slot, place)
        read = [
            Cell(
                shares[index].numpy(),
                frame.view,
                f"frame {frame.number}: {100 * float(shares[index].sum()):.0f} %",
                outline=frame.masks[scene.slot].numpy(),
            )
            for index, frame in _told_apart(scene, shares)
        ]
        return picture_of(scene, mark), Cell(vote(memory, scene)), *read

    titles = ("first frame", "most read between", "last frame")
    return Part(
        "memory",
        "memory of a few frames: ours, not in the paper",
        "Every place reads the remembered frames, most where they look like it. The vote: how "
        "much of what is read stood under the object's masks. Right: where the marked place "
        "reads, and the share that comes from each frame.",
        (
            SEEN,
            Column("vote of the memory", "share under the object", _VOTE),
            *(Column(title, "where the cross reads", _READ) for title in titles),
        ),
        cells,
    )


def _told_apart(scene: Scene, shares: Tensor) -> list[tuple[int, RememberedFrame]]:
    """Index and frame of the first, of that most read between, and of the last."""
    last = len(scene.remembered) - 1
    between = range(1, last) if last > 1 else (0,)
    most = max(between, key=lambda index: float(shares[index].sum()))
    return [(index, scene.remembered[index]) for index in (0, most, last)]


_MODULATION = Part(
    "modulation",
    "section 2.1: guided feature modulation",
    "Convolutions on the previous coarse mask give alpha and beta; the features of the frame, "
    "normalised, are multiplied by alpha, and beta is added. Shown are means over the channels.",
    (
        SEEN,
        Column("previous coarse mask", "input, figure 2", PROBABILITY),
        Column("alpha", "section 2.1, figure 2", Scale("alpha, mean of channels")),
        Column("beta", "section 2.1, figure 2", Scale("beta, mean of channels", signed=True)),
        Column("guided features", "output of the module", Scale("mean of channels")),
    ),
    modulation_cells,
)
_MATCHING = Part(
    "matching",
    "section 2.2: global directional matching",
    "p: how well a place agrees with the place of the object that is most like it in the first "
    "frame. q: the same of the background. Where p exceeds q, a place looks as the object did.",
    (
        SEEN,
        Column("p: target", "equations 1 and 2", _COSINE),
        Column("q: background", "equations 1 and 2", _COSINE),
        Column("p - q", "both are read, not this",
               Scale("orange: target, purple: not", signed=True)),
    ),
    matching_cells,
)  # fmt: skip
_APPEARANCE = Part(
    "appearance",
    "section 2.3: directional appearance, four components",
    "How probable each component is at each place, by its direction alone; the four add up to 1. "
    "Base: fitted to the first frame. Supplementary: to what the base pair gets wrong.",
    (
        SEEN,
        Column("0: base background", "section 2.3", _POSTERIOR),
        Column("1: base target", "section 2.3", _POSTERIOR),
        Column("2: suppl. background", "section 2.3", _POSTERIOR),
        Column("3: suppl. target", "section 2.3", _POSTERIOR),
    ),
    appearance_cells,
)
_OUTPUT = Part(
    "output",
    "sections 2 and 2.4: coarse predictor, guided pooled decoder, labels",
    "The coarse predictor decides at stride 16, from all cues together. The decoder refines what "
    "they were merged to with shallow features, and with the first and the previous mask.",
    (
        Column("previous mask", "section 2.4, figure 3", PROBABILITY),
        Column("coarse mask, stride 16", "section 2, figure 1", PROBABILITY),
        Column("final soft mask", "section 2.4, figure 3", PROBABILITY),
        LABELS,
    ),
    output_cells,
)
