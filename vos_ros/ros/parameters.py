# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one table of the node's parameters: name, type, default, range, when it may change, meaning.

Each field of `Settings` is a parameter; `TABLE` lists them. What the node declares,
`config/vos.yaml` and the documentation follow it. No ROS here: `declaration.py` hands the table
to a node.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any, cast

Value = bool | int | float | str


class Changes(Enum):
    """When the value of a parameter may be changed."""

    NEVER = "never"
    UNCONFIGURED = "while the node is unconfigured"
    ALWAYS = "at any time"


@dataclass(frozen=True)
class Parameter:
    """One parameter: what it is called, what it may be and what it means.

    Attributes:
        name: as ROS knows it.
        type: bool, int, float or str.
        default: the value when nobody says otherwise.
        description: one or two sentences: meaning, unit, when it matters.
        changes: when it may be changed.
        limits: lowest and highest value of a number, both allowed.
        choices: the values allowed, in words; `pattern` decides when it is given too.
        pattern: a regular expression the whole text must match.
    """

    name: str
    type: type
    default: Value
    description: str
    changes: Changes = Changes.UNCONFIGURED
    limits: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    pattern: str | None = None

    @property
    def read_only(self) -> bool:
        """Whether it is fixed once the process has started."""
        return self.changes is Changes.NEVER

    def problem(self, value: Any) -> str | None:
        """Say what is wrong with a value and what would be right; None when nothing is."""
        # bool is a kind of int in Python, and must not pass for one here.
        kind = type(value)
        if kind is not self.type:
            return (
                f"Parameter '{self.name}' must be {_TYPE_WORDS[self.type]}, such as"
                f" {show(self.default)}, and was given {show(value)}."
            )
        if self.limits is not None and not self._within(value):
            low, high = (self.type(limit) for limit in self.limits)
            return (
                f"Parameter '{self.name}' must be from {show(low)} to {show(high)}, and was given"
                f" {show(value)}."
            )
        if not self._chosen(value):
            return (
                f"Parameter '{self.name}' must be one of {', '.join(self.choices)}, and was given"
                f" {show(value)}."
            )
        return None

    def _within(self, value: float) -> bool:
        assert self.limits is not None
        return math.isfinite(value) and self.limits[0] <= value <= self.limits[1]

    def _chosen(self, value: Value) -> bool:
        if self.pattern is not None:
            return re.fullmatch(self.pattern, str(value)) is not None
        return not self.choices or value in self.choices


_TYPE_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number with a decimal point",
    str: "text",
}


def show(value: Any) -> str:
    """Write a value as people and YAML do: true, 'text', and 0.00001 rather than 1e-05."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and 1e-16 < abs(value) < 1e16:
        return format(Decimal(repr(value)), "f")
    return f"'{value}'" if isinstance(value, str) else str(value)


def _parameter(default: Value, description: str, **rest: Any) -> Any:
    return field(default=default, metadata={"description": description, **rest})


@dataclass(frozen=True)
class Settings:
    """The values of all parameters; `TABLE` holds what each of them means."""

    autostart: bool = _parameter(
        True,
        "Configure and activate the node by itself once it runs; false leaves both to a lifecycle"
        " manager or to `ros2 lifecycle set`.",
        changes=Changes.NEVER,
    )
    model: str = _parameter(
        "auto",
        "The network to follow with: gfddal or dgmpm. auto is that of the weights, and the default"
        " network where none are named.",
        choices=("auto", "gfddal", "dgmpm"),
    )
    weights: str = _parameter(
        "",
        "What the network has learned: a path to a safetensors file, or the name of a shipped one"
        " such as gfddal_lite0. Empty is the one that ships for the model.",
    )
    device: str = _parameter(
        "auto",
        "Where the network runs. auto is the first CUDA device where there is one, else the CPU.",
        choices=("auto", "cpu", "cuda", "cuda:N"),
        pattern=r"auto|cpu|cuda(:\d{1,3})?",
    )
    precision: str = _parameter(
        "auto",
        "Number format of the network. auto is bf16 on CUDA devices and on CPUs that calculate in"
        " it (avx512_bf16 or amx_bf16), else fp32. fp16 is for CUDA.",
        choices=("auto", "fp32", "bf16", "fp16"),
    )
    runtime: str = _parameter(
        "auto",
        "What computes the network. openvino is about twice as fast on CPUs, and is compiled in the"
        " background while torch computes the first masks. cudagraphs is for CUDA devices: a step"
        " is recorded when it comes again, and launched as one. auto is openvino on CPUs where it"
        " is installed, else torch.",
        choices=("auto", "torch", "openvino", "cudagraphs"),
    )
    batching: str = _parameter(
        "auto",
        "For several cameras in one process: whether images of this one that wait beside others'"
        " are computed in one pass with them. auto is always on CUDA, where that is quicker for"
        " all, and never on CPUs, where it is hardly.",
        choices=("auto", "always", "never"),
    )
    internal_size: int = _parameter(
        288,
        "Short side, in pixels, of the image the network sees; masks always have the camera's own"
        " size. Smaller is faster, larger sees smaller things.",
        limits=(64, 1440),
    )
    deadline_ms: float = _parameter(
        0.0,
        "Milliseconds that the work on an image may take. The node then chooses the largest"
        " internal size that meets it, from `smallest_internal_size` to `internal_size`. 0.0 is no"
        " deadline.",
        limits=(0.0, 10_000.0),
        changes=Changes.ALWAYS,
    )
    smallest_internal_size: int = _parameter(
        128,
        "The smallest internal size that a deadline may bring about, in pixels. Raise it if small"
        " things are lost.",
        limits=(64, 1440),
    )
    region_margin: float = _parameter(
        1.5,
        "How many times as large as the objects the region around them is that the network looks"
        " at, from 1.25 on. Smaller shows small things larger, and loses fast ones sooner. 0.0"
        " looks at the whole image always.",
        limits=(0.0, 100.0),
    )
    region_smallest: float = _parameter(
        0.2,
        "The smallest share of the image's sides that this region may have. Raise it if very small"
        " objects are lost when they or the camera move fast.",
        limits=(0.01, 1.0),
    )
    max_objects: int = _parameter(
        10,
        "The most objects followed at once; a request for more is refused. Time per frame and"
        " memory grow with the objects followed, not with this number.",
        limits=(1, 255),
    )
    threads: int = _parameter(
        0,
        "Threads one network operation may use on the CPU. 0 leaves the choice to PyTorch, which"
        " takes one per physical core.",
        limits=(0, 1024),
    )
    image_transport: str = _parameter(
        "raw",
        "What the camera sends: raw is sensor_msgs/Image on `image`, compressed is"
        " sensor_msgs/CompressedImage (JPEG or PNG) on `image/compressed`.",
        choices=("raw", "compressed"),
    )
    image_reliability: str = _parameter(
        "best_effort",
        "How images are asked for: best_effort comes to terms with every camera. reliable has lost"
        " ones sent again, which delays the others, and gets nothing from a best-effort camera.",
        choices=("best_effort", "reliable"),
    )
    camera_timeout: float = _parameter(
        2.0,
        "Seconds without an image after which the camera is reported silent, in the log and as a"
        " warning in the diagnostics; five times as long is an error there.",
        limits=(0.1, 3600.0),
        changes=Changes.ALWAYS,
    )
    on_time_jump: str = _parameter(
        "keep",
        "What is done when the images' stamps go back, as when a recording starts over: keep"
        " follows the objects on, reset forgets them as `~/reset` does. Either way it is said.",
        choices=("keep", "reset"),
        changes=Changes.ALWAYS,
    )
    buffer_frames: int = _parameter(
        150,
        "How many recent frames are kept for a mask to refer to by its stamp: five seconds at"
        " 30 Hz. Raise it when the one who draws the masks takes longer.",
        limits=(1, 100_000),
    )
    buffer_megabytes: float = _parameter(
        128.0,
        "The most memory the recent frames may take, in millions of bytes of image data; fewer are"
        " kept when they are large. A 640x480 colour frame takes 0.9, a 1920x1080 one 6.2.",
        limits=(1.0, 1_000_000.0),
    )
    every: int = _parameter(
        1,
        "Look at every Nth image of the camera: 1 at all that the network keeps up with, 0 at none"
        " by itself, but at the newest whenever `~/segment` is called.",
        limits=(0, 1_000_000),
        changes=Changes.ALWAYS,
    )
    catch_up_limit: int = _parameter(
        30,
        "The most frames gone through between the frame a mask refers to and now, picked evenly."
        " More follows fast motion better and takes longer to answer; 0 leaps to the next frame.",
        limits=(0, 10_000),
        changes=Changes.ALWAYS,
    )
    presence_appear: float = _parameter(
        0.7,
        "An absent object is present again from this score on. Raise it against false returns.",
        limits=(0.0, 1.0),
    )
    presence_vanish: float = _parameter(
        0.5,
        "A present object is absent below this score; at most `presence_appear`. The further apart"
        " the two are, the less presence flickers.",
        limits=(0.0, 1.0),
    )
    presence_minimum_area: float = _parameter(
        1e-5,
        "An object that covers no more than this share of the image is absent whatever its score."
        " 0.00001 is three pixels of 640x480.",
        limits=(0.0, 0.5),
    )
    overlay_alpha: float = _parameter(
        0.5,
        "Weight of the objects' colours in `~/overlay`: 0.0 shows only outlines, 1.0 hides the"
        " image under them.",
        limits=(0.0, 1.0),
        changes=Changes.ALWAYS,
    )
    targets_directory: str = _parameter(
        "",
        "The folder that `~/save_targets` writes to and `~/load_targets` reads from; nothing"
        " outside it is touched. Empty is vos_targets in $ROS_HOME, which is ~/.ros where not set.",
        changes=Changes.NEVER,
        choices=("empty", "/PATH", "~/PATH"),
        pattern=r"(~?/[^\0]*)?",
    )
    trace_directory: str = _parameter(
        "",
        "The folder that `~/write_trace` writes to, one file for each node; nothing outside it is"
        " touched. Empty is vos_traces in $ROS_HOME, which is ~/.ros where not set.",
        changes=Changes.NEVER,
        choices=("empty", "/PATH", "~/PATH"),
        pattern=r"(~?/[^\0]*)?",
    )
    latency_warning: float = _parameter(
        0.5,
        "Seconds from an image's stamp to its mask, in the median, above which the diagnostics"
        " warn; above four times as many they report an error.",
        limits=(0.001, 3600.0),
        changes=Changes.ALWAYS,
    )


_TYPES = {"bool": bool, "int": int, "float": float, "str": str}


def _row(item: dataclasses.Field[Any]) -> Parameter:
    kind = _TYPES[str(item.type)]
    return Parameter(name=item.name, type=kind, default=cast(Value, item.default), **item.metadata)


TABLE: tuple[Parameter, ...] = tuple(map(_row, dataclasses.fields(Settings)))

BY_NAME: Mapping[str, Parameter] = {parameter.name: parameter for parameter in TABLE}
