# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the demo leaves behind: pictures, a summary as JSON, and a summary on the screen."""

from __future__ import annotations

import json
import shutil

from tqdm import tqdm

from vos_ros.apps.demo_accuracy import FrameScore, accuracy_json, frames_with_truth, score
from vos_ros.apps.demo_options import Options
from vos_ros.apps.demo_pictures import Pictures
from vos_ros.apps.demo_report import (
    Matched,
    PresenceRows,
    Recording,
    Summary,
    match,
    presence_bar,
    presence_table,
    summarise,
)


def report(options: Options, recording: Recording) -> int:
    """Write and print everything; return the exit status, 0 for a run without problems.

    Raises:
        VideoError, TruthError, OSError: something cannot be read or written.
    """
    matched = match(recording.sent, recording.masks)
    summary = summarise(recording, matched)
    clip = options.clip
    last = max((frame.index for frame in recording.sent if not frame.held), default=-1)
    pictures = Pictures(clip.reader, recording, matched, clip.names, options.size, clip.start)
    rate = options.rate or clip.reader.rate
    codec = ""
    if last >= 0:
        with tqdm(total=last + 1 - clip.start, unit="frame", desc="writing") as bar:
            codec = pictures.write(options.out, last, rate, bar.update)
    results = ((frame.index, mask.labels()) for frame, mask in matched.pairs)
    scores = score(results, options.truth, clip.ids, clip.start)
    sent = (frame.index for frame in recording.sent)
    possible = frames_with_truth(sent, options.truth, clip.start)
    table = presence_table(recording, matched)
    content = {
        "video": str(clip.reader.path),
        "mask": str(clip.mask_path),
        "objects": {str(k): clip.names.get(k, str(k)) for k in clip.ids},
        "clip_rate_hz": rate,
        "node_parameters": options.node_parameters,
        **summary.as_json(),
        "overlay_codec": codec,
        "presence": {str(k): rows for k, rows in table.items()},
        "accuracy_percent": accuracy_json(scores, possible),
    }
    text = json.dumps(content, indent=1)
    (options.out / "summary.json").write_text(text + "\n", encoding="utf-8")
    print(describe(summary, options, matched, table, scores, possible))
    return 1 if summary.problems else 0


def describe(
    summary: Summary,
    options: Options,
    matched: Matched,
    table: dict[int, PresenceRows],
    scores: list[FrameScore],
    possible: int,
) -> str:
    """Return the summary for people; `possible` is how many scores there could have been."""
    lines = [
        "",
        f"camera   {summary.frames_sent} frames sent at {summary.fps_sent:.1f} Hz, "
        f"{summary.frames_received} received here",
        f"node     {summary.masks_returned} masks at {summary.fps_masks:.1f} Hz, "
        f"{summary.frames_without_mask} frames without a mask",
        f"latency  stamp to mask {summary.latency_ms_median:.0f} ms median, "
        f"{summary.latency_ms_p95:.0f} ms at 95 %",
    ]
    start = options.clip.start
    last = max((frame.index for frame, _ in matched.pairs), default=start)
    for object_id, rows in table.items():
        name = options.clip.names.get(object_id, str(object_id))
        there = sum(1 for row in rows if row["present"])
        lines.append(f"{name}: present in {there} of {len(rows)} masks")
        lines.append(f"         |{presence_bar(rows, start, last)}|")
    means = accuracy_json(scores, possible)
    if means:
        lines.append(
            f"accuracy J&F {means['jf']} %  (J {means['j']}, F {means['f']}; "
            f"the masks of {len(scores)} of {possible} frames with truth)"
        )
    lines.append(f"written to {options.out}: overlay.mp4, contact_sheet.png, summary.json")
    lines += [f"FAILED: {problem}" for problem in summary.problems]
    width = shutil.get_terminal_size((100, 20)).columns
    return "\n".join(line[: max(width, 80)] if "|" in line else line for line in lines)
