# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The programs a person starts, one module each, all through `vos_ros.apps.cli`. Nothing imports from here."""
