# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whose requests the page's server answers."""

from __future__ import annotations

import pytest

from vos_ros.web.guard import HEADERS, Guard, is_loopback


def objection(host: str, method: str = "POST", address: str = "127.0.0.1", **headers: str):
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return Guard(address, ["robot", "Robot.local."]).objection(
        method, named.pop("path", "/reset"), {"Host": host, **named}
    )


OURS = [
    "localhost", "localhost:8642", "LOCALHOST:1", "localhost.", "127.0.0.1:8642", "127.8.9.1:99",
    "[::1]:8642", "robot:8642", "ROBOT.local",
]  # fmt: skip
NOT_OURS = [
    "", "evil.example", "evil.example:8642", "localhost.evil.example", "127.0.0.1.evil.example",
    "localhost@evil.example", "localhost:8642:1", "localhost:x", "local host", "[::1", "::1",
    "192.168.0.7:8642", "[fe80::1]:8642", "0x7f.1", "2130706433", "robot.evil.example",
    "localhost\r\nX: y", "[localhost]",
]  # fmt: skip


@pytest.mark.parametrize("host", OURS)
def test_it_is_known_by_its_own_names(host: str) -> None:
    assert objection(host) is None


@pytest.mark.parametrize("host", NOT_OURS)
def test_a_name_that_was_made_to_lead_here_is_refused(host: str) -> None:
    said = objection(host)
    assert said is not None
    assert "not known as" in said


def test_an_address_may_be_any_where_it_listens_to_others() -> None:
    for host in ("192.168.0.7:8642", "[fe80::1]:8642", "127.0.0.1", "localhost"):
        assert objection(host, address="0.0.0.0") is None
    assert objection("evil.example", address="0.0.0.0") is not None


@pytest.mark.parametrize("host", ["localhost:8642", "127.0.0.1:9000"])
def test_only_its_own_page_may_ask(host: str) -> None:
    assert objection(host, Origin=f"http://{host}") is None
    assert objection(host, Origin=f"https://{host}") is None
    for origin in ("http://evil.example", "null", "", f"http://{host}0", "http://localhost", host,
                   f"file://{host}"):  # fmt: skip
        assert objection(host, Origin=origin) is not None
        assert objection(host, "GET", path="/live", Origin=origin) is not None


def test_a_browser_that_names_the_asking_page_is_believed() -> None:
    for site, allowed in (("same-origin", True), ("none", True), ("cross-site", False),
                          ("same-site", False), ("nonsense", False)):  # fmt: skip
        assert (objection("localhost", Sec_Fetch_Site=site) is None) == allowed
        assert (
            objection("localhost", "GET", path="/frames/1.jpg", Sec_Fetch_Site=site) is None
        ) == allowed
        # A link that leads here is no harm.
        assert objection("localhost", "GET", path="/", Sec_Fetch_Site=site) is None


def test_nothing_is_taken_from_elsewhere_or_shown_there() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "*" not in policy


@pytest.mark.parametrize(
    ("address", "loopback"),
    [("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("localhost", True),
     ("0.0.0.0", False), ("::", False), ("192.168.1.1", False), ("robot", False), ("", False)],
)  # fmt: skip
def test_loopback(address: str, loopback: bool) -> None:
    assert is_loopback(address) == loopback
