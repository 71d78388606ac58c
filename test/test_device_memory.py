# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The memory of the device, against what the system itself counts."""

from __future__ import annotations

import ctypes
import math
import mmap
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from vos_ros.ros import device_memory
from vos_ros.ros.device_memory import read_memory
from vos_ros.ros.environment import MALLOC_SETTINGS


def test_the_machines_memory_is_told():
    memory = read_memory("cpu")
    assert memory.device == "cpu"
    assert memory.total == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 0 < memory.free <= memory.total
    assert 10e6 < memory.own < memory.total


def test_what_this_process_takes_is_seen():
    # Pages of its own: what numpy allocates may be memory that earlier tests gave back.
    with mmap.mmap(-1, 200_000_000, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as block:
        before = read_memory("cpu").own
        np.frombuffer(block, np.uint8)[:] = 1
        assert read_memory("cpu").own - before > 150e6


LET_GO = """
import gc
import numpy as np
from vos_ros.ros.device_memory import give_back, read_memory

class Held:
    def __init__(self):
        self.itself, self.image = self, np.ones(1_000_000, np.uint8)

gc.disable()
held = [Held() for _ in range(300)]
full = read_memory("cpu").own
del held
kept = read_memory("cpu").own
give_back()
print(full - kept, full - read_memory("cpu").own)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="needs glibc")
def test_what_was_let_go_is_given_back_to_the_system():
    environment = {**os.environ, **MALLOC_SETTINGS}
    done = subprocess.run(
        [sys.executable, "-c", LET_GO], env=environment, capture_output=True, text=True, check=True
    )
    by_itself, given_back = map(float, done.stdout.split())
    assert by_itself < 50e6
    assert given_back > 250e6


@pytest.mark.parametrize("text", ["", "MemTotal: much\n", "MemTotal:  100 kB\n"])
def test_a_system_that_does_not_say_leaves_it_unknown(monkeypatch, tmp_path, text):
    file = tmp_path / "meminfo"
    file.write_text(text)
    monkeypatch.setattr(device_memory, "MACHINE", file)
    memory = read_memory("cpu")
    assert memory.device == "cpu"
    assert all(math.isnan(value) for value in (memory.own, memory.free, memory.total))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_the_gpus_memory_is_told():
    block = torch.zeros(2**26, dtype=torch.uint8, device="cuda")
    memory = read_memory("cuda:0")
    assert memory.device == f"cuda:0 ({torch.cuda.get_device_name(0)})"
    assert memory.own >= block.nbytes
    assert 0 < memory.free <= memory.total - block.nbytes
    assert read_memory("cuda").total == memory.total
