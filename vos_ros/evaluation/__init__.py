# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scores of segmented videos: the measures J and F, the protocols, the runner and the report."""
