# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The loss of a batch of clips, gone through frame by frame.

Letters: B clips of T frames, K objects in a clip, H x W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vos_ros.inference import PRECISIONS
from vos_ros.models.state import FrameFeatures, ObjectState, SegmentationNetwork
from vos_ros.training.distributed import World
from vos_ros.training.erosion import eroded
from vos_ros.training.losses import frame_loss, soft_targets
from vos_ros.training.stage import Stage
from vos_ros.training.views import changes_of, follow, look, whole_frames


@dataclass(frozen=True)
class _Clips:
    """Clips on their way through the network.

    Attributes:
        frames: by index in the clip, the features of every frame that is looked at.
        labels: B x T x H x W.
        previous: by index, the annotated masks B x K x H x W of the frame before that the network
            is shown as if it had found them.
        changes: B x T - 1 x 2 x 3, from the view of each frame but the first to that of the one
            before; none where all are seen whole.
    """

    frames: dict[int, FrameFeatures]
    labels: Tensor
    previous: dict[int, Tensor]
    changes: Tensor | None = None

    def with_objects(self, objects: int, counts: list[int]) -> _Clips:
        """Those of the clips that have so many objects."""
        previous = {t: masks[:, :objects] for t, masks in self.previous.items()}
        if all(count == objects for count in counts):
            return replace(self, previous=previous)
        chosen = [clip for clip, count in enumerate(counts) if count == objects]
        at = torch.tensor(chosen, device=self.labels.device)
        return _Clips(
            {t: features.only(at) for t, features in self.frames.items()},
            self.labels[at],
            {t: masks[at] for t, masks in previous.items()},
            None if self.changes is None else self.changes[at],
        )


#: keeps the random numbers of views apart from others of the same step
_VIEWS = 1


class ClipLoss(nn.Module):
    """From a batch of clips to the parts of its loss: one module, so that it can be shared.

    Args:
        network: what is trained.
        stage: how.
        world: whose batches these are: rank r has the r-th part of the whole batch.
    """

    def __init__(self, network: SegmentationNetwork[Any, Any], stage: Stage, world: World) -> None:
        super().__init__()
        self.network = network
        self.stage = stage
        self.world = world

    def forward(self, images: Tensor, labels: Tensor, step: int) -> dict[str, Tensor]:
        """The parts of the loss: means over the scored frames of each clip, then over clips.

        Clips with equally many objects go through the network together, so that no slot is ever
        empty; the features of all frames are computed at once.

        Args:
            images: B x T x 3 x H x W, RGB in 0..255.
            labels: B x T x H x W, 0 background, 1..K the objects.
            step: of the training, which decides what the stage does.

        Raises:
            ValueError: when a clip has more objects than the stage follows.
        """
        images, labels, changes = self._looked(images, labels, step)
        counts = labels.flatten(1).amax(dim=1).clamp_min(1).tolist()
        if max(counts) > self.stage.objects:
            raise ValueError(
                f"a clip has {max(counts)} objects, but the stage follows {self.stage.objects}"
            )
        seen = self._looked_at(labels.shape[1], step)
        features = self._encode(images[:, seen], step)
        frames = {t: features.frame(at, len(seen)) for at, t in enumerate(seen)}
        clips = _Clips(frames, labels, self._previous(labels, step), changes)
        sums: dict[str, Tensor] = {}
        for objects in sorted(set(counts)):
            group = clips.with_objects(objects, counts)
            for name, values in self._followed(group, objects, step).items():
                sums[name] = sums.get(name, 0) + values.sum()
        return {name: value / len(counts) for name, value in sums.items()}

    def _looked(
        self, images: Tensor, labels: Tensor, step: int
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """What the network sees of the clips, and how its view changes."""
        stage, (own, length) = self.stage, labels.shape[:2]
        regions = whole_frames(own, length).copy()
        if stage.region > 0:
            found = labels.cpu().numpy()
            for clip in range(own):
                # Of the step and the clip alone, so that a resumed or a shared run draws the same.
                number = self.world.rank * own + clip
                rng = np.random.default_rng([stage.seed, step, number, _VIEWS])
                if rng.random() < stage.region:
                    regions[clip] = follow(found[clip], rng)
        images, labels = look(images, labels, regions, stage.seen_size)
        moves = (regions != regions[:, :1]).any()
        return images, labels, changes_of(regions).to(images.device) if moves else None

    def _looked_at(self, length: int, step: int) -> list[int]:
        """Indices of the frames that the network sees."""
        first = self.stage.scored_from if self.stage.gives(step) else 1
        return [0, *range(first, length)]

    def _followed(self, clips: _Clips, objects: int, step: int) -> dict[str, Tensor]:
        """Mean losses over the scored frames, B each, of clips with equally many objects."""
        stage, network, length = self.stage, self.network, clips.labels.shape[1]
        with self._autocast():
            state = network.start(clips.frames[0], _masks(clips.labels[:, 0], objects))
        # Apart from the rest: some PyTorch keep narrowed weights, and these have no gradient.
        with torch.no_grad(), self._autocast():
            for t in range(1, stage.scored_from):
                if t in clips.frames:
                    state = _shown(state, clips, t)
                    _, state = network.step(clips.frames[t], state)
        parts: dict[str, Tensor] = {}
        with self._autocast():
            for t in range(stage.scored_from, length):
                prediction, state = network.step(clips.frames[t], _shown(state, clips, t))
                if self._cuts(t, step):
                    state = state.feedback_detached()
                losses = frame_loss(
                    prediction.logits,
                    prediction.coarse_logits,
                    clips.labels[:, t],
                    stage.worst,
                    dice=stage.dice,
                    lovasz=stage.lovasz,
                    coarse=stage.coarse,
                )
                for name, values in losses.items():
                    parts[name] = parts.get(name, 0) + values / (length - stage.scored_from)
        return parts

    def _cuts(self, t: int, step: int) -> bool:
        """Whether no gradient flows from later frames to frame `t`."""
        truncate = self.stage.truncate
        return not self.stage.attached(step) or (truncate > 0 and t % truncate == 0)

    def _previous(self, labels: Tensor, step: int) -> dict[int, Tensor]:
        """By index, the annotated masks B x K x H x W that are shown in place of found ones.

        The first mask is an annotated one, too: the state has it from the start, but not eroded.
        """
        stage = self.stage
        if stage.gives(step):
            shown = range(stage.scored_from, labels.shape[1])
        else:
            shown = range(1, 2 if stage.erosion else 1)
        return {t: self._eroded(_masks(labels[:, t - 1], stage.objects), step, t) for t in shown}

    def _eroded(self, masks: Tensor, step: int, t: int) -> Tensor:
        """Masks B x K x H x W thinner by up to the stage's number of pixels."""
        most = self.stage.erosion
        if not most:
            return masks
        # Of the step and the frame alone, and for the clips of all ranks, so that a resumed or a
        # shared run draws the same.
        rng = np.random.default_rng([self.stage.seed, step, t])
        own, rank = masks.shape[0], self.world.rank
        radii = rng.integers(0, most + 1, (own * self.world.size, masks.shape[1]))
        return eroded(masks, torch.from_numpy(radii[rank * own :][:own]).to(masks.device))

    def _encode(self, images: Tensor, step: int) -> FrameFeatures:
        """Features of all frames B x T x 3 x H x W at once.

        A tuned backbone runs in float32 on a CPU: there, gradients of depthwise convolutions are
        slower in half precision.
        """
        network = self.network
        images = network.normalise(images.flatten(0, 1))
        images = images.contiguous(memory_format=torch.channels_last)
        tuned = self.stage.tunes_backbone(step)
        narrowed = not (tuned and images.device.type == "cpu")
        with torch.set_grad_enabled(tuned and torch.is_grad_enabled()), self._autocast(narrowed):
            features = network.backbone(images)
        with self._autocast():
            return network.project(features)

    def _autocast(self, wanted: bool = True) -> torch.autocast:
        device, precision = next(self.network.parameters()).device, self.stage.precision
        enabled = wanted and precision != "fp32"
        return torch.autocast(device.type, dtype=PRECISIONS[precision], enabled=enabled)

    @torch.no_grad()
    def predict(self, images: Tensor, labels: Tensor) -> Tensor:
        """What the present weights find in one clip: T x H x W uint8 labels, the first as given.

        Args:
            images: T x 3 x H x W, RGB in 0..255.
            labels: H x W of the first frame.
        """
        found, first = [labels.to(torch.uint8)], labels[None]
        features = self._encode(images[None], step=0)
        with self._autocast():
            masks = _masks(first, max(1, int(labels.max())))
            state = self.network.start(features.frame(0, len(images)), masks)
            for t in range(1, len(images)):
                prediction, state = self.network.step(features.frame(t, len(images)), state)
                logits = prediction.logits.float()
                logits = F.interpolate(logits, labels.shape, mode="bilinear", align_corners=False)
                found.append(logits[0].argmax(dim=0).to(torch.uint8))
        return torch.stack(found)


def _masks(labels: Tensor, objects: int) -> Tensor:
    """B x H x W labels to a mask for each object, B x K x H x W float32."""
    return soft_targets(labels, objects, *labels.shape[-2:])[:, 1:]


def _shown(state: ObjectState, clips: _Clips, t: int) -> ObjectState:
    """The state before frame `t`, in its view.

    The annotated mask is in it where there is one to be shown.
    """
    if t in clips.previous:
        state = state.shown(clips.previous[t])
    return state if clips.changes is None else state.reframed(clips.changes[:, t - 1])
