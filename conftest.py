# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every test process needs before any test module is imported.

The tests exercise the source tree this file stands in, never an installed copy: pytest puts this
folder first on the path, and PYTHONPATH does the same for the processes that tests start. An edit
therefore counts at once, with plain `pytest` as with `make test`. What only an installation has
(executables, the ament index, share/) comes from the last `make setup`; test_installation.py fails
when that is older than the sources.
"""

import logging
import os
from pathlib import Path

from vos_ros.apps.domains import claim_domain
from vos_ros.ros.environment import complete_environment

ROOT = Path(__file__).parent

# An xdist worker is a process of its own, so each gets a domain of its own.
DOMAIN_CLAIM = claim_domain()
os.environ["ROS_DOMAIN_ID"] = str(DOMAIN_CLAIM.number)
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
