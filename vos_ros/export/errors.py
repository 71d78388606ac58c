# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What keeps a network from being exported."""


class ExportError(ValueError):
    """Something that cannot be exported; the message says why and what would be right."""
