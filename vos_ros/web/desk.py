# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The views that people were shown lately, and the frames they draw on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from vos_ros.cutout import Cutout
from vos_ros.strokes import Stroke
from vos_ros.web.robot import View

_SHOWN = 12  # views; a click comes some pictures after the one it means
_FROZEN = 4  # frames that somebody draws on at a time


class GoneError(LookupError):
    """A frame that is kept no more; the message says what to do."""


class Frozen:
    """A frame that somebody draws on.

    Args:
        view: whose image it is.
        image: of that view.
    """

    def __init__(self, view: View, image: np.ndarray) -> None:
        self.view = view
        self.image = image
        self._cutout = Cutout(image)

    def mask(self, strokes: Sequence[Stroke]) -> np.ndarray:
        """The mask that strokes make: H x W uint8 of 0 and 1. Takes a while; one thread."""
        return self._cutout.mask(strokes)


class Desk:
    """Keeps the last few of both; on the thread of the event loop."""

    def __init__(self) -> None:
        self._shown: OrderedDict[int, View] = OrderedDict()
        self._frozen: OrderedDict[int, Frozen] = OrderedDict()
        self._count = 0

    def show(self, view: View) -> None:
        """Remember that somebody sees this."""
        self._shown[view.serial] = view
        while len(self._shown) > _SHOWN:
            self._shown.popitem(last=False)

    def shown(self, serial: int) -> View | None:
        """The view of this number, or the newest that was shown; None before the first."""
        if serial in self._shown:
            return self._shown[serial]
        return next(reversed(self._shown.values()), None)

    def freeze(self, frozen: Frozen) -> int:
        """Keep a frame to draw on; return its number."""
        self._count += 1
        self._frozen[self._count] = frozen
        while len(self._frozen) > _FROZEN:
            self._frozen.popitem(last=False)
        return self._count

    def frozen(self, number: int) -> Frozen:
        """The frame of this number.

        Raises:
            GoneError: it is not kept any more.
        """
        if number not in self._frozen:
            raise GoneError("This frame is not kept any more. Go back to the live image.")
        self._frozen.move_to_end(number)
        return self._frozen[number]
