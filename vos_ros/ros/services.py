# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node's services: every call is answered, with a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from rclpy.callback_groups import ReentrantCallbackGroup
from std_srvs.srv import Trigger

from vos_msgs.srv import InitMask, LoadTargets, RemoveObject, SaveTargets
from vos_ros.ros import qos
from vos_ros.ros.awaiting import result_of
from vos_ros.ros.frame_buffer import format_stamp
from vos_ros.ros.requests import RequestError, read_init_request, sentence, words
from vos_ros.ros.surviving import REFUSED, SurvivingNode
from vos_ros.ros.worker import WorkerBusyError, WorkerStoppedError

if TYPE_CHECKING:
    from vos_ros.ros.pipeline import Pipeline

ResponseT = TypeVar("ResponseT")


class Services:
    """The node's services.

    `~/init_mask`, `~/remove_object`, `~/reset`, `~/segment`, `~/save_targets`, `~/load_targets` and
    `~/write_trace`.

    They are there as long as the node is, so that a call in any state gets an answer. A call
    waits for the worker without holding up the executor: its callback is a coroutine, and the
    reentrant group lets others begin meanwhile.

    Args:
        node: whose services they are.
        pipeline: tells what is configured; None while nothing is.
    """

    def __init__(self, node: SurvivingNode, pipeline: Callable[[], Pipeline | None]) -> None:
        self._node = node
        self._pipeline = pipeline
        group = ReentrantCallbackGroup()
        for kind, name, answer in (
            (InitMask, "~/init_mask", self._init_mask),
            (RemoveObject, "~/remove_object", self._remove_object),
            (Trigger, "~/reset", self._reset),
            (Trigger, "~/segment", self._segment),
            (SaveTargets, "~/save_targets", self._save_targets),
            (LoadTargets, "~/load_targets", self._load_targets),
            (Trigger, "~/write_trace", self._write_trace),
        ):
            node.create_service(
                kind, name, answer, qos_profile=qos.requests(), callback_group=group
            )

    async def _init_mask(
        self, request: InitMask.Request, response: InitMask.Response
    ) -> InitMask.Response:
        with self._refusing(response):
            pipeline = self._configured()
            followed = await self._done(pipeline.init(read_init_request(request)))
            pipeline.sync_topics()
            response.stamp.sec, response.stamp.nanosec = divmod(followed.stamp_ns, 10**9)
            image = "an image without a stamp"
            if followed.stamp_ns:
                image = f"the image stamped {format_stamp(followed.stamp_ns)}"
            since = f", caught up through {followed.steps} since" if followed.steps else ""
            response.message = f"Following {words(followed.ids)}, from {image} on{since}."
            response.success = True
        return self._with_ids(response)

    async def _remove_object(
        self, request: RemoveObject.Request, response: RemoveObject.Response
    ) -> RemoveObject.Response:
        with self._refusing(response):
            pipeline = self._configured()
            left = await self._done(pipeline.remove(request.id))
            pipeline.sync_topics()
            rest = f"still following {words(left)}" if left else "nothing is followed any more"
            response.message = f"Object {request.id} is forgotten; {rest}."
            response.success = True
        return self._with_ids(response)

    async def _reset(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        with self._refusing(response):
            pipeline = self._configured()
            forgotten = await self._done(pipeline.reset())
            pipeline.sync_topics()
            response.message = (
                f"Forgotten: {words(forgotten)}." if forgotten else "Nothing was being followed."
            )
            response.success = True
        return response

    async def _segment(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        with self._refusing(response):
            pipeline = self._configured()
            frame = await self._done(pipeline.segment())
            response.message = (
                f"The mask of the image stamped {format_stamp(frame.stamp_ns)} is published."
            )
            response.success = True
        return response

    async def _save_targets(
        self, request: SaveTargets.Request, response: SaveTargets.Response
    ) -> SaveTargets.Response:
        with self._refusing(response):
            pipeline = self._configured()
            taught = await self._done(pipeline.taught())
            path = await self._done(pipeline.files.save(request.name, taught))
            response.ids = sorted(taught.learned.ids)
            response.message = f"What was learned of {words(response.ids)} is in {path}."
            response.success = True
        return response

    async def _load_targets(
        self, request: LoadTargets.Request, response: LoadTargets.Response
    ) -> LoadTargets.Response:
        with self._refusing(response):
            pipeline = self._configured()
            taught = await self._done(pipeline.files.load(request.name))
            names = await self._done(pipeline.recall(taught, request.keep_existing))
            pipeline.sync_topics()
            response.names = list(names.values())
            response.message = (
                f"Following {words(list(names))}; {words(sorted(taught.learned.ids))} of"
                f" '{request.name}' will be searched for in the next image."
            )
            response.success = True
        return self._with_ids(response)

    async def _write_trace(
        self, _: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        with self._refusing(response):
            pipeline = self._configured()
            path, spans = await self._done(pipeline.write_trace())
            response.message = (
                f"What the last {spans} pieces of work took is in {path}; open it in Perfetto."
            )
            response.success = True
        return response

    def _configured(self) -> Pipeline:
        pipeline = self._pipeline()
        if pipeline is None:
            raise RequestError("The node is not configured; configure and activate it first.")
        return pipeline

    async def _done(self, future: Future[Any]) -> Any:
        assert self._node.executor is not None  # it is what runs this
        return await result_of(future, self._node.executor)

    def _with_ids(self, response: ResponseT) -> ResponseT:
        pipeline = self._pipeline()
        ids = list(pipeline.ids) if pipeline else []
        response.ids = ids  # type: ignore[attr-defined]  # every response has them
        return response

    @contextmanager
    def _refusing(self, response: Any) -> Iterator[None]:
        """Turn what goes wrong into the sentence of a refusal."""
        try:
            yield
        except RequestError as error:
            response.message = str(error)
        except WorkerBusyError as error:
            response.message = f"{error} Call again when they have been answered."
        except WorkerStoppedError:
            response.message = "The node was deactivated before the request's turn came."
        except Exception as error:
            self._node.survived("A request", error)
            response.message = f"The request failed inside the node. {sentence(error)}"
            return
        if not response.success:
            text = f"A request was refused. {response.message}"
            self._node.troubles.note(text, serious=False)
            self._node.bounded.say(REFUSED, text, self._node.warn)
