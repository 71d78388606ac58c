# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The whole main job, seen from outside: a camera, the node, one mask, and what comes back.

Three processes talk over DDS in a ROS domain of their own: `publish_video` plays a clip as a
camera and waits at its first frame, `node` follows, and this one gives the first mask through
`/vos/init_mask`, lets the camera play, and writes down what the node answers:

    overlay.mp4        the clip with the masks that came back
    contact_sheet.png  twelve moments of it
    summary.json       frames, rates, latency, presence over time, accuracy where truth is given

The exit status is 0 only if masks came for at least a tenth of the frames sent, each with the
stamp of a frame sent, and some of them with an object in it (see `demo_report.problems`).
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import cv2
from tqdm import tqdm

from vos_ros.apps.demo_accuracy import TruthError
from vos_ros.apps.demo_clip import ClipError, default_video
from vos_ros.apps.demo_options import Options, parser, read_options
from vos_ros.apps.demo_output import report
from vos_ros.apps.demo_report import Recording, SentFrame, camera_rate
from vos_ros.apps.domains import claim_domain
from vos_ros.apps.node_options import OptionError
from vos_ros.apps.processes import Child
from vos_ros.data.image_files import ImageFileError
from vos_ros.data.video import VideoError, VideoReader
from vos_ros.ros.environment import complete_environment

_IDLE = 15.0  # s without a mask, once the clip has ended, after which none is expected any more
_LOG = "frames_sent.csv"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; 0 for success, 1 when it failed, 2 for options that make no demo."""
    given = parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        if given.first_frame:
            return _write_first_frame(given.video, given.start or 0, Path(given.first_frame))
        options = read_options(given)
    except (ClipError, VideoError, ImageFileError, TruthError, OptionError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    # With ROS, so only when there is something to do.
    from vos_ros.apps.waiting import WaitingError

    try:
        return report(options, _record(options))
    except (WaitingError, VideoError, TruthError, ImageFileError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: stopped", file=sys.stderr)
        return 130


def _terminated(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)  # unwinds, so that the children are ended on the way


def _write_first_frame(video: str, start: int, path: Path) -> int:
    frame = VideoReader(video or default_video()).frame(start)
    if not cv2.imwrite(str(path), frame):
        raise VideoError(f"'{path}' cannot be written")
    print(f"Frame {start} is in '{path}', {frame.shape[1]}x{frame.shape[0]} pixels.")
    return 0


def _record(options: Options) -> Recording:
    """Run the three processes and return what came back; the other two are ended then."""
    os.environ.update(complete_environment(os.environ))
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    from vos_ros.apps.demo_session import DemoSession

    options.out.mkdir(parents=True, exist_ok=True)
    log = options.out / _LOG
    with ExitStack() as stack:
        # Away from domain 0, where the user's own robot may be listening.
        domain = options.domain or stack.enter_context(claim_domain()).number
        os.environ["ROS_DOMAIN_ID"] = str(domain)
        node = _start("node", _node_arguments(options), options.out, stack)
        session = DemoSession([node], domain)
        stack.callback(session.close)
        print("Starting the node ...", flush=True)
        session.wait_until_active()
        publisher = _start("publish_video", _camera_arguments(options, log), options.out, stack)
        session.watch(publisher)
        names = list(options.clip.names.values())
        print(f"/vos/init_mask: {session.give_first_mask(options.clip.labels, names)}", flush=True)
        rate = options.rate or camera_rate(options.clip.reader.rate, session.latency())
        if rate < options.clip.reader.rate:
            print(f"The camera plays at {rate:.1f} Hz, for the node to keep up.", flush=True)
        with tqdm(total=_expected(options), unit="frame", desc="playing") as bar:
            session.start_playing(rate)
            session.on_frame = lambda: _progress(bar, session.recording)
            session.collect(publisher, lambda: read_log(log)[-1].stamp, _IDLE)
        session.recording.sent = read_log(log)
        return session.recording


def _start(name: str, arguments: list[str], out: Path, stack: ExitStack) -> Child:
    command = [sys.executable, "-m", "vos_ros", name, *arguments]
    child = Child(name, command, os.environ, out / f"{name}.log")
    stack.callback(child.end)
    return child


def _node_arguments(options: Options) -> list[str]:
    arguments = ["--ros-args"]
    for name, value in options.node_parameters.items():
        # ROS reads values as YAML, of which JSON's quoted strings are a part.
        arguments += ["-p", f"{name}:={json.dumps(value)}"]
    return arguments


def _camera_arguments(options: Options, log: Path) -> list[str]:
    # Both subscribers, the node and the demo, must be there: neither may miss the first frame.
    arguments = ["--wait-for-subscribers", "2", "--hold", "--log", str(log)]
    arguments += ["--start", str(options.clip.start)]
    arguments += ["--rate", str(options.rate), "--count", str(options.max_frames)]
    if options.size:
        arguments += ["--size", "{}x{}".format(*options.size)]
    return [*arguments, str(options.clip.reader.path)]


def _expected(options: Options) -> int | None:
    left = options.clip.reader.count - options.clip.start
    limits = [n for n in (left, options.max_frames) if n > 0]
    return min(limits) if limits else None


def _progress(bar: tqdm, recording: Recording) -> None:
    if bar.total is None or bar.n < bar.total:
        bar.update()
    bar.set_postfix(masks=len(recording.masks), refresh=False)


def read_log(path: Path) -> list[SentFrame]:
    """Return the frames that the publisher's log names, in order."""
    rows = (line.split(",") for line in path.read_text(encoding="ascii").splitlines())
    return [SentFrame(int(index), int(stamp), held == "1") for index, stamp, held in rows]
