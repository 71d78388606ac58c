# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which cameras are to be followed, as people write it. Needs no ROS."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
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


def read_cameras(texts: Sequence[str]) -> list[CameraChoice]:
    """Cameras, each written as NAME=TOPIC; ValueError, with a sentence, if it cannot be so."""
    cameras = [CameraChoice.read(text) for text in texts]
    if not cameras:
        raise ValueError("no camera is named; name one or more, such as front=/front/image_raw")
    names = [camera.name for camera in cameras]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"every camera needs a name of its own; used twice: {', '.join(twice)}")
    return cameras
