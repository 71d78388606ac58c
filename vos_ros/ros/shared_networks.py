# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Networks that the cameras of one process share: each loaded once, and let go by the last user."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from vos_ros.ros.model import NetworkChoice, Opener, build_segmenter, open_network
from vos_ros.ros.parameters import Settings
from vos_ros.runtimes.ready import ReadyNetwork
from vos_ros.runtimes.shared import SharedRuntime
from vos_ros.segmenter import VideoSegmenter
from vos_ros.weights import ModelCard

CLOSING_SECONDS = 1.0
"""How long a pass may still take when its network is let go; no camera waits for it then."""


@dataclass
class _Held:
    """A network in use, and by how many."""

    ready: ReadyNetwork
    runtime: SharedRuntime
    card: ModelCard
    users: int = 0


class SharedNetworks:
    """Every network of this process by what was chosen; all methods may be called by any thread.

    Args:
        open_network: makes a network ready that nobody uses yet.
    """

    def __init__(self, open_network: Opener = open_network) -> None:
        self._open = open_network
        self._lock = threading.Lock()
        self._held: dict[NetworkChoice, _Held] = {}

    @property
    def count(self) -> int:
        """How many networks are held."""
        with self._lock:
            return len(self._held)

    def take(self, choice: NetworkChoice, together: bool) -> tuple[ReadyNetwork, ModelCard]:
        """A network with a seat at its runtime; `give_back` is to be called once for every call.

        Who comes while another loads the same network waits for it.

        Args:
            choice: which network.
            together: whether images may be computed in one pass with those of others.
        """
        with self._lock:
            held = self._held.get(choice)
            if held is None:
                ready, card = self._open(choice)
                held = self._held[choice] = _Held(ready, SharedRuntime(ready.runtime), card)
            held.users += 1
            return held.ready.with_runtime(held.runtime.seat(together)), held.card

    def give_back(self, choice: NetworkChoice) -> None:
        """Let go of a network, which goes itself with the last who does."""
        with self._lock:
            held = self._held[choice]
            held.users -= 1
            if not held.users:
                del self._held[choice]
                held.runtime.close(CLOSING_SECONDS)


class CameraNetwork:
    """What one camera's node builds its segmenter with; at most one at a time.

    Args:
        networks: that it shares with the others.
    """

    def __init__(self, networks: SharedNetworks) -> None:
        self._networks = networks
        self._taken: NetworkChoice | None = None

    def build(self, settings: Settings) -> tuple[VideoSegmenter, ModelCard, str]:
        """As `model.build_segmenter`, on a network that others may use, too."""
        self.let_go()

        def taken(choice: NetworkChoice) -> tuple[ReadyNetwork, ModelCard]:
            together = settings.batching == "always"
            if settings.batching == "auto":
                together = batching_pays(choice)
            ready, card = self._networks.take(choice, together)
            self._taken = choice
            return ready, card

        try:
            segmenter, card, words = build_segmenter(settings, taken)
        except BaseException:
            self.let_go()
            raise
        return segmenter, card, f"{words}, the network shared"

    def let_go(self) -> None:
        """Use the network no more. Safe to call twice, and before `build`."""
        taken, self._taken = self._taken, None
        if taken is not None:
            self._networks.give_back(taken)


def batching_pays(choice: NetworkChoice) -> bool:
    """Whether several images in one pass take much less time than one after the other.

    On a GPU they do, which one image by itself does not fill. On a CPU it is little or nothing, and
    all would have to wait for the last.
    """
    return choice.device != "cpu"
