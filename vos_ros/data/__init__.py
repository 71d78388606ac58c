# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Videos and stills on disk, and clips made from them."""
