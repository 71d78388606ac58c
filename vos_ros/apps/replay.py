# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A recorded run again: follow objects through the images of a bag, and keep the masks in a bag.

    python -m vos_ros replay BAG --first-frame first.png          # the image to draw the mask on
    python -m vos_ros replay BAG --mask mask.png --out BAG_masks  # offline: every image
    python -m vos_ros replay BAG --mask mask.png --rate 1         # through the node that runs

Offline needs neither ROS nor a node: no image is left out, and the same bag gives the same masks
to the last bit. With --rate the images are published at the pace of the recording, and the masks
are those of the running node, which leaves out images that it has no time for.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

from vos_ros.apps.replay_images import FirstImage, images
from vos_ros.apps.replay_options import Options, parser, read_options
from vos_ros.apps.termination import Terminated, terminable
from vos_ros.data.image_files import ImageFileError
from vos_ros.recordings.bag import Bag, Topic
from vos_ros.recordings.errors import RecordingError
from vos_ros.recordings.messages import stamp_text
from vos_ros.ros.images import ImageError


def main(argv: Sequence[str] | None = None) -> int:
    """Replay a bag.

    Returns 0 for success, 1 when the bag, the mask or the node did not do, 2 for a command line
    that makes no replay, and 128 and the signal's number when SIGINT or SIGTERM ended it.
    """
    given = parser().parse_args(argv)
    try:
        options = read_options(given)
    except (RecordingError, ImageFileError) as error:
        print(f"replay: {error}", file=sys.stderr)
        return 2
    try:
        with terminable():
            _replay(options)
    except ValueError as error:  # of the bag, the mask, the weights or a setting: each a sentence
        print(f"replay: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("replay: stopped", file=sys.stderr)
        return 128 + signal.SIGINT
    except Terminated:
        print("replay: terminated", file=sys.stderr)
        return 128 + signal.SIGTERM
    return 0


def _replay(options: Options) -> None:
    with Bag(options.bag) as bag:
        topic = bag.image_topic(options.topic)
        if options.first_frame is not None:
            _write_first_frame(bag, topic, options)
        elif options.rate:
            from vos_ros.apps.replay_live import play

            print(play(bag, topic, options))
        else:
            from vos_ros.apps.replay_offline import describe, replay  # PyTorch, only now

            print(describe(replay(bag, topic, options), options))


def _write_first_frame(bag: Bag, topic: Topic, options: Options) -> None:
    from PIL import Image

    assert options.first_frame is not None
    first = FirstImage(options.frame, options.stamp)
    image = next((image for image in images(bag, topic) if first.is_it(image)), None)
    if image is None:
        raise first.missing(topic)
    try:
        rgb = image.rgb()
        Image.fromarray(rgb).save(options.first_frame, format="PNG")
    except (ImageError, OSError) as error:
        raise RecordingError(f"the image cannot be written. {error}") from error
    height, width = rgb.shape[:2]
    print(
        f"Image {image.number} of {topic.name}, stamp {stamp_text(image.stamp)}, is in"
        f" '{options.first_frame}', {width}x{height} pixels."
    )


if __name__ == "__main__":
    sys.exit(main())
