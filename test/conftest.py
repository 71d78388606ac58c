# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures that several test files share. What they need is imported only where one is used."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
import torch
from networks import SMALL
from tiny import ColourNetwork, add_tiny_backbone

from vos_ros.models.state import SegmentationNetwork
from vos_ros.segmenter import VideoSegmenter

if TYPE_CHECKING:
    from rclpy.context import Context
    from stage import Stage

NUMBERS = itertools.count()


@pytest.fixture(autouse=True)
def whole_log() -> None:
    """Begin with nothing switched off in the log, as the processes that make clips do for good."""
    for name, logger in logging.root.manager.loggerDict.items():
        if name.partition(".")[0] == "vos_ros" and isinstance(logger, logging.Logger):
            logger.setLevel(logging.NOTSET)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Other tests run beside this one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(params=SMALL)
def network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> SegmentationNetwork:
    """One network of every kind, small."""
    add_tiny_backbone(monkeypatch)
    return SMALL[request.param]()


@pytest.fixture
def colour() -> VideoSegmenter:
    """A segmenter whose network finds things by their colour."""
    return VideoSegmenter(ColourNetwork(), size=64)


@pytest.fixture(scope="module")
def context() -> Iterator[Context]:
    """A ROS context for the nodes of one test file."""
    import rclpy
    from stage import new_context

    context = new_context()
    yield context
    rclpy.try_shutdown(context=context)


@pytest.fixture
def make_stage(context: Context) -> Iterator[Callable[..., Stage]]:
    """Makes nodes with a client beside them, each in a namespace of its own; parameters by name."""
    from stage import Stage

    stages: list[Stage] = []

    def make(**parameters) -> Stage:
        stages.append(Stage(context, f"/stage_{next(NUMBERS)}", **parameters))
        return stages[-1]

    yield make
    for stage in stages:
        stage.close()
