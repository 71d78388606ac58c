# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every test process needs before any test module is imported.

The tests exercise the source tree this file stands in, never an installed copy: pytest puts this
folder first on the path, and PYTHONPATH does the same for the processes that tests start. An edit
therefore counts at once, with plain `pytest` as with `make test`. What only an installation has
(executables, the ament index, share/) comes from the last `make setup`; test_installation.py fails
when that is older than the sources.
"""

import fcntl
import logging
import os
import random
import tempfile
from pathlib import Path
from typing import TextIO

from vos_ros.ros.environment import complete_environment

ROOT = Path(__file__).parent


def claim_domain() -> TextIO:
    """Take a DDS domain that no other test process of this machine has.

    The claim lasts as long as the returned file is open. Ids 1 to 100 use ports below those that
    the system hands out by itself.
    """
    for number in random.sample(range(1, 101), 100):
        claim = open(Path(tempfile.gettempdir(), f"vos_ros-domain-{number}.lock"), "a")  # noqa: SIM115
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            claim.close()
            continue
        os.environ["ROS_DOMAIN_ID"] = str(number)
        return claim
    raise RuntimeError("All DDS domains from 1 to 100 are taken by other test processes.")


# An xdist worker is a process of its own, so each gets a domain of its own.
DOMAIN_CLAIM = claim_domain()
os.environ.update(complete_environment(os.environ))
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
)
# The workers share the cores; every one of them calculating on all cores at once would be slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Where launch is installed its pytest plugins make every new logger one that does not propagate;
# caplog would see nothing of ours.
logging.setLoggerClass(logging.Logger)
