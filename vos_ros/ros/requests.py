# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads `init_mask` requests: what is asked for, or the sentence that says why it cannot be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sensor_msgs.msg import Image

from vos_msgs.srv import InitMask
from vos_ros.ros.images import ImageError, mask_to_labels

HIGHEST_ID = 255


class RequestError(ValueError):
    """A request that cannot be met; the message is the sentence to answer with."""


@dataclass(frozen=True, eq=False)
class InitOrder:
    """What an `init_mask` request asks for, checked as far as that needs no image.

    Attributes:
        labels: h x w uint8; 0, or the id of an object to follow.
        names: the name of every object to follow, by ascending id; "" where none was given.
        keep_existing: whether the objects already followed stay.
        image: the image the mask was drawn on; None when it is one the camera sent.
        stamp_ns: the mask's stamp in nanoseconds; 0 means the newest camera image.
    """

    labels: np.ndarray
    names: dict[int, str]
    keep_existing: bool
    image: Image | None
    stamp_ns: int


def read_init_request(request: InitMask.Request) -> InitOrder:
    """Check a request and return what it asks for.

    Raises:
        RequestError: the mask cannot be read or holds no object, or ids or names are wrong.
    """
    _check_counts(request)
    try:
        labels = mask_to_labels(request.mask)
    except ImageError as error:
        raise RequestError(sentence(error)) from error
    present = np.flatnonzero(np.bincount(labels.ravel())).tolist()
    ids = _ids_to_follow([label for label in present if label], list(request.ids))
    names = _names_of(ids, list(request.names))
    table = np.zeros(max(present) + 1, np.uint8)
    table[ids] = ids
    return InitOrder(
        labels=table[labels],
        names=dict(sorted(names.items())),
        keep_existing=request.keep_existing,
        image=request.image if _given(request.image) else None,
        stamp_ns=nanoseconds(request.mask.header.stamp),
    )


def _check_counts(request: InitMask.Request) -> None:
    """Refuse lists longer than any right one, before anything is done with what they hold."""
    for what, count in (("ids", len(request.ids)), ("names", len(request.names))):
        if count > HIGHEST_ID:
            raise RequestError(
                f"At most {HIGHEST_ID} {what} may be given, and the request has {count}."
            )


def _given(image: Image) -> bool:
    # An image that has a size but no data was meant to be one, and is refused as too short.
    return bool(len(image.data) or image.width or image.height)


def nanoseconds(stamp: Any) -> int:
    """Return a builtin_interfaces/Time as nanoseconds."""
    return stamp.sec * 1_000_000_000 + stamp.nanosec


def _ids_to_follow(present: list[int], wanted: list[int]) -> list[int]:
    """The ids to follow, in the order the names are given in."""
    if not present:
        raise RequestError(
            "The mask holds no object: every pixel is 0. Give the pixels of each object its id,"
            f" 1 to {HIGHEST_ID}."
        )
    ids, known = wanted or present, set(present)
    _refuse(
        [label for label in ids if not 1 <= label <= HIGHEST_ID],
        f"Ids must be from 1 to {HIGHEST_ID}, and the request has",
    )
    _refuse(
        sorted(label for label, count in Counter(ids).items() if count > 1),
        "Each id may be given once, and the request repeats",
    )
    _refuse(
        [label for label in ids if label not in known],
        f"Each id asked for must occur in the mask, which has {words(present)}, and it lacks",
    )
    return ids


def _refuse(wrong: Sequence[int], sentence: str) -> None:
    if wrong:
        raise RequestError(f"{sentence} {words(wrong)}.")


def _names_of(ids: list[int], names: list[str]) -> dict[int, str]:
    if not names:
        return dict.fromkeys(ids, "")
    if len(names) != len(ids):
        raise RequestError(
            f"Names must be empty or one for each object: {len(ids)} for the ids {words(ids)},"
            f" and the request has {len(names)}."
        )
    return dict(zip(ids, names, strict=True))


def words(ids: Sequence[int], most: int = 12) -> str:
    """Write ids as a list for people, cut short when there are very many."""
    shown = ", ".join(str(label) for label in ids[:most])
    return shown if len(ids) <= most else f"{shown} and {len(ids) - most} more"


def sentence(error: BaseException) -> str:
    """Write an error's message as a sentence: a capital first, a full stop last."""
    text = str(error).strip() or type(error).__name__
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
