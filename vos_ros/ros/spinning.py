# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Running what there is to run until told to end."""

from __future__ import annotations

import time

from rclpy.executors import Executor, ExternalShutdownException

from vos_ros.ros.exit_signals import ExitSignals
from vos_ros.ros.surviving import SurvivingNode


def spin(executor: Executor, node: SurvivingNode, signals: ExitSignals) -> None:
    """Do what there is to do until a signal comes or ROS is shut down, whatever fails meanwhile.

    Raises:
        KeyboardInterrupt, ExternalShutdownException: as the way in which it ends.
    """
    # Looked at again every second: a signal that comes while the executor is about to wait can
    # leave it waiting for work that never comes.
    while node.context.ok() and not signals.came:
        try:
            executor.spin_once(timeout_sec=1.0)
        except ExternalShutdownException:
            raise
        except Exception as error:
            # Callbacks see to themselves. This is the transport: a message that cannot be taken, an
            # answer to somebody who has gone. A signal may also invalidate the context while the
            # executor is about to wait on it, of which nothing is said.
            node.survived("Taking or sending a message", error)
            time.sleep(0.01)  # should it fail without end, the rest still has the processor
