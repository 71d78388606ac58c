# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs all tests marked `fuzz` again and again, each time with other random inputs.

    python test/fuzz.py --seconds 600

Whatever reads what others wrote is among them: images, masks, requests, weight files and files of
taught objects. Ends with 0 when no input crashed it, held it up, made it ask for a large piece of
memory or led to another error than the named one; else with 1 at the first that did. Hypothesis
makes it small, shows it and keeps it, so that plain `make test` tries it first from then on.
"""

from __future__ import annotations

import argparse
import re
import resource
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

TEST = Path(__file__).parent
ROOM = 4 << 30  # bytes of address space beyond those in use after the first round
MOST = 1000  # 10^6 bytes of memory at any time: the libraries take half of them
SLOWEST = 120  # seconds for one test in one round


class Tried:
    """A plugin of pytest that counts the inputs, by the file of the test that got them."""

    _SAID = re.compile(r"(\d+) passing, (\d+) failing, and (\d+) invalid test cases")

    def __init__(self) -> None:
        self.inputs: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what Hypothesis says of a test; inputs that it threw away itself do not count."""
        said = vars(report).get("_hypothesis_stats", "")
        count = sum(int(right) + int(wrong) for right, wrong, _ in self._SAID.findall(said))
        self.inputs[Path(report.nodeid.partition("::")[0]).stem.removeprefix("test_")] += count


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="of the first round; the next is +1")
    parser.add_argument("--slowest", type=float, default=SLOWEST, help="seconds for one test")
    given = parser.parse_args()
    tests = sorted(TEST.glob("test_*.py"))
    files = [str(path) for path in tests if "pytest.mark.fuzz" in path.read_text(encoding="utf-8")]
    began, seed, first = time.monotonic(), given.seed, 0.0
    tried = Tried()
    while time.monotonic() - began < given.seconds:
        status = pytest.main(
            [
                *("-q", "-m", "fuzz", "-p", "no:xdist", "-p", "no:cacheprovider", "--no-header"),
                *(f"--hypothesis-seed={seed}", f"--timeout={given.slowest}", *files),
            ],
            plugins=[tried],
        )
        if status != pytest.ExitCode.OK:
            print(f"fuzz: seed {seed} found something")
            return 1
        now = peak()
        if now > MOST:
            print(f"fuzz: an input of seed {seed} made it hold {now:.0f} MB")
            return 1
        if not first:
            first = now
            used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
            limit = used * resource.getpagesize() + ROOM
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        print(
            f"seed {seed}: {time.monotonic() - began:.0f} s, {now:.0f} MB at most "
            f"({now - first:+.0f} since the first round)",
            flush=True,
        )
        seed += 1
    told = ", ".join(f"{name} {count}" for name, count in tried.inputs.items() if count)
    print(f"fuzz: {seed - given.seed} rounds, {tried.inputs.total()} inputs, nothing found: {told}")
    return 0


def peak() -> float:
    """The most memory this process has held, in 10^6 bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    sys.exit(main())
