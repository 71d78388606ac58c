# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The packages that nothing but the export needs, and that are not installed everywhere."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

from vos_ros.export.errors import ExportError

#: what PyTorch writes ONNX with
WRITING = ("onnx", "onnxscript")
#: what the files are run in to check them
RUNNING = ("onnxruntime",)


def need_packages(names: Sequence[str]) -> None:
    """Raise ExportError, with the command that installs them, when packages are not to be had."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        some = "the package" if len(missing) == 1 else "the packages"
        raise ExportError(
            f"{some} {' and '.join(missing)} must be installed: "
            f"python -m pip install {' '.join(missing)}"
        )
