# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An ablation: its variants, how they are trained and scored."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from vos_ros.training.stage import Stage

SCORES = ("j", "f", "jf")
"""What is compared, percent: J, F and their mean."""


class TableError(ValueError):
    """An ablation that cannot be made; the message says what to change."""


@dataclass(frozen=True)
class Variant:
    """One row of the table.

    Attributes:
        name: of its folder and for the command line.
        title: what the paper calls it.
        network: what differs from the network of the stage: keyword arguments.
        published: the paper's scores, percent, by `SCORES`; what it does not print is left out.
    """

    name: str
    title: str
    network: dict[str, Any] = field(default_factory=dict)
    published: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class HeldOut:
    """Videos that are scored.

    Attributes:
        layout: of the folder, one of `vos_ros.data.datasets.LAYOUTS`.
        root: the folder, relative to the data folder.
        split: list of sequences; the layout's own when empty.
        sequences: only these; all when empty.
        protocol: what they are scored by, one of `vos_ros.evaluation.protocols.PROTOCOLS`. That of
            DAVIS-2016 takes whatever is not background for one object.
        twin: whether every frame stands beside its own mirror image, so that the object has a
            double that is not it; the names of the videos then end in ``-twin``.
    """

    layout: str
    root: str
    split: str = ""
    sequences: tuple[str, ...] = ()
    protocol: str = "davis2016"
    twin: bool = False


@dataclass(frozen=True)
class AblationTable:
    """Everything that decides what an ablation finds.

    Attributes:
        name: of the table's file, without its suffix; the reports are named so, too.
        stages: what every variant is trained with, each from the weights of the one before; all of
            one network.
        variants: the first is the one that the others are compared with.
        seeds: every variant is trained once with each.
        held_out: the videos that are scored.
        size: short side of the image inside the network while scoring, pixels.
        precision: of the arithmetic while scoring: ``fp32``, ``bf16`` or ``fp16``.
        published_on: what the published scores were measured on.
        imagenet: SHA-256 of the file of ImageNet weights that is used instead of the one which the
            first stage names; empty when none is given.
    """

    name: str
    stages: tuple[Stage, ...]
    variants: tuple[Variant, ...]
    held_out: tuple[HeldOut, ...]
    seeds: tuple[int, ...] = (1,)
    size: int = 240
    precision: str = "fp32"
    published_on: str = ""
    imagenet: str = ""

    @property
    def model(self) -> str:
        """Name of the network."""
        return self.stages[0].model

    def stages_of(self, variant: Variant, seed: int) -> tuple[Stage, ...]:
        """What a variant is trained with."""
        network = {**self.stages[0].network, **variant.network}
        return tuple(
            dataclasses.replace(stage, network=network, seed=seed) for stage in self.stages
        )
