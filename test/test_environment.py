# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is missing is filled in, what a person set is left alone."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from vos_ros.ros.environment import (
    MALLOC_SETTINGS,
    PROFILE_VARIABLES,
    complete_environment,
    keep_large_blocks,
    transport_environment,
)


def test_an_empty_environment_gets_profile_and_malloc() -> None:
    filled = transport_environment({})
    assert set(filled) == {*PROFILE_VARIABLES, *MALLOC_SETTINGS}
    assert len({filled[name] for name in PROFILE_VARIABLES}) == 1


def test_the_profile_lets_a_full_hd_image_pass() -> None:
    root = ElementTree.parse(transport_environment({})[PROFILE_VARIABLES[0]]).getroot()
    space = "{http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles}"
    size = {
        tag: int(root.findtext(f".//{space}{tag}")) for tag in ("segment_size", "maxMessageSize")
    }
    image = 1920 * 1080 * 3
    assert size["maxMessageSize"] > image
    assert size["segment_size"] >= 4 * size["maxMessageSize"]
    used = {element.text for element in root.iterfind(f".//{space}userTransports/{space}*")}
    described = root.iterfind(f".//{space}transport_descriptor/{space}transport_id")
    assert used == {element.text for element in described}


@pytest.mark.parametrize("name", PROFILE_VARIABLES)
def test_a_profile_of_ones_own_stands(name: str) -> None:
    filled = transport_environment({name: "/my/profile.xml"})
    assert not set(filled) & set(PROFILE_VARIABLES)


def test_a_malloc_setting_of_ones_own_stands() -> None:
    assert "MALLOC_TOP_PAD_" not in transport_environment({"MALLOC_TOP_PAD_": "0"})


def test_a_sourced_installation_keeps_its_prefix() -> None:
    assert "AMENT_PREFIX_PATH" not in complete_environment({"AMENT_PREFIX_PATH": "/ros"})


@pytest.mark.parametrize("wheels", [True, False])
def test_the_wheels_of_this_python_are_found(
    wheels: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    if wheels:
        (tmp_path / "share/ament_index").mkdir(parents=True)
    found = complete_environment({}).get("AMENT_PREFIX_PATH")
    assert found == (str(tmp_path) if wheels else None)


def test_logs_have_a_place_even_without_a_home(tmp_path: Path) -> None:
    assert Path(complete_environment({})["ROS_LOG_DIR"]).parent.is_dir()
    assert Path(complete_environment({"HOME": str(tmp_path / "gone")})["ROS_LOG_DIR"])
    assert "ROS_LOG_DIR" not in complete_environment({"HOME": str(tmp_path)})
    assert "ROS_LOG_DIR" not in complete_environment({"ROS_HOME": "/anywhere"})


BLOCKS = """
import ctypes, sys
from vos_ros.ros.environment import keep_large_blocks

class Info(ctypes.Structure):  # mallinfo2 of <malloc.h>
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks",
        "fordblks", "keepcost")]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype, libc.malloc.restype = Info, ctypes.c_void_p
if sys.argv[1] == "asked":
    keep_large_blocks()
before = libc.mallinfo2().hblks
libc.malloc(ctypes.c_size_t(int(sys.argv[2])))
print(libc.mallinfo2().hblks - before)
"""


def blocks_of_their_own(settings: dict[str, str], how: str, late: str = "") -> int:
    """How many blocks of its own the kernel gives for 6 MB, an image of 1920x1080."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")}
    program = f"import os\n{late}\n{BLOCKS}"
    done = subprocess.run(
        [sys.executable, "-c", program, how, str(1920 * 1080 * 3)],
        env={**inherited, **settings}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's own")
def test_settings_act_on_a_process_that_runs_already() -> None:
    late = f"os.environ.update({MALLOC_SETTINGS})"
    assert blocks_of_their_own({}, "asked") == blocks_of_their_own({}, "not", late) == 1
    assert blocks_of_their_own({}, "asked", late) == 0
    assert blocks_of_their_own(MALLOC_SETTINGS, "not") == 0


def test_where_there_is_no_glibc_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vos_ros.ros.environment.ctypes.CDLL", lambda name: object())
    monkeypatch.setenv("MALLOC_TOP_PAD_", "1")
    keep_large_blocks()
