# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""docs/training.md says what the program does: entries, defaults, options, files."""

from __future__ import annotations

import dataclasses
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from document_tables import plain, table_rows

from vos_ros.apps import train
from vos_ros.data.datasets import LAYOUTS
from vos_ros.data.davis import DavisDataset
from vos_ros.data.still_mix import StillMix
from vos_ros.data.video_mix import VideoMix
from vos_ros.training.data_entries import check_data, entries_of
from vos_ros.training.divergence import MOST_LEFT_OUT
from vos_ros.training.monitor import PICTURE, tag_of
from vos_ros.training.pytorch import LEAST_PYTORCH
from vos_ros.training.run import CHECKPOINT, LOG, WEIGHTS
from vos_ros.training.skipped import SKIPPED
from vos_ros.training.stage import Stage, StageError, read_stage
from vos_ros.training.stage_run import TENSORBOARD

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/training.md").read_text(encoding="utf-8")
NEEDED = "must be given"


def rows(first: str) -> dict[str, str]:
    """The table of the page whose head begins with `first`."""
    return table_rows(TEXT, first)


def test_every_entry_of_a_stage_is_explained_with_its_default_in_its_order():
    fields = dataclasses.fields(Stage)
    table = rows("entry")
    assert list(table) == [field.name for field in fields]
    for field in fields:
        if field.default is dataclasses.MISSING:
            assert table[field.name] == NEEDED
        else:
            default = yaml.safe_load(table[field.name].strip("`"))
            assert default == plain(field.default), field.name
            assert type(default) is type(plain(field.default)), field.name


@pytest.mark.parametrize("kind", ["stills", "video"])
def test_every_entry_of_the_data_is_explained(kind):
    with pytest.raises(StageError, match="known are (.*)") as refusal:
        check_data({kind: {"?": 1}})
    known = str(refusal.value).split("known are ")[1].split(", ")
    assert list(rows(f"entry of `{kind}`")) == known


@pytest.mark.parametrize(("kind", "mix"), [("stills", StillMix), ("frames", VideoMix)])
def test_every_share_of_a_mix_is_explained_with_its_default_in_its_order(kind, mix):
    table = {name: float(value) for name, value in rows(f"of {kind}").items()}
    assert list(table.items()) == list(dataclasses.asdict(mix()).items())


def test_every_folder_that_a_stage_of_the_project_reads_is_told():
    for path in sorted((ROOT / "config").glob("*/*.yaml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        data = {"video": content.get("held_out", [])} | content.get("data", {})
        for entry in entries_of(data, "video"):
            assert f"DATA/{entry['root']}/" in TEXT, path
        for entry in entries_of(data, "stills"):
            folders = [*entry.get("folders", []), *filter(None, [entry.get("backgrounds")])]
            assert all(f"DATA/{folder}/" in TEXT for folder in folders), path


def test_the_list_of_development_sequences_can_be_written_as_told(tmp_path):
    (line,) = [line for line in TEXT.splitlines() if line.startswith("printf")]
    (tmp_path / "DATA/davis2016/ImageSets/480p").mkdir(parents=True)
    subprocess.run(["sh", "-c", line], cwd=tmp_path, check=True)
    names = DavisDataset(tmp_path / "DATA/davis2016", "dev").names
    assert len(names) == 6 and names[0] == "bmx-trees" and names[-1] == "scooter-black"


def test_every_layout_is_named():
    line = next(line for line in TEXT.splitlines() if line.startswith("| `layout` |"))
    for name in LAYOUTS:
        assert f"`{name}`" in line


def test_every_option_is_explained_with_its_default():
    table = {name.split()[0].strip("`,"): value for name, value in rows("option").items()}
    actions = [action for action in train._parser()._actions if action.dest != "help"]
    assert list(table) == [action.option_strings[0] for action in actions]
    for action in actions:
        value = table[action.option_strings[0]]
        if action.required:
            assert value == NEEDED
        elif isinstance(action.default, bool):
            assert value.startswith("off" if action.dest == "strict" else "on")
        elif action.default is not None:
            assert type(action.default)(value.strip("`")) == action.default
        else:
            assert value in ("none", "the end")


def test_what_training_needs_and_when_it_is_given_up_are_named():
    assert f"PyTorch {'.'.join(map(str, LEAST_PYTORCH))} or later" in " ".join(TEXT.split())
    assert f"After {MOST_LEFT_OUT} in a row" in TEXT


def test_every_file_that_a_run_leaves_is_named():
    names = [CHECKPOINT, WEIGHTS, LOG, f"{TENSORBOARD}/", SKIPPED]
    assert list(rows("file")) == names


def test_every_curve_is_named():
    values = ["loss", "cross_entropy", "dice", "lovasz", "coarse", "learning_rate",
              "backbone_learning_rate", "gradient_norm", "clips_per_second", "seconds"]  # fmt: skip
    for tag in [*map(tag_of, values), PICTURE]:
        assert f"`{tag}`" in TEXT


def commands() -> list[list[str]]:
    """Every command of `train` that is shown, as the words after `train`."""
    blocks = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    told = [shlex.split(line, comments=True) for line in lines if "vos_ros train " in line]
    return [words[words.index("train") + 1 :] for words in told if "STAGE.yaml" not in words]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_commands_are_taken_and_name_stages_that_can_be_read(words):
    arguments = train._parser().parse_args(words)
    stage = read_stage(ROOT / arguments.config)
    check_data(stage.data)
    assert stage.batch % 8 == 0 or "/shared/" not in str(arguments.out)


def test_the_example_of_data_entries_is_a_good_one():
    block = TEXT[TEXT.index("```yaml\ndata:") :].split("```")[1]
    check_data(yaml.safe_load(block.removeprefix("yaml\n"))["data"])


def test_links_within_the_page_lead_somewhere():
    heads = re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
    links = re.findall(r"\]\(#(.*?)\)", TEXT)
    assert links and set(links) <= anchors
