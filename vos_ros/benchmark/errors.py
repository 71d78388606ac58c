# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What keeps a benchmark from running."""


class BenchmarkError(ValueError):
    """Something that cannot be measured; the message says why and what would be right."""
