# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What can be told before any training begins, instead of hours later."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from vos_ros.ablation.record import Job
from vos_ros.ablation.table import TableError
from vos_ros.models import build_network
from vos_ros.models.backbones import find_registry_checkpoint
from vos_ros.training.run import CHECKPOINT


def check_networks(jobs: Iterable[Job]) -> None:
    """Build the network of every job, without memory for its weights.

    Raises:
        TableError: when one of them cannot be built.
    """
    for job in jobs:
        stage = job.stages[0]  # all have the same network
        try:
            with torch.device("meta"):
                build_network(stage.model, stage.network)
        except (TypeError, ValueError, RuntimeError) as error:
            raise TableError(f"the network of {job.name} cannot be built: {error}") from error


def check_imagenet(jobs: Iterable[Job]) -> None:
    """See that there are ImageNet weights for the jobs that are still to start from them.

    Raises:
        vos_ros.models.backbones.CheckpointError: when there are none.
    """
    for job in jobs:
        stage, folder = job.stages[0], job.folders[0]
        if stage.imagenet and not job.imagenet and not (folder / CHECKPOINT).exists():
            with torch.device("meta"):
                backbone = build_network(stage.model, stage.network).config["backbone"]
            find_registry_checkpoint(backbone)
