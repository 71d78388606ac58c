# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a safetensors file says of itself, read from its bytes.

The library tells it of files alone, which it maps into memory: a process ends when a file is cut
short while it is mapped. What was read once cannot change any more.
"""

from __future__ import annotations

import json
from typing import Any


def metadata_of(content: bytes, most: int) -> dict[str, Any]:
    """The metadata of a file, unchecked but for being a dictionary; empty where there are none.

    Args:
        content: of the whole file.
        most: bytes that the header may have.

    Raises:
        ValueError: when the bytes do not begin with a header; the message says why.
    """
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > len(content) - 8:
        raise ValueError("it is shorter than it says")
    if length > most:
        raise ValueError(f"it begins with {length} bytes of description, at most {most} are right")
    try:
        header = json.loads(content[8 : 8 + length])
    except RecursionError as error:
        raise ValueError("its description is nested too deeply") from error
    metadata = header.get("__metadata__", {}) if isinstance(header, dict) else None
    if not isinstance(metadata, dict):
        raise ValueError("its description is not a dictionary")
    return metadata
