# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A camera made of a video: plays a file or a folder of frames as image messages.

    python -m vos_ros publish_video clip.mp4 --loop
    ros2 run vos_ros publish_video clip.mp4 --ros-args -r image:=/camera/image_raw

Every option is a ROS parameter of the same name as well (`--wait-for-subscribers` is
`wait_for_subscribers`), so a launch file sets them like those of any node.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass

from vos_ros.apps.node_options import OptionError, given_options


@dataclass(frozen=True)
class Options:
    """What to play and how; the field names are those of the ROS parameters."""

    video: str = ""  # path of a video file or of a folder with one image file a frame
    topic: str = "image"  # base name; compressed images go to <topic>/compressed, as is the custom
    rate: float = 0.0  # frames a second; 0: the clip's own, 25 where it has none
    size: str = ""  # WIDTHxHEIGHT in pixels; empty: the clip's own
    frame_id: str = "camera"
    compressed: bool = False  # JPEG in sensor_msgs/CompressedImage instead of raw bgr8
    quality: int = 90  # of the JPEG, 1..100
    loop: bool = False
    start: int = 0  # number of the clip's frame to begin with, and to come back to in a loop
    count: int = 0  # frames to play in all; 0: no limit
    wait_for_subscribers: int = 0  # how many must be there before the first frame
    hold: bool = False  # repeat the first frame until ~/start is called
    log: str = ""  # file for one line a frame: number in the clip, stamp in ns, 1 while held

    def __post_init__(self) -> None:
        """Raise OptionError for values out of range."""
        if not self.video:
            raise OptionError("no video was named: give a file or a folder of frames")
        if not 0.0 <= self.rate <= 1000.0:
            raise OptionError(f"the rate lies in 0..1000 Hz (0: the clip's own), not {self.rate}")
        if not 1 <= self.quality <= 100:
            raise OptionError(f"the JPEG quality lies in 1..100, not {self.quality}")
        if min(self.start, self.count, self.wait_for_subscribers) < 0:
            raise OptionError("start, count and wait_for_subscribers are 0 or greater")
        if self.size:
            parse_size(self.size)


def parse_size(text: str) -> tuple[int, int]:
    """Return (width, height) of a text like 640x480; OptionError when it is none."""
    match = re.fullmatch(r"(\d{1,5})[xX](\d{1,5})", text.strip())
    if match is None or "0" in (match[1].lstrip("0") or "0", match[2].lstrip("0") or "0"):
        raise OptionError(f"a size is WIDTHxHEIGHT in pixels, such as 640x480, not '{text}'")
    return int(match[1]), int(match[2])


def parser() -> argparse.ArgumentParser:
    """Return the command line; its destinations are the fields of Options."""
    built = argparse.ArgumentParser(
        prog="publish_video",
        description="Play a video file or a folder of frames as a camera.",
        epilog="ROS arguments (remapping, parameters) follow after --ros-args.",
    )
    add = built.add_argument
    add("video", nargs="?", default="", help="video file, or folder with one image file a frame")
    add("--topic", default="image", help="base name of the topic (default: %(default)s)")
    add("--rate", type=float, default=0.0, help="frames a second (default: the clip's own)")
    add("--size", default="", metavar="WxH", help="size in pixels (default: the clip's own)")
    add("--frame-id", default="camera", help="frame_id of the headers (default: %(default)s)")
    add("--compressed", action="store_true", help="send JPEG on TOPIC/compressed")
    add("--quality", type=int, default=90, help="of the JPEG, 1..100 (default: %(default)s)")
    add("--loop", action="store_true", help="start again at the end of the clip")
    add("--start", type=int, default=0, metavar="N", help="begin with frame N (default: 0)")
    add("--count", type=int, default=0, help="stop after so many frames (default: the clip's end)")
    add(
        "--wait-for-subscribers",
        type=int,
        default=0,
        metavar="N",
        help="send nothing before N subscribers are there (default: 0)",
    )
    add("--hold", action="store_true", help="repeat the first frame until ~/start is called")
    add("--log", default="", metavar="FILE", help="write a line for each frame sent")
    return built


def main(argv: Sequence[str] | None = None) -> int:
    """Play until the clip ends or a signal comes; 0 then, 2 when the clip or an option is bad."""
    arguments, defaults = given_options(parser(), Options, argv)
    from vos_ros.apps.video_publisher import play

    return play(defaults, arguments)
