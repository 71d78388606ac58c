# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`init_box` and `init_mask` against a real node, as somebody at a terminal sees them."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture
from stage import Stage, picture, truth

from vos_ros.apps import init_box, init_mask
from vos_ros.apps.mask_options import ABSENT, FOLLOWED, REFUSED, WRONG, read_stamp
from vos_ros.data.image_files import write_labels

Command = Callable[[list[str]], int]
GREEN_BOX = ["18", "18", "14", "14"]
"""A box around the green square of `stage.picture`, two pixels from it."""


@pytest.fixture
def stage(make_stage: Callable[..., Stage]) -> Stage:
    return make_stage().activate()


class Terminal:
    """Runs a command beside a stage whose camera plays."""

    def __init__(self, stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
        self._stage, self._capsys = stage, capsys
        self.number = 0
        self.playing = True
        self.heard_by = 0  # so many have to listen to the camera before it plays

    def run(self, command: Command, *arguments: str, timeout: str = "30") -> tuple[int, str, str]:
        """Return the exit status, and what was said and complained of."""
        rest = [
            "--timeout",
            timeout,
            "--ros-args",
            "-r",
            f"__ns:={self._stage.node.get_namespace()}",
        ]
        statuses: list[int] = []

        def target() -> None:
            try:
                statuses.append(command([*arguments, *rest]))
            except SystemExit as ended:
                statuses.append(int(ended.code or 0))

        thread = threading.Thread(target=target)
        thread.start()
        while thread.is_alive():
            if self.playing and self._stage.camera.get_subscription_count() >= self.heard_by:
                self._send_next()
            self._stage.executor.spin_once(timeout_sec=0.02)
        said = self._capsys.readouterr()
        return statuses[0], said.out, said.err

    def _send_next(self) -> None:
        """Stamps rise for ever: were they to begin again, the node would forget its objects."""
        self.number += 1
        self._stage.send(self.number)

    def mask(self) -> np.ndarray:
        """The labels of the next image."""
        self._send_next()
        return self._stage.mask_of(self.number)


@pytest.fixture
def terminal(stage: Stage, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(stage, capsys)


def test_what_is_in_a_box_is_followed(terminal: Terminal, stage: Stage) -> None:
    status, said, complained = terminal.run(init_box.main, *GREEN_BOX, "--id", "7", "--name", "cup")
    assert (status, complained) == (FOLLOWED, "")
    assert said.startswith("Following 7, from the image stamped 1")
    # GrabCut found the square in the box, and the node finds pixels of its very colour.
    np.testing.assert_array_equal(terminal.mask(), np.where(truth((2,)), 7, 0))
    stage.until(lambda: stage.presences)
    assert [(o.id, o.name) for o in stage.presences[-1].objects] == [(7, "cup")]


def test_fill_takes_all_of_the_box(terminal: Terminal) -> None:
    """The node follows the mean colour under the mask: not that of the square any more."""
    assert terminal.run(init_box.main, *GREEN_BOX, "--fill")[0] == FOLLOWED
    assert not terminal.mask()[20:30, 20:30].any()


def test_keep_goes_on_with_the_others(terminal: Terminal) -> None:
    red = ["2", "18", "14", "14"]
    assert terminal.run(init_box.main, *GREEN_BOX, "--id", "2")[0] == FOLLOWED
    assert terminal.run(init_box.main, *red, "--id", "1", "--keep")[0] == FOLLOWED
    np.testing.assert_array_equal(terminal.mask(), truth((1, 2)))
    assert terminal.run(init_box.main, *red)[0] == FOLLOWED
    np.testing.assert_array_equal(terminal.mask(), truth((1,)))


def test_an_image_that_is_still_to_come_is_waited_for(terminal: Terminal) -> None:
    terminal.heard_by = 2  # else it may have passed before the command listens
    status, said, _ = terminal.run(init_box.main, *GREEN_BOX, "--stamp", "102.5")
    assert status == FOLLOWED
    assert "from the image stamped 102.500000000 s on" in said


def test_an_image_that_has_passed_is_not_waited_for(terminal: Terminal) -> None:
    status, _, complained = terminal.run(init_box.main, *GREEN_BOX, "--stamp", "99")
    assert status == ABSENT
    assert "The image stamped 99.000000000 s did not come" in complained


def test_a_mask_in_a_file_is_followed(terminal: Terminal, stage: Stage, tmp_path: Path) -> None:
    write_labels(tmp_path / "mask.png", truth((1, 3)))
    status, said, _ = terminal.run(
        init_mask.main, str(tmp_path / "mask.png"), "--names", "cup", "plate"
    )
    assert status == FOLLOWED
    assert said.startswith("Following 1, 3,")
    np.testing.assert_array_equal(terminal.mask(), truth((1, 3)))
    stage.until(lambda: stage.presences)
    assert [o.name for o in stage.presences[-1].objects] == ["cup", "plate"]


def test_some_of_the_ids_of_a_file(terminal: Terminal, tmp_path: Path) -> None:
    write_labels(tmp_path / "mask.png", truth((1, 2, 3)))
    assert terminal.run(init_mask.main, str(tmp_path / "mask.png"), "--ids", "2")[0] == FOLLOWED
    np.testing.assert_array_equal(terminal.mask(), truth((2,)))


def test_a_mask_of_a_picture_in_a_file(terminal: Terminal, tmp_path: Path) -> None:
    """The red square is where the camera never shows it."""
    moved = np.roll(picture(0, (1,)), 15, axis=0)
    Picture.fromarray(moved).save(tmp_path / "frame.png")
    write_labels(tmp_path / "mask.png", np.roll(truth((1,)), 15, axis=0))
    status, said, _ = terminal.run(
        init_mask.main, str(tmp_path / "mask.png"), "--picture", str(tmp_path / "frame.png")
    )
    assert status == FOLLOWED
    assert said.startswith("Following 1, from an image without a stamp on")
    np.testing.assert_array_equal(terminal.mask(), truth((1,)))


def test_what_the_node_has_lost_is_sent_along(
    terminal: Terminal, make_stage: Callable[..., Stage], capsys: pytest.CaptureFixture[str]
) -> None:
    """This node holds one image only, and has another one by the time the request comes."""
    terminal = Terminal(make_stage(buffer_frames=1).activate(), capsys)
    assert terminal.run(init_box.main, *GREEN_BOX, "--id", "2")[0] == FOLLOWED
    np.testing.assert_array_equal(terminal.mask(), truth((2,)))


def test_compressed_images(
    make_stage: Callable[..., Stage], capsys: pytest.CaptureFixture[str]
) -> None:
    stage = make_stage(image_transport="compressed").activate()
    stage.send = stage.send_compressed
    terminal = Terminal(stage, capsys)
    assert terminal.run(init_box.main, *GREEN_BOX, "--id", "2", "--compressed")[0] == FOLLOWED
    np.testing.assert_array_equal(terminal.mask(), truth((2,)))


def test_a_box_outside_the_image_is_refused(terminal: Terminal) -> None:
    status, _, complained = terminal.run(init_box.main, "64", "0", "5", "5")
    assert status == WRONG
    assert (
        "The box from (64, 0) to (69, 5) has no pixel of the image, which is 64 x 48" in complained
    )


def test_a_box_around_nothing_is_refused(terminal: Terminal) -> None:
    status, _, complained = terminal.run(init_box.main, "20", "2", "12", "-4")
    assert status == WRONG
    assert "12 pixels wide and -4 high" in complained


def test_what_the_node_refuses_is_said(terminal: Terminal, tmp_path: Path) -> None:
    write_labels(tmp_path / "mask.png", np.zeros((48, 64), np.uint8))
    status, said, complained = terminal.run(init_mask.main, str(tmp_path / "mask.png"))
    assert (status, said) == (REFUSED, "")
    assert complained.startswith("The mask holds no object")


def test_without_a_node_it_says_so(terminal: Terminal, stage: Stage) -> None:
    status, _, complained = terminal.run(
        init_box.main, *GREEN_BOX, "--node", "nobody", timeout="0.3"
    )
    assert status == ABSENT
    assert f"no node {stage.node.get_namespace()}/nobody in ROS domain" in complained
    assert "--node" in complained


def test_without_images_it_says_where_there_are_some(terminal: Terminal, stage: Stage) -> None:
    terminal.playing = False
    status, _, complained = terminal.run(
        init_box.main, *GREEN_BOX, "--image", "/no/camera", timeout="3"
    )
    assert status == ABSENT
    assert "No image came on /no/camera within 3 s, and nobody publishes there" in complained
    assert f"{stage.node.get_namespace()}/image" in complained
    assert "/vos/mask" not in complained
    status, _, complained = terminal.run(init_box.main, *GREEN_BOX, timeout="3")
    assert status == ABSENT
    assert "although somebody publishes there" in complained


def test_an_answer_is_not_waited_for_without_end(
    terminal: Terminal, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.segmenter.hold()
    status, _, complained = terminal.run(init_box.main, *GREEN_BOX, timeout="5")
    assert status == ABSENT
    assert "did not answer within 5 s" in complained


BAD = {
    "no number": [init_box.main, ["a", "1", "2", "3"]],
    "too few": [init_box.main, ["1", "2", "3"]],
    "id 0": [init_box.main, [*GREEN_BOX, "--id", "0"]],
    "id 256": [init_box.main, [*GREEN_BOX, "--id", "256"]],
    "a stamp in words": [init_box.main, [*GREEN_BOX, "--stamp", "now"]],
    "a negative timeout": [init_box.main, [*GREEN_BOX, "--timeout", "-1"]],
    "no file": [init_mask.main, []],
}


@pytest.mark.parametrize("what", BAD)
def test_a_wrong_command_line_ends_with_2(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    main, arguments = BAD[what]
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == WRONG
    assert "usage: init_" in capsys.readouterr().err


def test_a_file_that_is_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert init_mask.main([str(tmp_path / "nothing.png")]) == WRONG
    (tmp_path / "text.png").write_text("hello")
    assert init_mask.main([str(tmp_path / "text.png")]) == WRONG
    said = capsys.readouterr().err
    assert "there is no file" in said and "cannot be read as an image" in said


def test_stamps_are_exact() -> None:
    assert read_stamp("1712345678.040000001") == 1712345678040000001
    assert (read_stamp("5"), read_stamp("5.5")) == (5 * 10**9, 5_500_000_000)
    for text in ("", "-1", "1e9", "1.0000000001", "1.", "inf"):
        with pytest.raises(argparse.ArgumentTypeError):
            read_stamp(text)


def test_as_a_process_of_its_own(stage: Stage) -> None:
    """By the door that `ros2 run` uses; and Ctrl-C is not needed to end it."""
    namespace = stage.node.get_namespace()
    child = subprocess.Popen(
        [sys.executable, "-m", "vos_ros", "init_box", *GREEN_BOX, "--id", "2", "--timeout", "60",
         "--ros-args", "-r", f"__ns:={namespace}"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(os.environ),
    )  # fmt: skip
    try:
        number = 0
        while child.poll() is None:
            number += 1
            stage.send(number)
            stage.executor.spin_once(timeout_sec=0.02)
    finally:
        child.kill()
        said = child.communicate()[0]
    assert child.returncode == FOLLOWED, said
    assert said.startswith("Following 2, from the image stamped")
    assert stage.segmenter.ids == (2,)
