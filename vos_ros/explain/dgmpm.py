# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""DGMPM's parts as figures: which of its tensors are shown, and how to read them."""

from __future__ import annotations

from typing import cast

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
from vos_ros.explain.scene import Scene
from vos_ros.explain.taps import Call
from vos_ros.models.dgmpm import Dgmpm, DgmpmFeatures, DgmpmState
from vos_ros.models.dgmpm.attention import SpatialAttention, upsampled
from vos_ros.models.dgmpm.embedding_distance import anchor_distances, distance_map

_ALPHA = Scale("weight of the shallow features", 0.0, 1.0)
_NEARER = Scale("1: like the object, 0: not", 0.0, 1.0)
_DISTANCE = Scale("Euclidean distance")


def listened(network: Dgmpm) -> dict[str, nn.Module]:
    """The modules whose calls the figures are made of."""
    return {f"attention {stride}": block for stride, block in _blocks(network).items()}


def parts(network: Dgmpm) -> tuple[Part, ...]:
    """The parts that a network has, in the order in which a frame goes through them."""
    found = []
    if network.extractor is not None:
        found.append(_DISTANCES)
    blocks = _blocks(network)
    if blocks:
        found.append(_attention_part(blocks))
    return (*found, _output_part(network))


def distance_cells(scene: Scene) -> tuple[Cell, ...]:
    """Section III-B: the distances to both anchors, and equation 5."""
    features = cast(DgmpmFeatures, scene.step.features)
    anchors = cast(DgmpmState, scene.step.state).anchors
    foreground, background = scene.map_of(anchor_distances(features.embedding, anchors))
    map_ = scene.map_of(distance_map(features.embedding, anchors))
    return picture_of(scene), Cell(foreground), Cell(background), Cell(map_)


def attention_weights(block: SpatialAttention, call: Call) -> Tensor:
    """alpha of every object, B x 1 x h x w, of what a block was given."""
    deep, shallow = cast("tuple[Tensor, Tensor]", call.inputs)
    return block.weights(upsampled(deep, shallow), shallow)


def _blocks(network: Dgmpm) -> dict[int, SpatialAttention]:
    """The attention blocks by the stride of their shallow level, the deepest first."""
    merges = zip(network.decoder.strides[1:], network.decoder.merges, strict=True)
    found = ((stride, merge.attention) for stride, merge in merges)
    return {stride: block for stride, block in found if isinstance(block, SpatialAttention)}


def _attention_part(blocks: dict[int, SpatialAttention]) -> Part:
    @torch.inference_mode()
    def cells(scene: Scene) -> tuple[Cell, ...]:
        alphas = (
            attention_weights(block, scene.step.heard[f"attention {stride}"])[scene.slot, 0]
            for stride, block in blocks.items()
        )
        return (picture_of(scene), *(Cell(alpha.numpy()) for alpha in alphas))

    columns = (Column(f"alpha, stride {stride}", "equations 6 and 7", _ALPHA) for stride in blocks)
    return Part(
        "attention",
        "section III-C.2: spatial attention",
        "By how much each place of a shallow level is multiplied before it joins the deeper ones: "
        "1 lets it pass, 0 shuts it out. The deepest block is on the left.",
        (SEEN, *columns),
        cells,
    )


def _output_part(network: Dgmpm) -> Part:
    """Section III-C.1: from the previous mask, where it is read, to the labels."""
    given = (Column("previous mask", "guiding map, figure 3", PROBABILITY),)

    def cells(scene: Scene) -> tuple[Cell, ...]:
        previous = cast(DgmpmState, scene.step.state).previous
        guiding = (Cell(scene.map_of(previous)),) if network.previous_mask else ()
        return picture_of(scene), *guiding, Cell(scene.soft_mask()), labels_of(scene)

    return Part(
        "output",
        "section III-C.1: feature integration network, labels",
        "The decoder merges the levels from the deepest on, each told the previous mask and the "
        "distance map. The softmax of its two classes, merged with the other objects', is the soft "
        "mask, which is the next frame's previous mask.",
        (
            SEEN,
            *(given if network.previous_mask else ()),
            Column("final soft mask", "section III-C.1, figure 3", PROBABILITY),
            LABELS,
        ),
        cells,
    )


_DISTANCES = Part(
    "distance",
    "section III-B: embedding distance",
    "How far the vector of each place is from the mean vector of the object and from that of the "
    "background in the first frame; e is near 1 where it is nearer to the object's.",
    (
        SEEN,
        Column("distance to the object", "equations 1, 3 and 5", _DISTANCE),
        Column("distance to the background", "equations 2, 4 and 5", _DISTANCE),
        Column("e: distance map", "equation 5", _NEARER),
    ),
    distance_cells,
)
