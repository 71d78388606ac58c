# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a training reads, a set at a time, as pictures to be packed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from vos_ros.data.faults import FaultLog
from vos_ros.data.pack_picture import Picture
from vos_ros.data.sequence import SequenceDataset, SequenceError, VideoSequence
from vos_ros.data.still_set import BareFolder, FolderStills, StillSource
from vos_ros.data.stills import Still, StillError
from vos_ros.data.video_frames import VideoFrames


class Part(Protocol):
    """One of the sets that a stage names; its pictures by number.

    Attributes:
        name: for people, and which sets are one.
        told: whether a file of its own tells what is in the pictures, so that every picture must
            be read for it, also one that is packed already.
    """

    name: str
    told: bool

    def __len__(self) -> int: ...

    def path(self, index: int) -> Path:
        """Of a picture."""

    def read(self, index: int) -> Picture | None:
        """The picture; None where it is bad, which is noted then."""

    def keep(self, index: int, picture: Picture | None, name: str) -> bool:
        """Take note that a picture is packed.

        picture: as it is packed; None where an earlier run did it. name: of its new file. Returns
        whether there is anything in it to be trained on.
        """

    def closing(self) -> Mapping[Path, bytes]:
        """The files beside pictures and masks, of what was kept."""


S = TypeVar("S", bound=StillSource)


class SourcePart(Generic[S]):
    """A part that one of the readers of stills reads; a bad still is noted and left behind.

    Args:
        name: of the part.
        stills: the reader.
        faults: where bad files are noted.
    """

    told = False

    def __init__(self, name: Path, stills: S, faults: FaultLog) -> None:
        self.name, self.stills, self._faults = str(name), stills, faults

    def __len__(self) -> int:
        return len(self.stills)

    def path(self, index: int) -> Path:
        """See `Part`."""
        return self.stills.path(index)

    def read(self, index: int) -> Picture | None:
        """See `Part`."""
        try:
            still = self.stills.read(index)
        except StillError as error:
            self._faults.note(error.path or self.path(index), error)
            return None
        return self.picture(index, still)

    def picture(self, index: int, still: Still) -> Picture:
        """What is packed of a still: its image, here."""
        return Picture(self.path(index), still.image)

    def keep(self, index: int, picture: Picture | None, name: str) -> bool:
        """See `Part`."""
        return True

    def closing(self) -> dict[Path, bytes]:
        """See `Part`."""
        return {}


class StillPart(SourcePart[FolderStills]):
    """A folder of `images/` and `masks/`."""

    def __init__(self, root: Path, faults: FaultLog) -> None:
        """Raises StillError when there is no such folder."""
        super().__init__(root, FolderStills(root, faults), faults)

    def picture(self, index: int, still: Still) -> Picture:
        """See `SourcePart`; the mask is packed beside the image."""
        return Picture(self.path(index), still.image, {self.stills.mask_path(index): still.ids})


class PhotographPart(SourcePart[BareFolder]):
    """Photographs without masks, below a folder."""

    def __init__(self, root: Path, faults: FaultLog) -> None:
        super().__init__(root, BareFolder(root), faults)


class VideoPart:
    """The frames with masks of the videos of one split.

    A frame without a mask is not trained on, and stays behind.
    """

    told = False

    def __init__(self, dataset: SequenceDataset, faults: FaultLog, complete: bool = False) -> None:
        """Raises SequenceError when there is no such split, or nothing usable in it.

        complete: every frame ought to have a mask; one without is noted.
        """
        self.name = " ".join(filter(None, [str(dataset.root), dataset.split]))
        self._dataset = dataset
        opened = []
        for name in dataset.names:
            try:
                opened.append(dataset.sequence(name))
            except SequenceError as error:
                faults.note(f"{dataset.root}, sequence {name}", error)
        if not opened:
            raise SequenceError(f"none of the sequences of {dataset.root} can be opened")
        self._frames = VideoFrames(opened, faults, complete)
        self._sequences: list[VideoSequence] = [video for video in opened if video.annotated]
        self._places = [
            (which, frame)
            for which in range(len(self._frames))
            for frame in self._frames.annotated(which)
        ]
        self._kept: set[str] = set()

    def __len__(self) -> int:
        return len(self._places)

    def path(self, index: int) -> Path:
        """See `Part`."""
        which, frame = self._places[index]
        return self._sequences[which].frame_paths[frame]

    def read(self, index: int) -> Picture | None:
        """See `Part`."""
        which, frame = self._places[index]
        found = self._frames.read(which, frame)
        if found is None:
            return None
        return Picture(self.path(index), found[0], self._sequences[which].mask_values(frame))

    def keep(self, index: int, picture: Picture | None, name: str) -> bool:
        """See `Part`."""
        self._kept.add(self._sequences[self._places[index][0]].name)
        return True

    def closing(self) -> dict[Path, bytes]:
        """The list of the split, without videos of which nothing could be packed."""
        names = [name for name in self._dataset.names if name in self._kept]
        return {path: "".join(f"{n}\n" for n in names).encode() for path in self._dataset.lists}
