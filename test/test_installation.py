# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the package says of itself, and the installed copy of it, agree with the sources."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from pathlib import Path

import pytest

import vos_ros
from vos_ros.apps.cli import ALIASES, COMMANDS

ROOT = Path(__file__).parents[1]
EXECUTABLES = [*(name for name in COMMANDS if name not in ALIASES.values()), *ALIASES]


def installed_prefix() -> Path:
    """Where vos_ros is installed; the calling test is skipped where it is not, or only linked."""
    for prefix in filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)):
        if Path(prefix, "share/vos_ros/package.xml").is_file():
            return Path(prefix)
    pytest.skip("vos_ros is not installed here")


def manifest(path: Path) -> ElementTree.Element:
    return ElementTree.parse(path).getroot()


def test_one_version_everywhere() -> None:
    versions = {
        manifest(ROOT / "package.xml").findtext("version"),
        manifest(ROOT / "vos_msgs/package.xml").findtext("version"),
        re.search(r'version="([^"]+)"', (ROOT / "setup.py").read_text())[1],
    }
    assert versions == {vos_ros.__version__}


#: the rosdep keys of what is not a ROS package
KEYS = {
    "aiohttp": "python3-aiohttp",
    "matplotlib": "python3-matplotlib",
    "cv2": "python3-opencv",
    "hypothesis": "python3-hypothesis",
    "mpmath": "python3-mpmath",
    "numpy": "python3-numpy",
    "PIL": "python3-pil",
    "pytest": "python3-pytest",
    "scipy": "python3-scipy",
    "torch": "python3-torch",
    "tqdm": "python3-tqdm",
    "yaml": "python3-yaml",
}
#: pip has these, rosdep not; av is used where it is installed and done without elsewhere
WITHOUT_KEY = {
    "safetensors", "av", "onnx", "onnxruntime", "openvino", "playwright", "pycocotools", "rosbags",
    "tensorboard",
}  # fmt: skip
#: what the tests need and no statement imports
UNIMPORTED = {
    "ament_copyright", "ament_flake8", "ament_pep257", "ament_xmllint", "launch_pytest",
    "python3-pytest-timeout", "python3-pytest-xdist",
}  # fmt: skip


def imported_packages(files: Iterable[Path]) -> set[str]:
    """What some files import that is neither Python's nor ours, by its key where it has one."""
    names: set[str] = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names.add(node.module.partition(".")[0])
    ours = {"vos_ros", *(path.stem for path in ROOT.glob("test/*.py"))}
    foreign = names - set(sys.stdlib_module_names) - ours - WITHOUT_KEY
    return {KEYS.get(name, name) for name in foreign}


def declared(*tags: str) -> set[str]:
    """The dependencies of some kinds, by their keys."""
    elements = [e.text for e in manifest(ROOT / "package.xml") if e.tag in tags]
    assert len(elements) == len(set(elements))
    return set(elements)


def test_what_is_imported_is_what_is_declared() -> None:
    needed = imported_packages([*ROOT.glob("vos_ros/**/*.py"), *ROOT.glob("launch/*.py")])
    assert declared("depend", "exec_depend") == needed


def test_what_the_tests_need_besides_is_declared() -> None:
    needed = imported_packages([ROOT / "conftest.py", *ROOT.glob("test/*.py")])
    assert declared("test_depend") == needed - declared("depend", "exec_depend") | UNIMPORTED


def test_every_folder_of_modules_is_a_package() -> None:
    """setup.py installs only those."""
    folders = {path.parent for path in ROOT.glob("vos_ros/**/*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_every_executable_has_its_script() -> None:
    folder = ROOT / "scripts"
    assert {path.name for path in folder.iterdir() if path.is_symlink()} == set(EXECUTABLES)
    setup = (ROOT / "setup.py").read_text()
    assert all(f'"{name}"' in setup for name in EXECUTABLES)


def test_installed_files_are_those_of_the_sources() -> None:
    """A failure here means that the installation is old: run `make setup`."""
    share = installed_prefix() / "share/vos_ros"
    pairs = [(ROOT / "package.xml", share / "package.xml")]
    for source in [*ROOT.glob("launch/*.launch.py"), *ROOT.glob("config/**/*")]:
        if source.is_file():
            pairs.append((source, share / source.relative_to(ROOT)))
    stale = [str(s) for s, i in pairs if not i.is_file() or s.read_bytes() != i.read_bytes()]
    assert stale == []


@pytest.mark.parametrize("name", EXECUTABLES)
def test_ros2_run_finds_each_executable(name: str, tmp_path: Path) -> None:
    """As `ros2 run` starts it: by path, from anywhere."""
    path = installed_prefix() / "lib/vos_ros" / name
    command = [path, "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout.lower()
