# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which cameras are to be followed, as people write it. Needs no ROS."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_DEVICE = re.compile(r"/\S+")
_TOPIC = re.compile(r"/?[A-Za-z][A-Za-z0-9_]*(/[A-Za-z][A-Za-z0-9_]*)*")


@dataclass(frozen=True)
class CameraChoice:
    """One camera: what its node is called, and the topic of its images.

    Attributes:
        name: of the node, and so of its topics and services: /NAME/mask and so on.
        topic: of the images; without its ending /compressed where they are compressed.
    """

    name: str
    topic: str

    @classmethod
    def read(cls, text: str) -> CameraChoice:
        """From NAME=TOPIC; ValueError, with a sentence, when it is not that."""
        name, equals, topic = text.partition("=")
        if not equals or not _NAME.fullmatch(name) or not _TOPIC.fullmatch(topic):
            raise ValueError(
                f"'{text}' is no camera; write a name (a letter, then letters, digits and _), '='"
                " and the topic of its images, such as front=/front/image_raw"
            )
        return cls(name, topic)

    @property
    def ros_arguments(self) -> list[str]:
        """What makes a node this camera's."""
        rules = {
            "__node": self.name,
            "image": self.topic,
            "image/compressed": f"{self.topic}/compressed",
        }
        remaps = (text for rule in rules.items() for text in ("-r", ":=".join(rule)))
        return ["--ros-args", *remaps]


@dataclass(frozen=True)
class DeviceChoice:
    """One camera that a driver is to be started for: its name, and the path of its device."""

    name: str
    device: str

    @classmethod
    def read(cls, text: str) -> DeviceChoice:
        """From NAME=DEVICE; ValueError, with a sentence, when it is not that."""
        name, equals, device = text.partition("=")
        if not equals or not _NAME.fullmatch(name) or not _DEVICE.fullmatch(device):
            raise ValueError(
                f"'{text}' is no camera for a driver; write a name (a letter, then letters, digits"
                " and _), '=' and the path of its device, such as front=/dev/video0"
            )
        return cls(name, device)

    @property
    def camera(self) -> CameraChoice:
        """The camera that there is once its driver runs in a namespace of its name."""
        return CameraChoice(self.name, f"{self.name}/image_raw")


def read_devices(texts: Sequence[str]) -> list[DeviceChoice]:
    """Cameras, each written as NAME=DEVICE; ValueError, with a sentence, if it cannot be so."""
    chosen = [DeviceChoice.read(text) for text in texts]
    _check_names([choice.name for choice in chosen], "front=/dev/video0")
    devices = [choice.device for choice in chosen]
    twice = sorted({device for device in devices if devices.count(device) > 1})
    if twice:
        raise ValueError(f"every driver needs a device of its own; used twice: {', '.join(twice)}")
    return chosen


def read_cameras(texts: Sequence[str]) -> list[CameraChoice]:
    """Cameras, each written as NAME=TOPIC; ValueError, with a sentence, if it cannot be so."""
    cameras = [CameraChoice.read(text) for text in texts]
    _check_names([camera.name for camera in cameras], "front=/front/image_raw")
    return cameras


def _check_names(names: Sequence[str], example: str) -> None:
    if not names:
        raise ValueError(f"no camera is named; name one or more, such as {example}")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"every camera needs a name of its own; used twice: {', '.join(twice)}")
