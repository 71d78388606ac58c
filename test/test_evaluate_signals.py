# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evaluate` that is told to end in the midst of a sequence: its workers end, its results stay."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from moving_squares import LENGTHS, LaggingSegmenter, write_squares

from vos_ros.apps import evaluate

PROGRAM = """
import sys
from test_evaluate_signals import BuildBusy
from vos_ros.apps import evaluate
evaluate.environment.need_device = lambda name: None  # else PyTorch is imported
evaluate.open_weights = lambda args: (BuildBusy(sys.argv[1]), {"sha256": "0"})
sys.exit(evaluate.main(sys.argv[2:]))
"""


class BusySegmenter(LaggingSegmenter):
    """Is never done with the sequence of nine frames."""

    def __init__(self, pipe: str) -> None:
        super().__init__()
        # Open for as long as the process lives: the reader sees the end of it when all are gone.
        self.pipe = open(pipe, "w")  # noqa: SIM115

    def step(self, image):
        if self.index == 6:
            self.pipe.write("busy\n")
            self.pipe.flush()
            while True:
                signal.pause()
        return super().step(image)


class BuildBusy:
    def __init__(self, pipe: str) -> None:
        self.pipe = pipe

    def __call__(self) -> BusySegmenter:
        return BusySegmenter(self.pipe)


@pytest.fixture
def start(tmp_path):
    """Starts the command and waits until it is in the sequence that does not end."""
    processes = []

    def started(*argv: str):
        root, pipe = write_squares(tmp_path / "DAVIS"), tmp_path / "pipe"
        os.mkfifo(pipe)
        places = (str(Path(__file__).parent), str(Path(evaluate.__file__).parents[2]))
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                PROGRAM,
                str(pipe),
                "--root",
                str(root),
                "--threads",
                "1",
                "--json",
                str(tmp_path / "r.json"),
                *argv,
            ],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
            text=True,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        processes.append(process)
        done, words = set(), pipe.open()
        while "cat" not in done:
            line = process.stderr.readline()
            assert line, "it ended by itself"
            done.add(line.split(":")[0])
        assert words.readline() == "busy\n"
        return process, words

    yield started
    for process in processes:
        process.kill()
        process.wait()
        process.stderr.close()


@pytest.mark.parametrize(
    ("number", "workers"),
    [
        (signal.SIGTERM, "1"),
        (signal.SIGTERM, "2"),
        (signal.SIGINT, "2"),
        (signal.SIGKILL, "2"),
    ],
)
def test_told_to_end_it_ends_its_workers_and_keeps_what_is_done(start, tmp_path, number, workers):
    process, words = start("--workers", workers)
    if number == signal.SIGINT:  # Ctrl-C goes to all
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    assert set(words) <= {"busy\n"}  # its end: no process that has the pipe is left
    said, _ = process.stderr.read(), process.wait()
    assert "Traceback" not in said
    if number != signal.SIGKILL:
        assert process.returncode == 128 + number
        assert said.splitlines()[-1] in ("evaluate: terminated", "evaluate: interrupted")
    kept = (tmp_path / "r.json.partial").read_text().splitlines()
    assert "cat" in [json.loads(line)["name"] for line in kept[1:]]
    assert set(LENGTHS) > {json.loads(line)["name"] for line in kept[1:]}


def test_the_handler_is_put_back(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    assert evaluate.main(["--root", str(tmp_path)]) == 1
    assert signal.getsignal(signal.SIGTERM) is before
