# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""All protocols, by the name that `--dataset` takes."""

from __future__ import annotations

from vos_ros.evaluation.davis2016 import Davis2016
from vos_ros.evaluation.davis2017 import Davis2017
from vos_ros.evaluation.folder import Folder
from vos_ros.evaluation.protocol import Protocol
from vos_ros.evaluation.segtrack_v2 import SegTrackV2
from vos_ros.evaluation.youtube_vos import YouTubeVos

PROTOCOLS: dict[str, type[Protocol]] = {
    protocol.name: protocol for protocol in (Davis2016, Davis2017, YouTubeVos, SegTrackV2, Folder)
}
