# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a person starts: each module has `main(argv) -> int`."""
