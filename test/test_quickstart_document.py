# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The client of docs/quickstart.md does what the page says, in a process of its own, over DDS."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import threading
from itertools import count
from pathlib import Path

import pytest
from rclpy.clock import Clock, ClockType
from stage import Stage, header, picture

from vos_ros.ros.images import rgb_to_message

PAGE = Path(__file__).parents[1] / "docs/quickstart.md"
SPACE = "/newcomer"
REMAPPED = {
    "/camera/image_raw": f"{SPACE}/image",
    "/vos/init_mask": f"{SPACE}/vos/init_mask",
    "/vos/mask": f"{SPACE}/vos/mask",
}


def client() -> str:
    """The client, with its box on an object of the stage's small images."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert code.count("[200:300, 250:350]") == 1
    return code.replace("[200:300, 250:350]", "[20:30, 4:14]")


@pytest.fixture
def stage(context):
    """A node with a camera that sends twenty images a second."""
    stage = Stage(context, SPACE).activate()
    numbers = count(1)

    def send() -> None:
        number = next(numbers)
        stage.camera.publish(rgb_to_message(picture(number), header(number)))

    stage.client.create_timer(0.05, send, clock=Clock(clock_type=ClockType.STEADY_TIME))
    yield stage
    stage.close()


def test_the_client_follows_what_is_in_its_box(stage: Stage, tmp_path: Path) -> None:
    script = tmp_path / "client.py"
    script.write_text(client(), encoding="utf-8")
    remapping = [word for pair in REMAPPED.items() for word in ("-r", ":=".join(pair))]
    child = subprocess.Popen(
        [sys.executable, "-u", script, "--ros-args", *remapping],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said: list[str] = []

    def read() -> None:
        assert child.stdout is not None
        for line in child.stdout:
            said.append(line)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        stage.until(lambda: child.poll() is not None or len(said) >= 4, "the client's masks")
    finally:
        child.kill()
        child.wait()
        reader.join()
    assert said[0].startswith("Following 1, from the image stamped "), said
    seconds, found = said[-2].split(" ", 1)
    assert int(seconds) >= 100
    assert ast.literal_eval(found) == {1: 100}
