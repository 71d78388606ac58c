# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is said of a recording that cannot be used."""

from __future__ import annotations


class RecordingError(ValueError):
    """A recording cannot be read or written; the message is a sentence that names the path."""
