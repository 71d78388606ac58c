# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The documents are finished, and lead where they say: no place waits to be filled in."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

import vos_ros

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted(ROOT.glob("docs/*.md")),
    ROOT / "weights/README.md",
]
PLACEHOLDER = re.compile(r"@[A-Z][A-Z0-9_]*@")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.DOTALL | re.MULTILINE)


def anchors(text: str) -> set[str]:
    """What headings are linked to by on sites of git repositories, less what two of them share."""
    outside = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    names = Counter()
    for heading in re.findall(r"^#+ (.+)$", outside, re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        names[re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")] += 1
    return {name for name, count in names.items() if count == 1}


def dead_links(path: Path) -> list[str]:
    """The relative links of a document that lead nowhere."""
    dead = []
    for linked, anchor in LINK.findall(CODE.sub("", path.read_text(encoding="utf-8"))):
        place = path if not linked else (path.parent / linked).resolve()
        known = not anchor or anchor in anchors(place.read_text(encoding="utf-8"))
        if not place.exists() or not known:
            dead.append(f"{linked}#{anchor}" if anchor else linked)
    return dead


def test_a_placeholder_is_seen() -> None:
    assert PLACEHOLDER.findall("Takes @SETUP_TIME@ s; write to a@example.org, b@C or @D") == [
        "@SETUP_TIME@"
    ]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_no_placeholder_is_left(path: Path) -> None:
    assert PLACEHOLDER.findall(path.read_text(encoding="utf-8")) == []


def test_a_dead_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A `b`: c!\n[x](#a-b-c) [y](#b) [z](page.md#a-b-c) [u](gone.md) `[v](gone.md)`\n"
        "```\n# no heading\n[w](gone.md)\n```\n[t](https://example.org/gone.md)\n"
    )
    assert dead_links(page) == ["#b", "gone.md"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    assert dead_links(path) == []


#: where a source that a document names may stand, besides at the root
FOLDERS = ("", "vos_ros", "vos_ros/ros", "vos_ros/models", "vos_ros/models/gfddal",
           "vos_ros/models/dgmpm", "test", "launch")  # fmt: skip


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_source_that_is_named_is_there(path: Path) -> None:
    named = re.findall(r"`([\w./-]+\.py)`", path.read_text(encoding="utf-8"))
    own = [name for name in named if not Path(name).stem.isupper()]  # NAME.py is anybody's
    assert [n for n in own if not any((ROOT / f / n).is_file() for f in FOLDERS)] == []


def test_the_architecture_names_every_layer() -> None:
    from test_layers import ARROWS

    house = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").split("```")[1]
    assert [layer for layer in ARROWS if not re.search(rf"\b{layer}\b", house)] == []


def test_the_citation_is_of_this_version_and_names_both_papers() -> None:
    """By the Citation File Format, 1.2.0: what it asks for, and what we say."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == vos_ros.__version__
    assert len(citation["references"]) == 2
    for reference in citation["references"]:
        assert {"type", "title", "authors"} <= set(reference)
        assert all("family-names" in author for author in reference["authors"])
        assert reference["title"].split(":")[0].split(" using")[0] in " ".join(
            (ROOT / "docs/models.md").read_text(encoding="utf-8").split()
        )


def test_the_changelog_tells_of_this_version_first() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    first = re.findall(r"^## (.+)$", text, re.MULTILINE)[0]
    assert first == "Forthcoming" or first.startswith(vos_ros.__version__)
    assert vos_ros.__version__ in text


#: where figures are published, by whoever measured them
PUBLISHED = ("README.md", "docs/evaluation.md", "docs/performance.md", "docs/models.md")
FIGURE = re.compile(r"(?<![\d.=/])\d+\.\d(?![\d.])")


@pytest.mark.parametrize("name", ["docs/choosing.md", "docs/limits.md"])
def test_figures_that_are_quoted_are_still_the_published_ones(name: str) -> None:
    """A failure here means that something was measured anew: bring the page up to date."""
    published = " ".join((ROOT / path).read_text(encoding="utf-8") for path in PUBLISHED)
    known = set(FIGURE.findall(CODE.sub("", published)))
    quoted = set(FIGURE.findall(CODE.sub("", (ROOT / name).read_text(encoding="utf-8"))))
    assert len(quoted) > 5
    assert quoted <= known
