# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node `vos`: its life, from parameters to clean exit."""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.utilities import remove_ros_args

from vos_ros.ros.answering import always_answer
from vos_ros.ros.declaration import DeclaredParameters
from vos_ros.ros.device_memory import give_back, read_memory
from vos_ros.ros.diagnostics import Diagnostics
from vos_ros.ros.exit_signals import ExitSignals
from vos_ros.ros.parameters import TABLE, Settings, show
from vos_ros.ros.picture import Picture
from vos_ros.ros.requests import sentence
from vos_ros.ros.services import Services
from vos_ros.ros.spinning import spin
from vos_ros.ros.statistics import NO_COUNTS, Lately, Statistics
from vos_ros.ros.surviving import FAILED, REFUSED, SurvivingNode

if TYPE_CHECKING:
    from vos_ros.ros.pipeline import Pipeline
    from vos_ros.segmenter import VideoSegmenter
    from vos_ros.weights import ModelCard

SegmenterFactory = Callable[[Settings], "tuple[VideoSegmenter, ModelCard, str]"]
SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class VosNode(SurvivingNode):
    """Follows objects in a camera's images.

    Configuring loads the weights and makes the topics; activating takes in images. Deactivating
    keeps what is followed, cleaning up forgets it. Each transition undoes its counterpart in
    reverse, and one that fails leaves nothing behind.

    Args:
        make_segmenter: builds the segmenter from the settings and tells the card of its weights
            and, in words, what it built; the default loads weights.
        rest: as for any node: namespace, parameter_overrides, context and so on.
    """

    def __init__(self, make_segmenter: SegmenterFactory | None = None, **rest: Any) -> None:
        super().__init__("vos", **rest)
        self._make_segmenter = make_segmenter or _build_segmenter
        self._pipeline: Pipeline | None = None
        self._built = self._device = self._weights = ""
        self._weights_before = ""
        self._undo = ExitStack()
        self._declared = DeclaredParameters(self, lambda: self._pipeline is not None)
        for text in self._declared.unknown:
            self.get_logger().warning(text)
        self._calls = Services(self, lambda: self._pipeline)
        always_answer(self)
        self._diagnostics = Diagnostics(self, self._counts, self._picture)
        self._autostart_timer = None
        if self._declared.settings.autostart:
            # Nothing waits in a constructor: the work begins once somebody spins the node.
            self._autostart_timer = self.create_timer(
                0.0, self._autostart, clock=Clock(clock_type=ClockType.STEADY_TIME)
            )

    @property
    def statistics(self) -> Statistics:
        """What was done with the camera's frames since the node was configured."""
        return self._pipeline.statistics if self._pipeline else Statistics()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the weights and make the topics; FAILURE, with the reason logged, if that fails."""
        try:
            self._configure()
        except Exception as error:
            self._release()
            # A ValueError of ours explains itself; anything else needs its traceback.
            details = "" if isinstance(error, ValueError) else f"\n{traceback.format_exc()}"
            self._complain(f"Cannot be configured. {sentence(error)}{details}")
            return FAILURE
        self.troubles.overcome()
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Take in images from now on."""
        assert self._pipeline is not None
        super().on_activate(state)
        try:
            self._pipeline.start()
        except Exception:
            super().on_deactivate(state)
            self._complain(f"Cannot be activated: {traceback.format_exc()}")
            return FAILURE
        self.troubles.overcome()
        self.get_logger().info(f"Active: taking images from {self._pipeline.camera.topic}.")
        return SUCCESS

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Take in no more images; what is followed stays followed."""
        assert self._pipeline is not None
        with self.reporting("Deactivating"):
            self._pipeline.stop()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Forget what was followed and let go of the network and the topics."""
        with self.reporting("Cleaning up"):
            self._release()
            give_back()
        return SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End from whatever state the node is in."""
        with self.reporting("Shutting down"):
            self._release()
        return SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go back to the unconfigured state with nothing left over."""
        # What failed once may fail again; and a node that fails here is of no use to anybody.
        with suppress(Exception), self.reporting("Going back to the unconfigured state"):
            self._release()
        return SUCCESS

    def destroy_node(self) -> None:
        """Let go of everything, in whatever state."""
        self._release()
        super().destroy_node()

    def _configure(self) -> None:
        if self._declared.problems:
            raise ValueError(" ".join(self._declared.problems))
        settings = self._declared.settings
        segmenter, card, words = self._make_segmenter(settings)
        from vos_ros.ros import images
        from vos_ros.ros.model import ThreadSetting, choose_device
        from vos_ros.ros.pipeline import Pipeline

        with ExitStack() as undo:
            undo.callback(ThreadSetting(settings.threads).undo)
            self._pipeline = Pipeline(
                self, lambda: self._declared.settings, segmenter, card, self.troubles
            )
            undo.callback(self._pipeline.close)
            self._built, self._device = words, choose_device(settings.device)
            self._weights = card.sha256
            self._undo = undo.pop_all()
        # Asked here, for the first answer takes half a second, which no frame is to wait for.
        by = "cv_bridge" if images.bridge_is_used() else "this package's own code"
        self.get_logger().info(f"Configured: {words}. Images are converted by {by}.")
        self._compare_weights()

    def _compare_weights(self) -> None:
        """Say so when the weights are not those that were configured before."""
        before, self._weights_before = self._weights_before, self._weights
        if before not in ("", self._weights):
            self.get_logger().info(
                f"The weights are others than before: the SHA-256 was {before[:12]}... and now is"
                f" {self._weights[:12]}... What was taught with the former cannot be loaded."
            )

    def _release(self) -> None:
        try:
            self._undo.close()
        finally:
            self._pipeline = None
            self._built = self._device = self._weights = ""

    def _complain(self, text: str) -> None:
        # After a shutdown everything fails, which is nobody's news, and cannot be logged either.
        if self.context.ok():
            self.troubles.note(text, serious=True, lasting=True)
            self.bounded.say("changes of state failed", text, self.error)

    def _counts(self) -> Mapping[str, int]:
        return self._pipeline.counts if self._pipeline else NO_COUNTS

    def _picture(self, lately: Lately) -> Picture:
        """How the node is now; what has happened lately is given."""
        pipeline, settings = self._pipeline, self._declared.settings
        active = pipeline is not None and pipeline.active
        state = "active" if active else "inactive" if pipeline else "unconfigured"
        return Picture(
            state=state,
            built=self._built,
            weights=self._weights,
            trouble=self.troubles.last,
            refused=self.bounded.total(REFUSED),
            callbacks_failed=self.bounded.total(FAILED),
            now=time.perf_counter(),
            camera=pipeline.camera.view() if pipeline and active else None,
            statistics=self.statistics,
            lately=lately,
            ids=pipeline.ids if pipeline else (),
            present=pipeline.present if pipeline else {},
            doubts=pipeline.doubts if pipeline else (),
            strangers=pipeline.strangers if pipeline else (),
            exchanges=pipeline.exchanges if pipeline else 0,
            runtime_trouble=pipeline.runtime_trouble if pipeline else "",
            memory=read_memory(self._device) if self._device else None,
            camera_timeout=settings.camera_timeout,
            latency_warning=settings.latency_warning,
            size=pipeline.size if pipeline else None,
        )

    def _autostart(self) -> None:
        assert self._autostart_timer is not None
        self.destroy_timer(self._autostart_timer)
        if self.trigger_configure() == SUCCESS:
            self.trigger_activate()


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until SIGINT or SIGTERM.

    Args:
        args: command line without the program's name; the process's own by default.

    Returns:
        The exit status: 0 after a signal.
    """
    given = list(sys.argv[1:] if args is None else args)
    _parser().parse_args(remove_ros_args(["vos", *given])[1:])
    signals = ExitSignals()
    signals.install()

    def build(settings: Settings) -> tuple[VideoSegmenter, ModelCard, str]:
        # The one thing that takes seconds, and may be broken off anywhere.
        with signals.interrupting():
            return _build_segmenter(settings)

    rclpy.init(args=given)
    # One thread for all callbacks, none of which waits for the network. Measured with images of
    # 640x480 at 30 Hz and a step of 20 ms on two busy cores, against a MultiThreadedExecutor: half
    # the processor time (2.2 and 5 s in 12 s), stamp to mask 33 and 50 ms, a refusal in 3 and 7 ms.
    executor = SingleThreadedExecutor()
    node = VosNode(build)
    executor.add_node(node)
    try:
        spin(executor, node, signals)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.destroy_node()
        executor.shutdown()
        rclpy.try_shutdown()
    signals.ignore()
    if any(thread.name.startswith("vos_") for thread in threading.enumerate()):
        # A step that takes too long was given up, or a network is being compiled. Such a thread
        # cannot be ended, and would crash in an interpreter that is being taken down around it.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
    return 0


def _build_segmenter(settings: Settings) -> tuple[VideoSegmenter, ModelCard, str]:
    # PyTorch takes a second or two to load, which the node spends where it can say so.
    from vos_ros.ros.model import build_segmenter

    return build_segmenter(settings)


def _parser() -> argparse.ArgumentParser:
    lines = (f"  {p.name} ({p.type.__name__}, {show(p.default)}): {p.description}" for p in TABLE)
    return argparse.ArgumentParser(
        prog="vos",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Follow objects in a camera's images, as a ROS 2 lifecycle node.",
        usage="vos [--ros-args -r image:=/camera/image -p NAME:=VALUE ...]",
        epilog="\n".join(["parameters:", *lines]),
    )
