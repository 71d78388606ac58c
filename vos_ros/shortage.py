# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A device without memory for what was asked, told in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from vos_ros.masks import SegmentationError

#: how PyTorch says it where it has no exception of its own for it: a CPU, and libraries it calls
_SAYINGS = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")


@contextmanager
def shortage_told(device: torch.device) -> Iterator[None]:
    """Raise SegmentationError when the work inside runs out of memory; let all else through."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _is_shortage(error):
            raise
        raise SegmentationError(
            f"the memory of {device} is not enough for this, and nothing has changed; follow fewer "
            "objects (max_objects), let the network see a smaller image (internal_size), or end "
            "what else uses that memory"
        ) from error


def _is_shortage(error: Exception) -> bool:
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return any(words in str(error) for words in _SAYINGS)
