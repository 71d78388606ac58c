# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Watches the camera's stream for what is odd about it, and says so. No ROS here."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from vos_ros.ros.environment import PROFILE_VARIABLES
from vos_ros.ros.frame_buffer import format_stamp
from vos_ros.share import share_path

REPEAT_SECONDS = 5.0
"""The same kind of oddity is said again only after this long."""
FIRST_IMAGE_SECONDS = 5.0
"""How long a camera may take to send its first image before that is said."""
LOST_AT_LEAST = 5
LOST_SHARE = 0.05
"""Lost images are said to be from this number on, if they are this share of those sent."""


class Severity(Enum):
    """How bad a thing said is."""

    INFO = "info"
    WARNING = "warning"


Say = Callable[[Severity, str], None]


@dataclass(frozen=True)
class Oddities:
    """What was odd since the stream began.

    Attributes:
        unstamped: images whose stamp is zero.
        repeated: images with the stamp of the one before.
        jumps: images with an earlier stamp than the one before.
        changes: changes of size or encoding.
        silences: times the camera fell silent.
    """

    unstamped: int = 0
    repeated: int = 0
    jumps: int = 0
    changes: int = 0
    silences: int = 0


@dataclass(frozen=True)
class CameraView:
    """What is known of the camera at a moment.

    Attributes:
        topic: the full name of its topic.
        publishers: how many publish on it.
        form: width and height in pixels and encoding of the last good image; None before one.
        age: seconds since the last message; NaN before any.
        waiting: seconds the first message has been waited for; 0 once it has come.
        silent: whether images came, and have not for longer than `camera_timeout`.
        oddities: what was odd about the stream since activation.
    """

    topic: str
    publishers: int
    form: tuple[int, int, str] | None
    age: float
    waiting: float
    silent: bool
    oddities: Oddities


class StreamWatch:
    """Says what is odd about one camera's stream: once, or no more often than every few seconds.

    All times are in seconds of one steady clock. One thread calls it.

    Args:
        topic: the camera's topic.
        say: takes each sentence.
        timeout: tells the seconds without an image after which the camera is silent.
        began: when the watch began.
    """

    def __init__(self, topic: str, say: Say, timeout: Callable[[], float], began: float) -> None:
        self._topic = topic
        self._say = say
        self._timeout = timeout
        self._began = began
        self._came: float | None = None
        self._silent = False
        self._stamp: int | None = None
        self._form: tuple[int, int, str] | None = None
        self._counts = dict.fromkeys(Oddities.__dataclass_fields__, 0)
        self._said: dict[str, float] = {}

    def view(self, now: float, publishers: int) -> CameraView:
        """What is known at a moment at which the topic has so many publishers."""
        return CameraView(
            topic=self._topic,
            publishers=publishers,
            form=self._form,
            age=math.nan if self._came is None else now - self._came,
            waiting=now - self._began if self._came is None else 0.0,
            silent=self._silent,
            oddities=Oddities(**self._counts),
        )

    def came(self, now: float) -> None:
        """Take note of a message, good or bad."""
        if self._silent and self._came is not None:
            self._silent = False
            self._say(
                Severity.INFO,
                f"Images come on {self._topic} again, after {now - self._came:.1f} s without.",
            )
        self._came = now

    def good(self, width: int, height: int, encoding: str, now: float) -> None:
        """Take note of the size and the encoding of an image that can be read."""
        before, self._form = self._form, (width, height, encoding)
        if before in (None, self._form):
            return
        self._counts["changes"] += 1
        if before[:2] != (width, height):
            self._warn(
                "size",
                now,
                f"The camera's images were {before[0]} x {before[1]} pixels and now are"
                f" {width} x {height}; going on with the new size.",
            )
        if before[2] != encoding:
            self._warn(
                "encoding",
                now,
                f"The camera's images were {_quoted(before[2])} and now are {_quoted(encoding)};"
                " going on with the new encoding.",
            )

    def stamped(self, stamp_ns: int) -> int | None:
        """Take note of the stamp of a good image, in nanoseconds; 0 is none.

        Returns:
            The later stamp that time went back from, None when it did not go back.
        """
        if stamp_ns == 0:
            self._counts["unstamped"] += 1
            self._once(
                "unstamped",
                f"Images on {self._topic} have no stamp (it is zero): a mask can only refer to the"
                " newest one, and how old a mask is cannot be told. Have the camera's driver stamp"
                " its images.",
            )
            return None
        before, self._stamp = self._stamp, stamp_ns
        if before is None or stamp_ns > before:
            return None
        if stamp_ns == before:
            self._counts["repeated"] += 1
            self._once(
                "repeated",
                f"Images on {self._topic} have the stamp of the one before, such as"
                f" {format_stamp(stamp_ns)}: a mask that refers to it is taken for the later one."
                " Give every image a stamp of its own.",
            )
            return None
        self._counts["jumps"] += 1
        return before

    def say_jump(self, earlier_ns: int, later_ns: int, outcome: str, now: float) -> None:
        """Say that stamps went from a later one back to an earlier one, and what was done."""
        self._warn(
            "jump",
            now,
            f"The camera's stamps went back in time by {(later_ns - earlier_ns) / 1e9:.3f} s, to"
            f" {format_stamp(earlier_ns)}, as when a recording starts over or a simulation is"
            f" reset; {outcome}",
        )

    def check(self, now: float, publishers: Callable[[], int], received: int, lost: int) -> None:
        """Look for images that do not come; to be called about once a second.

        Args:
            now: the moment.
            publishers: tells how many publishers the topic has.
            received: messages that came in, ever.
            lost: messages that the transport lost, ever.
        """
        if self._came is None:
            if now - self._began >= FIRST_IMAGE_SECONDS:
                self._once("none", _none_so_far(self._topic, publishers()))
        elif not self._silent and now - self._came > self._timeout():
            self._silent = True
            self._counts["silences"] += 1
            self._say(
                Severity.WARNING,
                f"No image has come on {self._topic} for {now - self._came:.1f} s; it has"
                f" {_counted(publishers(), 'publisher')}. Going on when images come again.",
            )
        if is_losing(received, lost):
            self._once(
                "lost",
                f"{lost} of {received + lost} images on {self._topic} were lost on their way here."
                f" {transport_fix()}",
            )

    def _once(self, kind: str, text: str) -> None:
        if kind not in self._said:
            self._said[kind] = math.inf
            self._say(Severity.WARNING, text)

    def _warn(self, kind: str, now: float, text: str) -> None:
        if now - self._said.get(kind, -math.inf) >= REPEAT_SECONDS:
            self._said[kind] = now
            self._say(Severity.WARNING, text)


def transport_fix() -> str:
    """What to do about images that are lost between the camera and this node, in two sentences."""
    return (
        "Fast DDS gives each process 0.5 MB of shared memory unless told otherwise, and drops in"
        " silence what does not fit. Start the camera and this node with"
        f" {' and '.join(PROFILE_VARIABLES)} naming {share_path('config/fastdds.xml')}; or, where"
        " the camera publishes reliably, set this node's image_reliability to reliable."
    )


def is_losing(received: int, lost: int) -> bool:
    """Whether so many messages were lost that it is worth a word."""
    return lost >= LOST_AT_LEAST and lost >= LOST_SHARE * (received + lost)


def _none_so_far(topic: str, publishers: int) -> str:
    if publishers:
        advice = f"If they do publish, images may be lost on their way here. {transport_fix()}"
    else:
        advice = "Is `image` remapped to the camera?"
    counted = _counted(publishers, "publisher")
    return f"No image has come on {topic} so far, which has {counted}. {advice}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _quoted(text: str) -> str:
    return repr(text[:60])
