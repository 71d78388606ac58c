# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How the node is doing, as names, numbers and levels: what docs/diagnostics.md documents.

A picture of one moment goes in, a handful of reports comes out. No ROS here: `diagnostics.py`
makes messages of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from vos_ros.ros.device_memory import Memory
from vos_ros.ros.statistics import Lately, Statistics
from vos_ros.ros.stream_watch import FIRST_IMAGE_SECONDS, CameraView, is_losing
from vos_ros.ros.troubles import Trouble

TROUBLE_SECONDS = 10.0
"""How long the last error shows in the level."""
STUCK_SECONDS = 5.0
"""So long without a mask, while images come for it, is an error."""
DROPPED_SHARE = 0.5
"""Above this share of dropped frames, of those dropped or processed, is a warning."""
OTHER_CLOCK_SECONDS = 60.0
"""A mask this much older than its image's stamp, or any younger, means clocks that differ."""
SILENT_ERROR = 5.0
"""Times `camera_timeout`: a camera silent for so long is an error."""
LATENCY_ERROR = 4.0
"""Times `latency_warning`: a latency above that is an error."""
FREE_WARNING, FREE_ERROR = 0.1, 0.03
"""Below these shares of free memory is a warning, an error."""


class Level(IntEnum):
    """How bad it is; the numbers are those of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2


@dataclass(frozen=True)
class Picture:
    """The node at one moment.

    Attributes:
        state: unconfigured, inactive or active.
        built: what was configured, in words; "" while nothing is.
        trouble: the last thing that went wrong.
        now: the moment, seconds of `time.perf_counter`.
        camera: what is known of it; None while the node takes no images.
        statistics: counts and times since the node was configured.
        lately: what has come on top of the counts within the last ten seconds.
        ids: the objects followed, ascending.
        present: whether each object of the last result was in its image.
        memory: of the device the network runs on; None while nothing is configured.
        camera_timeout, latency_warning: the parameters of these names, seconds.
    """

    state: str
    built: str
    trouble: Trouble | None
    now: float
    camera: CameraView | None
    statistics: Statistics
    lately: Lately
    ids: tuple[int, ...]
    present: Mapping[int, bool]
    memory: Memory | None
    camera_timeout: float
    latency_warning: float


@dataclass
class Report:
    """One status in the making: a level, sentences that give reasons for it, and values by key."""

    level: Level = Level.OK
    message: str = ""
    values: dict[str, str] = field(default_factory=dict)

    def find(self, level: Level, sentence: str) -> None:
        """Add a finding; the report is as bad as its worst."""
        self.message = f"{self.message} {sentence}".strip()
        self.level = max(self.level, level)

    def add(self, values: Mapping[str, object]) -> None:
        """Add values by their keys."""
        self.values.update({key: _show(value) for key, value in values.items()})

    def otherwise(self, sentence: str) -> Report:
        """Say this if nothing was found."""
        self.message = self.message or sentence
        return self


def node_report(picture: Picture) -> Report:
    """State and last error."""
    report, trouble = Report(), picture.trouble
    report.add(
        {
            "state": picture.state,
            "configured as": picture.built or "nothing",
            "last error": trouble.text if trouble else "none",
            "age of last error (s)": picture.now - trouble.when if trouble else math.nan,
        }
    )
    if trouble and (trouble.lasting or picture.now - trouble.when <= TROUBLE_SECONDS):
        report.find(Level.ERROR if trouble.serious else Level.WARN, trouble.text)
    return report.otherwise(f"The node is {picture.state}.")


def camera_report(picture: Picture) -> Report:
    """Whether images come, how often, and what is odd about them."""
    report, camera = Report(), picture.camera
    if camera is None:
        return report.otherwise("No images are taken in.")
    width, height, encoding = camera.form or (0, 0, "unknown")
    statistics, lately, odd = picture.statistics, picture.lately, camera.oddities
    report.add(
        {
            "topic": camera.topic,
            "publishers": camera.publishers,
            "rate (Hz)": lately.rate("received"),
            "age of last image (s)": camera.age,
            "size": f"{width} x {height}" if camera.form else "unknown",
            "encoding": encoding,
            "received": statistics.received,
            "rejected": statistics.rejected,
            "lost in transport": statistics.lost,
            "without stamp": odd.unstamped,
            "repeated stamps": odd.repeated,
            "time jumps": odd.jumps,
            "changes of size or encoding": odd.changes,
            "silences": odd.silences,
        }
    )
    _judge_silence(report, camera, picture.camera_timeout)
    new = lately.counts
    if new["rejected"]:
        everything = new["rejected"] == new["received"]
        report.find(
            Level.ERROR if everything else Level.WARN,
            f"{new['rejected']} of the last {new['received']} images could not be read.",
        )
    if is_losing(new["received"], new["lost"]):
        sent = new["received"] + new["lost"]
        report.find(Level.WARN, f"{new['lost']} of the last {sent} images were lost in transport.")
    if odd.unstamped:
        report.find(Level.WARN, "Images have no stamp.")
    if odd.repeated:
        report.find(Level.WARN, "Several images had the same stamp.")
    if odd.jumps:
        report.find(Level.OK, f"Stamps went back {odd.jumps} times.")
    return report.otherwise(f"Images come at {_show(lately.rate('received'))} Hz.")


def _judge_silence(report: Report, camera: CameraView, timeout: float) -> None:
    if camera.silent:
        long = camera.age > SILENT_ERROR * timeout
        report.find(
            Level.ERROR if long else Level.WARN, f"No image has come for {camera.age:.1f} s."
        )
    elif camera.waiting > FIRST_IMAGE_SECONDS:
        report.find(Level.WARN, f"No image has come so far, in {camera.waiting:.0f} s.")


def masks_report(picture: Picture) -> Report:
    """How many frames were answered, and how long that takes, in all and in its parts."""
    report, statistics, lately = Report(), picture.statistics, picture.lately
    report.add(
        {
            "rate (Hz)": lately.rate("processed"),
            "processed": statistics.processed,
            "dropped": statistics.dropped,
            "idle": statistics.idle,
            "failed": statistics.failed,
            "caught up": statistics.caught_up,
            "latency median (ms)": 1e3 * statistics.latency_median,
            "latency 95 % (ms)": 1e3 * statistics.latency_p95,
            "transport (ms)": 1e3 * statistics.transport_median,
            "wait (ms)": 1e3 * statistics.wait_median,
            "convert (ms)": 1e3 * statistics.convert_median,
            "upload, step and download (ms)": 1e3 * statistics.step_median,
            "upload, step and download 95 % (ms)": 1e3 * statistics.step_p95,
            "publish (ms)": 1e3 * statistics.publish_median,
        }
    )
    new = lately.counts
    if new["processed"]:
        _judge_latency(report, statistics.latency_median, picture.latency_warning)
        share = lately.share("dropped", "processed")
        if share > DROPPED_SHARE:
            report.find(Level.WARN, f"{share:.0%} of the frames were dropped: the step is slow.")
    elif new["dropped"] and lately.seconds >= STUCK_SECONDS:
        report.find(Level.ERROR, f"Images come, but no mask was sent for {lately.seconds:.0f} s.")
    if new["failed"]:
        everything = not new["processed"]
        report.find(
            Level.ERROR if everything else Level.WARN, f"{new['failed']} frames failed lately."
        )
    if not picture.ids:
        return report.otherwise("Nothing is followed.")
    return report.otherwise(f"Masks are sent at {_show(lately.rate('processed'))} Hz.")


def _judge_latency(report: Report, latency: float, warning: float) -> None:
    if latency < 0 or latency > OTHER_CLOCK_SECONDS:
        age = f"{abs(latency):.1f} s {'in the future' if latency < 0 else 'old'}"
        report.find(
            Level.WARN,
            f"By their stamps the images are {age}: the camera's clock is another than this"
            " node's. For a recording or a simulation, set use_sim_time.",
        )
    elif latency > warning:
        report.find(
            Level.ERROR if latency > LATENCY_ERROR * warning else Level.WARN,
            f"Masks come {latency:.2f} s after their images.",
        )


def objects_report(picture: Picture) -> Report:
    """Which objects are followed, and which of them are there."""
    report = Report()
    known = {key: here for key, here in picture.present.items() if key in picture.ids}
    lost = [key for key, here in known.items() if not here]
    report.add(
        {
            "followed": _listed(picture.ids),
            "present": _listed(key for key, here in known.items() if here),
            "lost": _listed(lost),
        }
    )
    if lost:
        report.find(Level.WARN, f"Out of sight: {_listed(lost)}.")
    count = len(picture.ids)
    return report.otherwise(f"{count} followed, all in sight." if count else "Nothing is followed.")


def device_report(picture: Picture) -> Report:
    """The device the network runs on, and its memory."""
    report, memory = Report(), picture.memory
    if memory is None:
        return report.otherwise("Nothing is configured.")
    report.add(
        {
            "device": memory.device,
            "memory of this process (MB)": memory.own / 1e6,
            "memory free (MB)": memory.free / 1e6,
            "memory in all (MB)": memory.total / 1e6,
        }
    )
    share = memory.free / memory.total if memory.total else math.nan
    if share < FREE_WARNING:
        level = Level.ERROR if share < FREE_ERROR else Level.WARN
        report.find(level, f"Only {share:.1%} of the memory of {memory.device} is free.")
    return report.otherwise(f"The network runs on {memory.device}.")


REPORTS: Mapping[str, Callable[[Picture], Report]] = {
    "node": node_report,
    "camera": camera_report,
    "masks": masks_report,
    "objects": objects_report,
    "device": device_report,
}
"""What is reported, by the name that follows the node's."""


def _listed(ids: Iterable[int]) -> str:
    return ", ".join(str(key) for key in ids) or "none"


def _show(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    if math.isnan(value):
        return "unknown"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
