# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""docs/models.md says what the networks take."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
import yaml
from document_tables import plain, table_rows

from vos_ros.models import NETWORKS
from vos_ros.models.backbones import BACKBONES
from vos_ros.models.dgmpm.attention import ATTENTIONS

TEXT = (Path(__file__).parents[1] / "docs/models.md").read_text(encoding="utf-8")


def table_head(name: str) -> str:
    return f"argument of `{NETWORKS[name].__name__}`"


def line_of(name: str, argument: str) -> str:
    """The line of a network's table that explains an argument."""
    table = TEXT[TEXT.index(f"| {table_head(name)} |") :]
    return next(line for line in table.splitlines() if line.startswith(f"| `{argument}` |"))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_argument_is_explained_with_its_default_in_its_order(name: str) -> None:
    table = table_rows(TEXT, table_head(name))
    wanted = {
        argument: plain(parameter.default)
        for argument, parameter in inspect.signature(NETWORKS[name]).parameters.items()
    }
    told = {argument: yaml.safe_load(value.strip("`")) for argument, value in table.items()}
    assert list(told.items()) == list(wanted.items())
    assert [type(value) for value in told.values()] == [type(value) for value in wanted.values()]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_backbone_is_named(name: str) -> None:
    assert all(f"`{backbone}`" in line_of(name, "backbone") for backbone in BACKBONES)


def test_every_attention_is_named() -> None:
    assert all(f"`{attention}`" in line_of("dgmpm", "attention") for attention in ATTENTIONS)


def test_links_within_the_page_lead_somewhere() -> None:
    heads = re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    plain_heads = [re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads]
    anchors = set()
    for place, head in enumerate(plain_heads):
        before = plain_heads[:place].count(head)
        anchors.add(f"{head}-{before}" if before else head)
    links = re.findall(r"\]\(#(.*?)\)", TEXT)
    assert links and set(links) <= anchors
