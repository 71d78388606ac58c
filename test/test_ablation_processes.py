# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Jobs in processes of their own: how many at a time, and what becomes of one that goes wrong."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from ablation_cases import write_table

from vos_ros.ablation import processes
from vos_ros.ablation.processes import Failure, run_jobs
from vos_ros.ablation.reading import read_table
from vos_ros.ablation.record import jobs_of
from vos_ros.ablation.table import TableError
from vos_ros.ablation.variant import Progress, Stopped


@dataclass(frozen=True)
class Pretence:
    """Does as the variant's name says, and notes that it began and that it ended."""

    notes: Path

    def under_way(self) -> int:
        began, ended = ({p.stem for p in self.notes.glob(f"*.{x}")} for x in ("began", "ended"))
        return len(began - ended)

    def __call__(self, job, tell, stopped) -> None:
        (self.notes / f"{job.variant}.began").touch()
        if job.variant.startswith("meets") and self.under_way() > 2:
            raise TableError("more than two at a time")
        tell(Progress("step", 1, 3, 0.5))
        if job.variant == "refuses":
            raise TableError("the video is gone")
        if job.variant == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if job.variant == "breaks":
            raise RuntimeError("a fault of ours")
        if job.variant == "waits":
            while not stopped():
                tell(Progress("step", 1, 3))
                threading.Event().wait(0.01)
            (self.notes / "waits.saved").touch()
            raise Stopped
        while job.variant.startswith("meets") and not (self.notes / "both").exists():
            if self.under_way() == 2:
                (self.notes / "both").touch()
            threading.Event().wait(0.01)
        (self.notes / f"{job.variant}.ended").touch()


@pytest.fixture
def run(tmp_path):
    """Run variants of these names; gives what was told and how each ended."""

    def run(*names, workers=2, stopped=lambda: False, on_progress=lambda job, progress: None):
        table = read_table(write_table(tmp_path, {"variants": {name: {} for name in names}}))
        ends = {}

        def end(job, failure):
            assert job.variant not in ends
            ends[job.variant] = failure

        jobs = jobs_of([table], tmp_path / "runs")
        run_jobs(Pretence(tmp_path), jobs, workers, stopped, on_progress, end)
        return ends

    yield run
    assert not multiprocessing.active_children()


def test_a_job_that_fails_in_any_way_leaves_the_others_to_be_done(run, tmp_path, capfd):
    told = []
    ends = run(
        "refuses",
        "dies",
        "breaks",
        "works",
        on_progress=lambda job, progress: told.append((job.variant, progress)),
    )
    assert ends["works"] is None and (tmp_path / "works.ended").exists()
    assert ends["refuses"] == Failure("the video is gone")
    assert "ended by SIGKILL" in ends["dies"].sentence
    assert "status 1" in ends["breaks"].sentence and "a fault of ours" in capfd.readouterr().err
    assert ("works", Progress("step", 1, 3, 0.5)) in told


def test_a_stop_ends_what_runs_and_begins_nothing_more(run, tmp_path):
    seen = []
    ends = run(
        "waits",
        "works",
        workers=1,
        stopped=lambda: bool(seen),
        on_progress=lambda job, progress: seen.append(progress),
    )
    assert ends == {}
    assert (tmp_path / "waits.saved").exists() and not (tmp_path / "works.began").exists()


def test_as_many_as_asked_for_run_at_a_time_and_no_more(run):
    # The first two wait until they see each other.
    assert run("meets_one", "meets_two", "meets_no_more") == {
        "meets_one": None,
        "meets_two": None,
        "meets_no_more": None,
    }


def test_an_error_here_leaves_no_process_behind(run, tmp_path):
    def fail(job, progress):
        raise KeyError("the display broke")

    with pytest.raises(KeyError):
        run("waits", on_progress=fail)


def test_a_job_whose_listener_is_gone_saves_and_ends(tmp_path):
    here, there = multiprocessing.Pipe(duplex=False)
    here.close()
    (job,) = jobs_of([read_table(write_table(tmp_path, {"variants": {"waits": {}}}))], tmp_path)
    processes._work(Pretence(tmp_path), job, there)  # would wait for ever
    assert (tmp_path / "waits.saved").exists()
