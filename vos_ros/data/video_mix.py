# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is done to the frames of a video that become a clip, in shares."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class VideoMix:
    """Each figure is a share, 0 to 1, of the clips unless it says otherwise.

    With all of them 0 a clip is the frames themselves, resized. What is drawn once for a clip is
    the same in all of its frames, those that are `moved` aside.
    """

    pasted: float = 0.3  # something that is background is pasted over the video
    joined: float = 1.0  # of those with fewer objects than may be: pasted ones may be followed, too
    reversed: float = 0.3  # the frames run backwards
    cropped: float = 1.0  # a part about the object; in the rest whole frames, resized to the clip
    small: float = 0.15  # of the cropped: the whole frame may be seen, framed by one colour
    scaled: float = 0.0  # of the whole: made up to a quarter larger or smaller about the middle
    turned: float = 0.5  # by about 7 degrees
    mirrored: float = 0.5
    moved: float = 0.5  # the view moves a little from frame to frame
    light: float = 1.0  # colour, brightness and contrast change, between frames, too
    lens: float = 1.0  # there may be defocus, noise and compression
