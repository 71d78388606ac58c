# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Signals that end a training do not end the processes that make clips for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import numpy as np
from node_process import LONG

from vos_ros.data.clip import Clip
from vos_ros.data.loader_signals import deaf_start
from vos_ros.data.mixture import ClipMixture, clip_loader

HEARD = {signal.SIGINT, signal.SIGTERM}


class Told:
    """Clips whose pixels say where they were made: process, its group, whether it is deaf."""

    def __getitem__(self, index: int) -> Clip:
        deaf = bool(signal.pthread_sigmask(signal.SIG_BLOCK, ()) & HEARD)
        own_group = os.getpgrp() == os.getpid()
        image = np.full((1, 1, 1, 3), (deaf, own_group, index), np.uint8)
        return Clip(image, np.zeros((1, 1, 1), np.uint8))


def test_a_worker_is_in_a_group_of_its_own_and_can_be_ended():
    loader = clip_loader(ClipMixture([(Told(), 1.0)], count=2), batch=1, workers=1)
    seen = [batch.images.flatten().tolist() for batch in loader]
    assert seen == [[0, 1, 0], [0, 1, 1]]


STARTING = """
import os, signal, sys
from vos_ros.data.loader_signals import leave_group
print("started", flush=True)
sys.stdin.readline()
leave_group()
print("left", flush=True)
sys.stdin.readline()
"""


def start():
    with deaf_start():
        return subprocess.Popen(
            [sys.executable, "-c", STARTING], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip


def test_what_a_worker_is_sent_before_it_is_ready_is_forgotten():
    child = start()
    try:
        assert child.stdout.readline() == "started\n"
        for number in HEARD:
            child.send_signal(number)
        child.stdin.write("\n")
        child.stdin.flush()
        assert child.stdout.readline() == "left\n"
        child.terminate()
        assert child.wait(LONG) == -signal.SIGTERM
    finally:
        child.kill()
        child.communicate()


def test_the_one_who_starts_it_hears_again():
    came = []
    before = signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
    try:
        with deaf_start():
            # Another thread may hear what the process is sent; this is for the one that starts.
            signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM)
            assert came == []
        assert came == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)
