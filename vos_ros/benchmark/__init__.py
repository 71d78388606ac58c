# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How fast it is on this machine, and how near to what the machine can do."""
