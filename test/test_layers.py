# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How the house is built: who may import whom, and that nothing happens at import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "vos_ros"
FILES = sorted(PACKAGE.rglob("*.py"))

#: what only `ros` and `apps` may import
ROS = {
    "ament_index_python", "builtin_interfaces", "cv_bridge", "diagnostic_msgs",
    "diagnostic_updater", "geometry_msgs", "launch", "launch_ros", "lifecycle_msgs",
    "message_filters", "rcl_interfaces", "rclpy", "rosidl_runtime_py", "sensor_msgs", "std_msgs",
    "std_srvs", "vos_msgs",
}  # fmt: skip

#: the layers that each layer may import. "core" are the files beside `segmenter.py`.
ARROWS = {
    "models": {"models"},
    "data": {"data"},
    "core": {"core", "models"},
    "runtimes": {"runtimes", "models"},
    "segmenter": {"core", "models", "runtimes"},
    "training": {"training", "core", "data", "models"},
    "evaluation": {"evaluation", "core", "data", "segmenter"},
    "ablation": {"ablation", "core", "data", "evaluation", "models", "training"},
    "benchmark": {
        "benchmark",
        "core",
        "evaluation",
        "models",
        "runtimes",
        "segmenter",
        "training",
    },  # fmt: skip
    "soak": {"soak", "core", "evaluation"},
    "export": {"export", "core", "models", "runtimes"},
    "explain": {"explain", "core", "models", "runtimes", "segmenter"},
    "recordings": {"recordings", "core"},
    "web": {"web", "core"},
    "ros": {"ros", "core", "runtimes", "segmenter"},
    "apps": {
        "ablation",
        "apps",
        "benchmark",
        "core",
        "data",
        "evaluation",
        "explain",
        "export",
        "models",
        "recordings",
        "ros",
        "runtimes",
        "segmenter",
        "soak",
        "training",
        "web",
    },  # fmt: skip
}


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer(module: str) -> str:
    """The layer of a module of ours, by its full name."""
    first = module.split(".")[1] if "." in module else ""
    if first == "__main__":
        return "apps"
    if first == "segmenter" or (PACKAGE / first / "__init__.py").is_file() and first:
        return first
    return "core"


def imports(source: str, module: str = "", is_package: bool = False) -> set[str]:
    """Full names of everything a file imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = module.split(".")
                above = above[: len(above) - node.level + is_package]
                base = ".".join([*above, *filter(None, [node.module])])
            # `from vos_ros import masks` names a module by what it takes, not by where from.
            taken = {f"{base}.{alias.name}" for alias in node.names}
            found |= taken if base == "vos_ros" else {base}
    return found


def imports_of(file: Path) -> set[str]:
    return imports(file.read_text(), module_name(file), file.name == "__init__.py")


def is_core(file: Path) -> bool:
    return layer(module_name(file)) not in ("ros", "apps")


def test_every_way_of_importing_is_seen() -> None:
    source = (
        "import a.b, c as d\nfrom e.f import g\nfrom vos_ros import masks\n"
        "from .x import y\nfrom .. import z\ndef f():\n    if 1:\n        import rclpy.node\n"
    )
    assert imports(source, "vos_ros.models.state") == {
        "a.b", "c", "e.f", "vos_ros.masks", "vos_ros.models.x", "vos_ros.z", "rclpy.node"
    }  # fmt: skip
    assert imports("from .x import y", "vos_ros.models", True) == {"vos_ros.models.x"}
    names = ("vos_ros", "vos_ros.masks", "vos_ros.segmenter", "vos_ros.models.gfddal.x")
    assert [layer(name) for name in names] == ["core", "core", "segmenter", "models"]


def test_every_layer_is_in_the_table() -> None:
    assert {layer(module_name(file)) for file in FILES} <= set(ARROWS)


@pytest.mark.parametrize("name", ARROWS)
def test_arrows_point_one_way(name: str) -> None:
    own = [file for file in FILES if layer(module_name(file)) == name]
    wrong = {
        f"{module_name(file)} imports {imported}"
        for file in own
        for imported in imports_of(file)
        if imported.split(".")[0] == "vos_ros" and layer(imported) not in ARROWS[name]
    }
    assert not wrong


def test_only_ros_and_apps_import_ros() -> None:
    wrong = {
        f"{module_name(file)} imports {imported}"
        for file in filter(is_core, FILES)
        for imported in imports_of(file)
        if imported.split(".")[0] in ROS
    }
    assert not wrong


WITHOUT_ROS = """
import importlib, sys, threading

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in forbidden:
            raise ImportError(f"{name} is not installed here")

forbidden, names = map(str.split, sys.argv[1:])
forbidden = set(forbidden)
sys.meta_path.insert(0, Absent())
for name in names:
    importlib.import_module(name)
assert not forbidden & {name.split(".")[0] for name in sys.modules}
import torch
assert not torch.cuda.is_initialized(), "the device was touched"
assert threading.active_count() == 1, "a thread was started"
print(len(names))
"""


def test_the_core_imports_where_there_is_no_ros() -> None:
    """Every file of it, and the commands that need no ROS; and nothing happens while it does."""
    names = [module_name(file) for file in filter(is_core, FILES)]
    names += ["vos_ros.apps.cli", "vos_ros.apps.evaluate", "vos_ros.apps.train"]
    names += ["vos_ros.apps.replay", "vos_ros.apps.replay_offline"]
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_ROS, " ".join(sorted(ROS)), " ".join(names)],
        cwd=ROOT, capture_output=True, text=True, timeout=110,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == [str(len(names))]
    assert len(names) > 30
