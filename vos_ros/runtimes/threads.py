# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many threads PyTorch computes with on the thread at hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """Have PyTorch compute with so many threads for a while, and with as many as before after that.

    On this thread: others that have computed something already go on as they did. One that computes
    for the first time meanwhile has so many for good, unless it is told otherwise.

    Args:
        count: at least 1; None leaves it as it is.
    """
    before = torch.get_num_threads()
    if count in (None, before):
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
