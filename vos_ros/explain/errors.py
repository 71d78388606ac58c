# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong while a network is explained."""


class ExplainError(ValueError):
    """Something cannot be shown; the message is a sentence that says what would be right."""
