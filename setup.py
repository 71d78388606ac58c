# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Installs vos_ros, under colcon as under pip."""

import sys
from glob import glob
from pathlib import Path

from setuptools import find_packages, setup

NAME = "vos_ros"
SHARE = f"share/{NAME}"
COMMANDS = (
    "vos", "cameras", "demo", "publish_video", "replay", "record", "plot", "evaluate", "train",
    "pack", "ablate", "benchmark", "soak", "returns", "average", "card", "export", "explain",
    "select", "init_box", "init_mask", "centroid", "follow", "parameters", "policy",
)  # fmt: skip


def tree(folder: str) -> list[tuple[str, list[str]]]:
    """All files under `folder`, with the share folders they are installed to."""
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    return [
        (f"{SHARE}/{parent}", [str(path) for path in files if path.parent == parent])
        for parent in sorted({path.parent for path in files})
    ]


data_files = [
    ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
    (SHARE, ["package.xml"]),
    (f"{SHARE}/launch", sorted(glob("launch/*.launch.py"))),
    *tree("config"),
    *tree("weights"),
]
if "bdist_wheel" in sys.argv:
    # pip puts the console scripts into bin/ alone, where `ros2 run` does not look; colcon, as
    # setup.cfg tells it, into lib/vos_ros.
    data_files.append((f"lib/{NAME}", [f"scripts/{command}" for command in COMMANDS]))

setup(
    name=NAME,
    version="0.1.0",
    description="Follow objects through a live video, each told by one mask (ROS 2)",
    author="The vos_ros authors",
    maintainer="The vos_ros authors",
    maintainer_email="vos_ros@example.org",
    license="Apache-2.0",
    package_data={NAME: ["py.typed"], f"{NAME}.web": ["page/*"]},
    packages=find_packages(include=[NAME, f"{NAME}.*"]),
    python_requires=">=3.10",
    install_requires=["setuptools"],
    extras_require={
        "bags": ["rosbags"],
        "test": ["pytest"],
        "training": ["matplotlib", "pycocotools", "tensorboard"],
    },
    zip_safe=False,
    data_files=data_files,
    entry_points={
        "console_scripts": [f"{command} = {NAME}.apps.cli:main_by_name" for command in COMMANDS],
        "ament_copyright.license": [f"apache2_by_name = {NAME}.licence:APACHE_2"],
    },
)
