# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Claims of DDS domains: never two of the same, and given back."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from vos_ros.apps.domains import DOMAINS, claim_domain

CHILD = """
from vos_ros.apps.domains import claim_domain
print(claim_domain().number)
"""


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder for locks that no other program uses."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def test_every_domain_is_claimed_once_and_given_back() -> None:
    claims = [claim_domain() for _ in DOMAINS]
    assert sorted(claim.number for claim in claims) == list(DOMAINS)
    with pytest.raises(OSError, match="from 1 to 100 are taken"):
        claim_domain()
    with claims[40] as freed:
        pass
    freed.close()
    with claim_domain() as claim:
        assert claim.number == freed.number
    for claim in claims:
        claim.close()


def test_another_process_takes_another_domain() -> None:
    claims = [claim_domain() for _ in DOMAINS[1:]]
    command = [sys.executable, "-c", CHILD]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert int(done.stdout) not in [claim.number for claim in claims]
    # That process has ended, so its claim has too.
    with claim_domain() as last:
        assert last.number == int(done.stdout)
    for claim in claims:
        claim.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_lock_that_is_closed_to_us_counts_as_taken(tmp_path: Path) -> None:
    for number in DOMAINS[1:]:
        Path(tmp_path, f"vos_ros-domain-{number}.lock").touch(mode=0)
    with claim_domain() as claim:
        assert claim.number == DOMAINS[0]
