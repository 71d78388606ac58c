# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Let the site hold what its pages link to elsewhere in the repository (a hook of MkDocs).

Pages link to each other as they do on any site of git repositories: relative to the file. A link
out of docs/ is a dead end for MkDocs. So whatever a page links to is taken into the site under its
own path, Markdown as a page, anything else as a file, and the links are made to fit. The first page
of the repository, README.md, is the site's index.md.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"(?<=\]\()(?P<path>[^)#\s:]+)(?P<rest>#[^)\s]*)?(?=\))")
CODE = re.compile(r"(^```.*?^```|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
HOME = {"README.md": "index.md"}
CELL = re.compile(r"<td\b.*?</td>", re.DOTALL)
LONG_NAME = re.compile(r"(?<=<code>)[^<\s]{21,}(?=</code>)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what the pages, and those added, link to; and what the navigation names."""
    waiting = [
        (f"docs/{page.src_uri}", page.content_string) for page in files.documentation_pages()
    ]
    known = {repository_path(file.src_uri) for file in files}
    named = set(re.findall(r"[\w/]+\.md", str(config.nav)))
    waiting += [(".", "".join(f"[]({name})" for name in sorted(named)))]
    while waiting:
        path, text = waiting.pop()
        for match in LINK.finditer(CODE.sub("", text)):
            linked = target(path, match["path"])
            place = ROOT / linked
            if linked in known or linked in HOME or not place.is_file():
                continue
            known.add(linked)
            # What is only linked to is no page that somebody forgot in the navigation.
            level = InclusionLevel.INCLUDED if linked in named else InclusionLevel.NOT_IN_NAV
            files.append(File.generated(config, linked, abs_src_path=str(place), inclusion=level))
            if linked.endswith(".md"):
                waiting.append((linked, place.read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Make the links of a page fit the site; MkDocs then says which lead nowhere."""
    return outside_code(markdown, lambda text: LINK.sub(_fitting(page.file.src_uri), text))


def on_page_content(html: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let long names in tables break between their parts: no column runs out of the page."""
    parted = r"(?<=\w[/_=])(?=\w)"
    return CELL.sub(
        lambda cell: LONG_NAME.sub(lambda name: re.sub(parted, "<wbr>", name[0]), cell[0]), html
    )


def repository_path(uri: str) -> str:
    """Where a file of the site stands in the repository."""
    return uri if (ROOT / uri).is_file() else f"docs/{uri}"


def site_uri(path: str) -> str:
    """Where a file of the repository stands in the site."""
    return HOME.get(path, path.removeprefix("docs/"))


def target(source: str, link: str) -> str:
    """What a relative link of a file leads to, both from the root of the repository."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), link))


def outside_code(markdown: str, change: Callable[[str], str]) -> str:
    """The text with whatever is no code changed."""
    pieces = CODE.split(markdown)
    pieces[::2] = map(change, pieces[::2])
    return "".join(pieces)


def _fitting(uri: str) -> Callable[[re.Match[str]], str]:
    source, folder = repository_path(uri), posixpath.dirname(uri) or "."

    def fit(match: re.Match[str]) -> str:
        linked = target(source, match["path"])
        # What the first page has in a section, the site has on a page that its own first one names.
        rest = "" if linked in HOME else match["rest"] or ""
        return posixpath.relpath(site_uri(linked), folder) + rest

    return fit
