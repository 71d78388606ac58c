# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The error that every part of the evaluation raises."""


class EvaluationError(ValueError):
    """An evaluation cannot go on; the message is a sentence that names what stands in the way."""
