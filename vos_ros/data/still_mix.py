# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What clips from stills are made of, in shares."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StillMix:
    """Each figure is a share, 0 to 1, of the clips unless it says otherwise.

    replaced: the object is cut out and put over another photograph, at any size.
    moved: the object moves in its own photograph, its place filled, unless it is large. In the rest
        the camera moves.
    """

    replaced: float = 0.5
    moved: float = 0.2
    invented: float = 0.07  # the target is a shape cut from a photograph of anything
    rods: float = 0.1  # of the cut-out targets: with thin parts attached
    camouflage: float = 0.15  # of the replaced: recoloured towards the scenery
    echo: float = 0.12  # of the cut-out targets: with a shadow or a reflection, which is background
    others: float = 1.0  # other objects may be pasted before and behind the target
    look_alike: float = 0.25  # of the other objects pasted
    shapes: float = 0.15  # of the other objects pasted: invented shapes, poles, haze
    crossing: float = 0.35  # of the other objects: on a way that crosses the target's
    excursion: float = 0.12  # of the replaced: the target leaves the frame and returns
    bending: float = 0.8  # of the cut-out objects: bent as a thin plate
    swinging: float = 0.35  # of the bent: a part swings about a joint, as a limb
    scenery: float = 0.3  # the scenery is bent a little
    cropped: float = 1.0  # a part of the scenery is shown; in the rest all of it, resized
    blur: float = 0.2  # what moves is blurred by it
    fast: float = 0.15  # of all that moves: hectic
    light: float = 1.0  # colour, brightness and contrast change, between frames, too
    lens: float = 1.0  # there may be defocus, noise and compression
