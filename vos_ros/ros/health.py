# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How the node is doing, as names, numbers and levels: what docs/diagnostics.md documents.

A picture of one moment goes in, a handful of reports comes out. No ROS here: `diagnostics.py`
makes messages of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

from vos_ros.ros.picture import Level, Picture, Report, show
from vos_ros.ros.stream_watch import FIRST_IMAGE_SECONDS, CameraView, is_losing

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


def node_report(picture: Picture) -> Report:
    """State and last error."""
    report, trouble = Report(), picture.trouble
    report.add(
        {
            "state": picture.state,
            "configured as": picture.built or "nothing",
            "weights SHA-256": picture.weights or "none",
            "last error": trouble.text if trouble else "none",
            "age of last error (s)": picture.now - trouble.when if trouble else math.nan,
            "requests refused": picture.refused,
            "callbacks failed": picture.callbacks_failed,
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
        report.find(Level.OK, f"Jumps back in time so far: {odd.jumps}.")
    return report.otherwise(f"Images come at {show(lately.rate('received'))} Hz.")


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
            "skipped": statistics.skipped,
            "failed": statistics.failed,
            "caught up": statistics.caught_up,
            "latency median (ms)": 1e3 * statistics.latency_median,
            "latency 95 % (ms)": 1e3 * statistics.latency_p95,
            "transport (ms)": 1e3 * statistics.transport_median,
            "wait (ms)": 1e3 * statistics.wait_median,
            "convert (ms)": 1e3 * statistics.convert_median,
            "upload (ms)": 1e3 * statistics.upload_median,
            "step (ms)": 1e3 * statistics.network_median,
            "download (ms)": 1e3 * statistics.download_median,
            "inference (ms)": 1e3 * statistics.step_median,
            "inference 95 % (ms)": 1e3 * statistics.step_p95,
            "publish (ms)": 1e3 * statistics.publish_median,
        }
    )
    _add_size(report, picture)
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
        level = Level.ERROR if everything else Level.WARN
        report.find(level, f"Frames that failed lately: {new['failed']}.")
    if not picture.ids:
        return report.otherwise("Nothing is followed.")
    return report.otherwise(f"Masks are sent at {show(lately.rate('processed'))} Hz.")


def _add_size(report: Report, picture: Picture) -> None:
    """The internal size, and whether the deadline can be met."""
    size = picture.size
    if size is None:
        return
    report.add(
        {
            "internal size (pixels)": size.size,
            "deadline (ms)": 1e3 * size.deadline if size.deadline else "none",
            "changes of size": size.changes,
        }
    )
    if size.hopeless and size.median is not None and picture.lately.counts["processed"]:
        report.find(
            Level.WARN,
            f"Images take {1e3 * size.median:.1f} ms at the smallest internal size, more than the"
            f" deadline of {1e3 * size.deadline:.1f} ms.",
        )


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
    doubts = [pair for pair in picture.doubts if set(pair) <= set(picture.ids)]
    strangers = [key for key in picture.strangers if key in picture.ids]
    report.add(
        {
            "followed": _listed(picture.ids),
            "present": _listed(key for key, here in known.items() if here),
            "lost": _listed(lost),
            "may be swapped": ", ".join(f"{one} and {other}" for one, other in doubts) or "none",
            "may be something else": _listed(strangers),
            "swaps undone": picture.exchanges,
        }
    )
    for one, other in doubts:
        report.find(Level.WARN, f"Objects {one} and {other} may have been swapped.")
    if strangers:
        report.find(Level.WARN, f"May be something else: {_listed(strangers)}.")
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
            "not compiled": picture.runtime_trouble or "nothing",
        }
    )
    if picture.runtime_trouble:
        report.find(Level.WARN, not_compiled(picture.runtime_trouble))
    share = memory.free / memory.total if memory.total else math.nan
    if share < FREE_WARNING:
        level = Level.ERROR if share < FREE_ERROR else Level.WARN
        report.find(level, f"Only {share:.1%} of the memory of {memory.device} is free.")
    return report.otherwise(f"The network runs on {memory.device}.")


def not_compiled(trouble: str) -> str:
    """Say why steps take longer than they might, and what to do about it."""
    return (
        "Some of the steps cannot be compiled (with cudagraphs: recorded), and PyTorch computes"
        f" them, which gives the same masks and takes longer ({trouble}). Set runtime:=torch to do"
        " without; for openvino, install the versions of it and of torch that requirements.txt"
        " names."
    )


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
