# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parts of the documents that follow the program do so, and `parameters` tells the same."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from vos_ros.apps import parameters
from vos_ros.apps.cli import COMMANDS
from vos_ros.ros.parameter_table import allowed, as_markdown, as_text
from vos_ros.ros.parameters import TABLE, Changes, Parameter

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "scripts/docs/generate.py"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """The script, as a module."""
    spec = importlib.util.spec_from_file_location("generate", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_documents_are_as_they_would_be_made() -> None:
    """A failure here means that a table is old: run `make docs`, or scripts/docs/generate.py."""
    done = subprocess.run(
        [sys.executable, SCRIPT, "--check"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_part_that_differs_is_written_anew(generate: ModuleType) -> None:
    page = "a\n<!-- begin: x -->\nold\n<!-- end: x -->\nb\n<!-- begin: y -->\n<!-- end: y -->\n"
    made = {"x": "new\\1\n", "y": "z\n"}
    after = generate.filled(page, made)
    assert after == (
        "a\n<!-- begin: x -->\nnew\\1\n<!-- end: x -->\nb\n<!-- begin: y -->\nz\n<!-- end: y -->\n"
    )
    assert generate.filled(after, made) == after
    with pytest.raises(KeyError):
        generate.filled(page, {"x": ""})


def test_every_message_and_service_is_shown(generate: ModuleType) -> None:
    text = (ROOT / "docs/interface.md").read_text(encoding="utf-8")
    defined = [*ROOT.glob("vos_msgs/msg/*.msg"), *ROOT.glob("vos_msgs/srv/*.srv")]
    assert len(defined) >= 6
    for path in defined:
        assert path.read_text(encoding="utf-8").strip() in text, path.name
    assert all(f"\n| `{name}` |" in text for name in COMMANDS)


def test_the_page_of_the_parameters_has_all_that_the_table_says() -> None:
    """Told by hand here, not by the code that makes the page."""
    page = (ROOT / "docs/parameters.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    for parameter in TABLE:
        row = rows[parameter.name]
        assert parameter.description in row
        assert ("read-only" in row) or parameter.changes is not Changes.NEVER, parameter.name
        assert ("any time" in row.split("|")[5]) == (parameter.changes is Changes.ALWAYS)
        for limit in parameter.limits or ():
            assert str(int(limit)) in row.split("|")[4]


EXAMPLE = Parameter(
    "shade", float, 1e-5, "How dark|light it is.", Changes.ALWAYS, limits=(0.0, 1e4)
)


def test_a_row_tells_type_default_range_and_when() -> None:
    assert as_markdown([EXAMPLE]).splitlines()[2] == (
        "| `shade` | double | `0.00001` | 0.0 to 10000.0 | any time | How dark\\|light it is. |"
    )


def test_what_is_allowed_is_said_for_every_kind() -> None:
    words = {parameter.name: allowed(parameter) for parameter in TABLE}
    assert words["autostart"] == "true, false"
    assert words["internal_size"] == "64 to 1440"
    assert words["device"] == "auto, cpu, cuda, cuda:N"
    assert words["weights"] == "any text"


@pytest.mark.parametrize("width", [60, 100])
def test_lines_for_a_terminal_are_short_enough(width: int) -> None:
    lines = as_text(TABLE, width).splitlines()
    assert max(map(len, lines)) <= width
    assert [line.split(" ")[0] for line in lines if line and line[0] != " "] == [
        parameter.name for parameter in TABLE
    ]


def test_the_command_lists_all_or_what_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert parameters.main(["--markdown"]) == 0
    assert capsys.readouterr().out == as_markdown(TABLE)
    assert parameters.main(["every", "model"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("every (integer), default 1;") and "\nmodel (string)" in said
    assert "\nweights" not in said


def test_a_name_that_there_is_not_is_answered_with_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert parameters.main(["internal_sise"]) == 2
    assert "did you mean 'internal_size'?" in capsys.readouterr().err
    assert parameters.main(["qqqq"]) == 2
    assert "no parameter 'qqqq'." in capsys.readouterr().err
