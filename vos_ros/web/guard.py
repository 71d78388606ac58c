# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps other pages, open in the same browser, away from the camera and the node.

A browser lets any page send requests to any address, this machine's own included. Two things tell
such a request from our page's: the name that the browser thinks it is talking to (`Host`), which is
the other page's own where its name was made to lead here (DNS rebinding), and the page that asks
(`Origin`, `Sec-Fetch-Site`).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(:\d{1,5})?")

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""With every response: nothing is loaded from elsewhere, embedded elsewhere, or kept."""


class Guard:
    """Tells our page's requests from others'.

    Args:
        address: that the server listens on; on a loopback address only loopback names are taken,
            on another one every address, for a page cannot be made to lead to an address.
        names: under which this machine is known besides.
    """

    def __init__(self, address: str, names: Iterable[str] = ()) -> None:
        self._only_loopback = is_loopback(address)
        self._names = {"localhost", *(name.lower().rstrip(".") for name in names if name)}

    def objection(self, method: str, path: str, headers: Mapping[str, str]) -> str | None:
        """Why a request is none of our page's, as a sentence; None when it may be one."""
        host = headers.get("Host", "")
        if not self._is_ours(host):
            return (
                f"This server is not known as '{host[:80]}'. Open it by its address, or name the"
                " host with --hosts."
            )
        origin = headers.get("Origin")
        if origin is not None and origin.lower() not in (
            f"{scheme}://{host.lower()}" for scheme in ("http", "https")
        ):
            return "Another page sent this request, and only this server's own may."
        # A link from elsewhere to the page itself is fine; it then asks for the rest by itself.
        site = headers.get("Sec-Fetch-Site", "none")
        if site not in ("same-origin", "none") and (method, path) != ("GET", "/"):
            return "Another page sent this request, and only this server's own may."
        return None

    def _is_ours(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match[1].lower().strip("[]").rstrip(".")
        if name in self._names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not self._only_loopback


def is_loopback(address: str) -> bool:
    """Whether an address, or `localhost`, is reached from its own machine only."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
