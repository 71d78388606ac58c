# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is said of camera frames that get no mask."""

from __future__ import annotations

import traceback

from vos_ros.ros.images import ImageError
from vos_ros.ros.requests import sentence
from vos_ros.ros.statistics import Counter
from vos_ros.ros.surviving import SurvivingNode
from vos_ros.ros.troubles import Troubles

WARN_SECONDS = 5.0


class FrameFailures:
    """Counts frames that got no mask and says why; from any thread.

    Args:
        node: in whose log it is said.
        counter: told about every such frame.
        troubles: told what went wrong.
    """

    def __init__(self, node: SurvivingNode, counter: Counter, troubles: Troubles) -> None:
        self._node = node
        self._counter = counter
        self._troubles = troubles
        self._logger = node.get_logger()

    def rejected(self, error: ImageError) -> None:
        """Say why an image could not be read."""
        self._counter.count("rejected")
        text = f"A camera image was skipped. {error}"
        self._troubles.note(text, serious=False)
        self._logger.warning(text, throttle_duration_sec=WARN_SECONDS)

    def failed(self, error: Exception) -> None:
        """Say what was raised while a frame was in hand."""
        if isinstance(error, ImageError):
            self.rejected(error)
            return
        if not self._node.context.ok():
            return  # a signal came while the frame was in hand: nobody can be told of it any more
        self._counter.count("failed")
        text = f"A frame failed. {sentence(error)}"
        self._troubles.note(text, serious=True)
        self._logger.error(
            f"{text}\n"
            + "".join(traceback.format_exception(type(error), error, error.__traceback__)),
            throttle_duration_sec=WARN_SECONDS,
        )
