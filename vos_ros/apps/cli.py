# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one door to every program.

`python -m vos_ros COMMAND`, `ros2 run vos_ros COMMAND` and the scripts in lib/vos_ros/ all come
through it.
"""

import importlib
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from vos_ros.ros.environment import complete_environment

COMMANDS: dict[str, str] = {
    "node": "follow objects in a camera's images (the ROS 2 node)",
    "cameras": "follow objects in the images of several cameras with one network (a node for each)",
    "parameters": "list the node's parameters: type, default, range, meaning",
    "policy": "write a policy for SROS 2: who may do what with your nodes",
    "init_box": "have the running node follow what is in a box of the camera's image",
    "init_mask": "have the running node follow the objects of a mask in a file",
    "select": "show a page on which people point out what is to be followed (a web server)",
    "centroid": "tell where a followed object is in space, out of its mask and a depth image",
    "follow": "have a robot turn towards a followed object and keep its distance",
    "demo": "play a video as a camera, follow an object in it with the node, write what came back",
    "publish_video": "play a video file or a folder of frames as a camera",
    "replay": "follow objects through the images of a bag, and write the masks into a new one",
    "record": "keep an overlay video and the masks of a running node",
    "plot": "draw presence, area and latency of a recorded run over time",
    "evaluate": "measure J and F on annotated videos",
    "returns": "measure whether objects that were out of view come back, under their own ids",
    "train": "train a network and write a weight file",
    "pack": "make a small copy of what a training reads, for a machine elsewhere",
    "ablate": "train a network without each of its parts, and tell what each of them brings",
    "benchmark": "measure how long a network takes for an image",
    "soak": "drive the node for a stated time among faults, and report what became of it",
    "average": "take the mean of several weight files of one network",
    "card": "tell what a weight file is and how it scored",
    "explain": "draw what a network computes on a clip, part by part",
    "export": "write a network as two ONNX files, for programs without PyTorch",
}
"""Command -> one line of help. The command is the name of the module beside this one."""

ALIASES: dict[str, str] = {"vos": "node"}
"""Other names of commands: ROS calls the executable after the node."""

_MISTAKES = {"NameValidationException", "RCLInvalidROSArgsError", "UnknownROSArgsError"}
"""Errors of rclpy that come of what was typed."""


def usage() -> str:
    """What there is to start, for people."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {text}" for name, text in COMMANDS.items()]
    first = "usage: python -m vos_ros COMMAND [ARGUMENT ...]"
    return "\n".join([first, "", *lines, "", "COMMAND --help tells more."])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command named first in `argv` (default: the process's arguments) with the rest of it.

    Returns the command's exit status; 2 for an unknown or missing command.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] in (["-h"], ["--help"]):
        print(usage())
        return 0
    if not arguments:
        print(usage(), file=sys.stderr)
        return 2
    command = ALIASES.get(arguments[0], arguments[0])
    if command not in COMMANDS:
        print(f"'{arguments[0]}' is not a command of vos_ros.\n\n{usage()}", file=sys.stderr)
        return 2
    os.environ.update(complete_environment(os.environ))
    # Imported only now: a command loads what it needs, and `--help` above loads nothing.
    try:
        module = importlib.import_module(f"vos_ros.apps.{command}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("vos_ros"):
            raise
        print(
            f"vos_ros: {sys.executable} has no Python package '{error.name}'. "
            "Run `make setup` and use .venv/bin/python, or install it.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:  # PyTorch takes a second to import, and nothing has begun
        return 130
    try:
        return module.main(arguments[1:])
    except Exception as error:
        sentence = _mistake(error)
        if not sentence:
            raise
        print(f"{arguments[0]}: {sentence}", file=sys.stderr)
        return 2


def _mistake(error: Exception) -> str:
    """What rclpy says of ROS arguments, or of names in them, that are none; else nothing.

    Told by the errors' names: rclpy is not loaded for commands that do without.
    """
    kinds = {kind.__name__ for kind in type(error).__mro__ if kind.__module__.startswith("rclpy")}
    of_names = "RCLError" in kinds and "failed to resolve name" in str(error)
    if not of_names and kinds.isdisjoint(_MISTAKES):
        return ""
    return re.sub(r", at \S+:\d+", "", str(error))  # places in the sources of rcl


def main_by_name() -> int:
    """Run the command that the running script is named after: what every installed script does."""
    return main([Path(sys.argv[0]).name, *sys.argv[1:]])
