# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Networks are used by many threads at a time, except while one is being translated.

What traces a network in order to translate it puts itself, for that time, in the place of every
module's call in the whole process, and would take the calls of other threads for its own.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Exclusion:
    """Lets any number of threads in together, or one alone. One that wants to be alone goes first.

    Not to be entered again by a thread that is in already.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._alone = False
        self._wanting = 0

    @contextmanager
    def beside_others(self) -> Iterator[None]:
        """Be in together with others, once nobody is alone or wants to be."""
        with self._changed:
            self._changed.wait_for(lambda: not (self._alone or self._wanting))
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be in alone, once all others are out."""
        with self._changed:
            self._wanting += 1
            self._changed.wait_for(lambda: not (self._alone or self._inside))
            self._wanting -= 1
            self._alone = True
        try:
            yield
        finally:
            with self._changed:
                self._alone = False
                self._changed.notify_all()


#: of this process, for that is how far the tracing reaches
MODULES = Exclusion()
