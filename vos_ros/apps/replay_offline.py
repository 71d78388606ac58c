# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`replay` offline: every image of the bag goes through the segmenter, in order.

Nothing depends on time, so that the same bag, mask and settings give the same masks to the last
bit on the same machine.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from tqdm import tqdm

from vos_ros.apps.replay_images import BagImage, FirstImage
from vos_ros.apps.replay_options import PARAMETERS, Options
from vos_ros.apps.replay_output import told_if_kept
from vos_ros.moment import Segmentation
from vos_ros.recordings.bag import Bag, Record, Topic
from vos_ros.recordings.camera_infos import CameraInfos
from vos_ros.recordings.errors import RecordingError
from vos_ros.recordings.messages import PresenceMessages, mask_message
from vos_ros.recordings.new_bag import NewBag, refuse_existing
from vos_ros.recordings.types import CAMERA_INFO, IMAGE, PRESENCE
from vos_ros.ros.images import ImageError
from vos_ros.ros.model import ThreadSetting, build_segmenter, open_network
from vos_ros.segmenter import VideoSegmenter
from vos_ros.weights import ModelCard


@dataclass
class Outcome:
    """What became of a replay."""

    images: int = 0  # gone through, from the mask's on
    unreadable: list[str] = field(default_factory=list)  # why each of those without a mask was
    present: dict[int, int] = field(default_factory=dict)  # masks with each object in them
    doubtful: dict[int, int] = field(default_factory=dict)  # those in which it may be another thing
    seconds: float = 0.0
    digest: str = ""  # SHA-256 of all labels in order

    @property
    def masks(self) -> int:
        """How many were written."""
        return self.images - len(self.unreadable)


def replay(bag: Bag, topic: Topic, options: Options) -> Outcome:
    """Follow the mask's objects through the bag, and write the new bag.

    Raises:
        RecordingError: the bag is damaged, or the new one cannot be written. Masks made until
            then are kept.
        SegmentationError, ModelError, WeightsError, ValueError: the mask or the settings do not do.
    """
    assert options.labels is not None and options.out is not None
    FirstImage(options.frame, options.stamp).check(topic)
    refuse_existing(options.out)
    with ExitStack() as stack:
        stack.callback(ThreadSetting(options.settings.threads).undo)
        # What cuDNN finds fastest may be another way of summing from run to run.
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
        open_first = partial(open_network, compile_first=True)
        segmenter, card, words = build_segmenter(options.settings, open_first)
        new = stack.enter_context(told_if_kept(options.out, bag.storage, _about(options, card)))
        print(f"{topic.name} of '{bag.path}' by {words}", flush=True)
        infos = stack.enter_context(CameraInfos(bag, topic.name))
        following = _Following(bag, topic, options, segmenter, new, infos)
        bar = stack.enter_context(tqdm(total=topic.count, unit="image", desc="replaying"))
        following.run(bar)
    return following.outcome


def _about(options: Options, card: ModelCard) -> dict[str, str]:
    """What the new bag says of how it was made."""
    settings = {f"vos_ros.{name}": str(getattr(options.settings, name)) for name in PARAMETERS}
    return {"vos_ros.replay": "offline", "vos_ros.weights_sha256": card.sha256, **settings}


class _Following:
    """One pass through a bag."""

    def __init__(
        self,
        bag: Bag,
        topic: Topic,
        options: Options,
        segmenter: VideoSegmenter,
        new: NewBag,
        infos: CameraInfos,
    ) -> None:
        self.outcome = Outcome()
        self._bag, self._topic, self._options = bag, topic, options
        self._segmenter, self._new, self._infos = segmenter, new, infos
        self._first = FirstImage(options.frame, options.stamp)
        self._presence = PresenceMessages(options.names)
        self._digest = hashlib.sha256()
        self._mask_topic = f"/{options.node}/mask"
        self._presence_topic = f"/{options.node}/presence"
        self._info_topic = f"/{options.node}/camera_info"
        self._copied = self._prepare()

    def _prepare(self) -> set[str]:
        """Declare the topics of the new bag; return the names of those that are copied."""
        self._new.add(self._mask_topic, IMAGE)
        self._new.add(self._presence_topic, PRESENCE)
        if self._infos.found:
            self._new.add(self._info_topic, CAMERA_INFO)
        if self._options.keep == "none":
            return set()
        copied = set()
        for connection in self._bag.connections:
            name = connection.topic
            if self._options.keep == "images" and name != self._topic.name:
                continue
            if name in (self._mask_topic, self._presence_topic, self._info_topic):
                raise RecordingError(
                    f"'{self._bag.path}' has {name} already: give the new masks another node's"
                    " name with --node"
                )
            if self._new.add_like(connection):
                copied.add(name)
            else:
                print(f"{name} is not copied: the bag does not define {connection.msgtype}")
        return copied

    def run(self, bar: tqdm) -> None:
        """Go through all messages, and count on the bar."""
        began = time.perf_counter()
        number = 0
        for record in self._bag.records({self._topic.name, *self._copied}):
            if record.connection.topic in self._copied:
                self._new.copy(record.connection.topic, record.time, record.data)
            if record.connection.topic == self._topic.name:
                self._take(BagImage(number, record, self._bag.message(record)))
                number += 1
                bar.update()
            self.outcome.seconds = time.perf_counter() - began
        if not self._segmenter.ids:
            raise self._first.missing(self._topic)

    def _take(self, image: BagImage) -> None:
        """Go on with an image if its time has come."""
        if not self._segmenter.ids and not self._first.is_it(image):
            return
        self.outcome.images += 1
        try:
            rgb = image.rgb()
        except ImageError as error:
            if not self._segmenter.ids:
                raise RecordingError(f"the mask's image cannot be read. {error}") from error
            self.outcome.unreadable.append(str(error))
            return
        self._write(image.record, image.message.header, self._segmented(rgb))

    def _segmented(self, rgb: np.ndarray) -> Segmentation:
        if self._segmenter.ids:
            return self._segmenter.step(rgb)
        assert self._options.labels is not None
        return self._segmenter.start(rgb, self._options.labels)

    def _write(self, record: Record, header: object, result: Segmentation) -> None:
        self._new.write(self._mask_topic, record.time, mask_message(header, result.labels))
        presence = self._presence.message(header, result)
        self._new.write(self._presence_topic, record.time, presence)
        height, width = result.labels.shape
        info = self._infos.of_image(record.time, header, width, height)
        if info is not None:
            self._new.write(self._info_topic, record.time, info)
        self._new.worth_keeping = True
        self._digest.update(result.labels.tobytes())
        self.outcome.digest = self._digest.hexdigest()
        for item in result.objects:
            count = self.outcome.present.get(item.id, 0)
            self.outcome.present[item.id] = count + item.present
            doubts = self.outcome.doubtful.get(item.id, 0)
            self.outcome.doubtful[item.id] = doubts + item.doubtful


def describe(outcome: Outcome, options: Options) -> str:
    """The outcome for people."""
    rate = outcome.images / outcome.seconds if outcome.seconds else 0.0
    lines = [f"{outcome.masks} masks for {outcome.images} images, {rate:.1f} images a second"]
    for object_id, count in sorted(outcome.present.items()):
        name = options.names.get(object_id, f"object {object_id}")
        line = f"{name}: present in {count} of {outcome.masks} masks"
        doubts = outcome.doubtful.get(object_id, 0)
        lines.append(f"{line}, doubtful in {doubts} of these" if doubts else line)
    if outcome.unreadable:
        lines.append(
            f"{len(outcome.unreadable)} images could not be read and have no mask; the first of"
            f" them: {outcome.unreadable[0]}"
        )
    lines.append(f"SHA-256 of the labels: {outcome.digest}")
    lines.append(f"written to '{options.out}'")
    return "\n".join(lines)
