# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One door to every program."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from vos_ros.apps import cli
from vos_ros.ros.environment import PROFILE_VARIABLES

ROOT = Path(__file__).parents[1]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Replaces the command `demo`; the list holds the arguments of each call."""
    calls: list[list[str]] = []
    module = ModuleType("vos_ros.apps.demo")
    module.main = lambda argv: calls.append(argv) or 7
    monkeypatch.setitem(sys.modules, "vos_ros.apps.demo", module)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    return calls


def test_a_command_gets_the_rest_and_gives_its_status(command: list[list[str]]) -> None:
    assert cli.main(["demo", "--out", "a b", "--help"]) == 7
    assert command == [["--out", "a b", "--help"]]


def test_a_command_runs_in_the_completed_environment(command: list[list[str]]) -> None:
    for name in PROFILE_VARIABLES:
        os.environ.pop(name, None)
    cli.main(["demo"])
    assert Path(os.environ[PROFILE_VARIABLES[0]]).name == "fastdds.xml"


def test_an_installed_script_is_known_by_its_name(
    command: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/any/where/demo", "--out", "x"])
    assert cli.main_by_name() == 7
    assert command == [["--out", "x"]]


def test_a_package_that_is_missing_is_named_with_what_to_do(
    command: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> ModuleType:
        raise ModuleNotFoundError("No module named 'cv2'", name="cv2")

    monkeypatch.setattr(cli.importlib, "import_module", missing)
    assert cli.main(["demo"]) == 1
    said = capsys.readouterr().err
    assert "'cv2'" in said and sys.executable in said and "make setup" in said


@pytest.mark.parametrize("argv", [[], ["dmeo"]])
def test_without_a_known_command_it_says_which_there_are(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(argv) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert all(name in said.err for name in [*cli.COMMANDS, *argv])


def test_help_is_not_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    assert "publish_video" in capsys.readouterr().out


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_a_program(name: str) -> None:
    tree = ast.parse((ROOT / f"vos_ros/apps/{name}.py").read_text())
    (main,) = (n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "main")
    assert [argument.arg for argument in main.args.args] in (["argv"], ["args"])
    assert len(main.args.defaults) == 1


@pytest.mark.parametrize(
    "argv, sentence",
    [
        (["vos", "--ros-args", "--params-file", "/gone.yaml"], "'--params-file /gone.yaml'"),
        (["vos", "--ros-args", "-p"], "No parameter override rule found"),
        (["vos", "--ros-args", "-r", "__node:=my vos"], "my vos"),
        (["publish_video", "{clip}", "--topic", "2nd"], "must not start with a number"),
        (["init_mask", "{clip}", "--node", "a//b"], "must not contain repeated '/'"),
    ],
    ids=["no file", "no parameter", "no name", "no topic", "no node"],
)
def test_what_ros_cannot_read_is_told_without_a_trace(
    argv: list[str], sentence: str, tmp_path: Path
) -> None:
    from PIL import Image

    Image.new("L", (64, 48), 1).save(tmp_path / "clip.png")
    given = [word.format(clip=tmp_path / "clip.png") for word in argv]
    done = subprocess.run(
        [sys.executable, "-m", "vos_ros", *given],
        cwd=ROOT, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(f"{argv[0]}: ") and sentence in done.stderr
    assert "Traceback" not in done.stderr and ".c:" not in done.stderr


def test_a_fault_of_ours_keeps_its_trace(
    command: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(argv: list[str]) -> int:
        raise RuntimeError("failed to resolve name")

    monkeypatch.setattr(sys.modules["vos_ros.apps.demo"], "main", broken)
    with pytest.raises(RuntimeError):
        cli.main(["demo"])


def test_help_loads_neither_torch_nor_ros() -> None:
    code = (
        "import sys; from vos_ros.apps.cli import main; main(['--help']);"
        "sys.exit(any(m in sys.modules for m in ('torch', 'rclpy', 'cv2', 'numpy')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
