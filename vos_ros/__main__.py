# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m vos_ros COMMAND`: what a person starts; see `vos_ros.apps.cli`."""

import sys

from vos_ros.apps.cli import main

if __name__ == "__main__":  # children started by multiprocessing import this file again
    sys.exit(main())
