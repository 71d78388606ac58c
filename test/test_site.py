# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The documents build as a site, without a warning, and the site asks nobody else for anything."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest
from browser import browser_path, open_browser

ROOT = Path(__file__).parents[1]
needs_mkdocs = pytest.mark.skipif(
    importlib.util.find_spec("mkdocs") is None or importlib.util.find_spec("material") is None,
    reason="MkDocs Material is not installed: pip install -r requirements-docs.txt",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the site, built as `make docs` does."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "-d", folder]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=110,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


class Loaded(HTMLParser):
    """Finds what a browser fetches by itself for a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the tag loads."""
        given = dict(attrs)
        if tag in ("script", "img", "iframe", "source", "video"):
            self.found.append(given.get("src") or "")
        elif tag == "link" and given.get("rel") not in ("canonical", "prev", "next"):
            self.found.append(given.get("href") or "")


@needs_mkdocs
def test_every_document_is_a_page(site: Path) -> None:
    documents = [*ROOT.glob("docs/*.md"), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
    assert len(documents) > 25
    for path in documents:
        assert (site / f"{path.stem}.html").is_file(), path.name
    assert (site / "weights/gfddal_lite0.html").is_file()
    assert (site / "config/vos.yaml").read_bytes() == (ROOT / "config/vos.yaml").read_bytes()


#: what is left of a list or a table that the site takes for a paragraph: lists are to be indented
#: by four, and what stands inside HTML is to say `markdown`
UNREAD = re.compile(r"^(?:\d+\. |\|).*", re.MULTILINE)


@needs_mkdocs
def test_lists_and_tables_are_read_as_such(site: Path) -> None:
    for page in site.rglob("*.html"):
        found = re.search("<article.*?</article>", page.read_text(encoding="utf-8"), re.DOTALL)
        text = re.sub("<(pre|code).*?</\\1>", "", found[0] if found else "", flags=re.DOTALL)
        assert UNREAD.findall(text) == [], page.name


@needs_mkdocs
def test_long_names_in_tables_may_break_between_their_parts(site: Path) -> None:
    page = (site / "interface.html").read_text(encoding="utf-8")
    assert "<td><code>sensor_msgs/<wbr>msg/<wbr>CompressedImage</code></td>" in page.replace(
        "_<wbr>", "_"
    )
    assert "<wbr>" not in re.sub("<td.*?</td>", "", page, flags=re.DOTALL)


@needs_mkdocs
def test_pages_that_are_opened_from_the_disk_are_searched(site: Path) -> None:
    with open_browser(browser_path()) as browser:
        page = browser.new_page()
        page.goto((site / "index.html").as_uri())
        page.click(".md-search__input")
        page.keyboard.type("smallest_internal_size")
        page.wait_for_selector(".md-search-result__link[href*='parameters.html']")


@needs_mkdocs
def test_links_out_of_the_documents_lead_to_pages_of_the_site(site: Path) -> None:
    assert 'href="config/vos.yaml"' in (site / "parameters.html").read_text()
    assert 'href="CONTRIBUTING.html"' in (site / "architecture.html").read_text()
    assert 'href="../training.html"' in (site / "weights/index.html").read_text()


@needs_mkdocs
def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        loaded = Loaded()
        loaded.feed(page.read_text(encoding="utf-8"))
        assert loaded.found and not [url for url in loaded.found if re.match(r"(https?:)?//", url)]


@needs_mkdocs
def test_words_can_be_searched_for(site: Path) -> None:
    index = json.loads((site / "search/search_index.json").read_text(encoding="utf-8"))
    found = [
        entry["location"] for entry in index["docs"] if "smallest_internal_size" in entry["text"]
    ]
    assert any(place.startswith("parameters.html") for place in found)


@pytest.fixture(scope="module")
def links() -> ModuleType:
    """The hook, as a module."""
    pytest.importorskip("mkdocs", reason="MkDocs is not installed")
    spec = importlib.util.spec_from_file_location("links", ROOT / "scripts/docs/links.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_places_in_the_repository_and_in_the_site(links: ModuleType) -> None:
    assert links.repository_path("select.md") == "docs/select.md"
    assert links.repository_path("weights/README.md") == "weights/README.md"
    assert links.site_uri("docs/figures/run.png") == "figures/run.png"
    assert links.site_uri("README.md") == "index.md"
    assert links.target("docs/a.md", "../config/vos.yaml") == "config/vos.yaml"
    assert links.target("weights/README.md", "../docs/models.md") == "docs/models.md"


def test_sections_of_the_first_page_are_not_looked_for_on_the_sites_own(links: ModuleType) -> None:
    fit = links._fitting("select.md")
    for link, fitted in {
        "[a](../README.md#try-it)": "[a](index.md)",
        "[a](models.md#gfddal)": "[a](models.md#gfddal)",
        "[a](../weights/README.md#x)": "[a](weights/README.md#x)",
        "[a](figures/run.png)": "[a](figures/run.png)",
    }.items():
        assert links.LINK.sub(fit, link) == fitted


def test_links_in_code_stay_as_they_are(links: ModuleType) -> None:
    text = "[a](x)\n`[b](x)`\n```md\n[c](x)\n```\n[d](x)\n"
    changed = links.outside_code(text, lambda plain: plain.replace("(x)", "(y)"))
    assert changed == "[a](y)\n`[b](x)`\n```md\n[c](x)\n```\n[d](y)\n"


def test_both_locks_agree() -> None:
    """They are installed into one environment."""
    pins: dict[str, set[str]] = {}
    for name in ("requirements.txt", "requirements-docs.txt"):
        for line in (ROOT / name).read_text().splitlines():
            if "==" in line and not line.startswith("#"):
                pins.setdefault(line.split("==")[0], set()).add(f"{name}: {line}")
    shared = {name: lines for name, lines in pins.items() if len({x[:16] for x in lines}) == 2}
    assert len(shared) > 5
    for lines in shared.values():
        own, docs = (
            {line.split(": ")[1].split(" ;")[0] for line in lines if line.startswith(f"{name}:")}
            for name in ("requirements.txt", "requirements-docs.txt")
        )
        assert docs <= own, lines
