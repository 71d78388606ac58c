# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A network as a pair of ONNX files, for programs without PyTorch: its start, and its step."""
