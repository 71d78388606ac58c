# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`centroid` beside a node that follows: points over DDS, and what is said where there are none."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields

import numpy as np
import pytest
from geometry_msgs.msg import PointStamped
from sensor_msgs.msg import CameraInfo, Image
from stage import HEIGHT, WIDTH, Stage, header, order
from std_msgs.msg import Header

from vos_ros.apps import centroid_node
from vos_ros.apps.centroid import Options
from vos_ros.apps.centroid_node import CentroidNode
from vos_ros.apps.node_options import OptionError
from vos_ros.ros import qos

FX, FY, CX, CY = 50.0, 55.0, 31.5, 23.5
DEPTHS = {1: 0.5, 2: 1.25, 3: 4.0}
LEFT = {1: 4, 2: 20, 3: 36}


def calibration(head: Header, width: int = WIDTH, focal: float = FX) -> CameraInfo:
    info = CameraInfo(header=head, width=width, height=HEIGHT, distortion_model="plumb_bob")
    info.k = [focal, 0.0, CX, 0.0, FY, CY, 0.0, 0.0, 1.0]
    return info


def depth_image(head: Header, encoding: str = "16UC1") -> Image:
    """Every square at a depth of its own, its edge at the wall behind."""
    metres = np.full((HEIGHT, WIDTH), 8.0)
    for object_id, left in LEFT.items():
        metres[21:29, left + 1 : left + 9] = DEPTHS[object_id]
    pixels = metres.astype("<f4") if encoding == "32FC1" else np.rint(1000 * metres).astype("<u2")
    image = Image(header=head, height=HEIGHT, width=WIDTH, encoding=encoding)
    image.step = pixels.itemsize * WIDTH
    image.data.frombytes(pixels.tobytes())
    return image


def expected(object_id: int) -> tuple[float, float, float]:
    """Where a square's middle is: 4.5 pixels from its left edge, 24.5 from the image's top."""
    z = DEPTHS[object_id]
    return (LEFT[object_id] + 4.5 - CX) / FX * z, (24.5 - CY) / FY * z, z


class Scene:
    """A node that follows three squares, a depth camera, and `centroid`."""

    def __init__(self, stage: Stage, **options: object) -> None:
        self.stage = stage.activate()
        client = stage.client
        self.points: list[PointStamped] = []
        self.info = client.create_publisher(CameraInfo, "camera_info", qos.camera())
        self.depth = client.create_publisher(Image, "depth", qos.camera())
        client.create_subscription(
            PointStamped, "centroid/point", self.points.append, qos.results()
        )
        defaults = {field.name: field.default for field in fields(Options)} | options
        self.node = CentroidNode(
            defaults, context=client.context, namespace=stage.node.get_namespace()
        )
        stage.executor.add_node(self.node)
        stage.until(self.info.get_subscription_count, "the calibration to be wanted")
        stage.until(self.depth.get_subscription_count, "the depth to be wanted")
        stage.until(lambda: stage.client.count_subscribers("vos/mask") == 2)
        stage.send(0)
        assert stage.call(order()).success
        stage.mask_of(0)

    def send(
        self,
        number: int,
        objects: tuple[int, ...] = (1, 2, 3),
        depth: Image | None = None,
        info: CameraInfo | None = None,
    ) -> None:
        """Send what a camera sends of one moment, and wait for its mask."""
        self.info.publish(info or calibration(header(number)))
        self.depth.publish(depth or depth_image(header(number)))
        relay = self.stage.node._pipeline._camera_info
        self.stage.until(lambda: relay._known.of_image(0, WIDTH, HEIGHT) or info)
        self.stage.send(number, objects)
        self.stage.mask_of(number)

    def point(self, number: int) -> tuple[float, float, float]:
        """Wait for the point of an image's mask."""

        def found() -> PointStamped | None:
            return next((p for p in self.points if p.header == header(number)), None)

        self.stage.until(found, f"the point of image {number}")
        point = found().point
        return point.x, point.y, point.z


@pytest.fixture
def make_scene(make_stage: Callable[..., Stage]) -> Iterator[Callable[..., Scene]]:
    scenes: list[Scene] = []

    def make(**options: object) -> Scene:
        scenes.append(Scene(make_stage(), **options))
        return scenes[-1]

    yield make
    for scene in scenes:
        scene.stage.executor.remove_node(scene.node)
        scene.node.destroy_node()


@pytest.mark.parametrize("encoding", ["16UC1", "32FC1"])
@pytest.mark.parametrize("object_id", [1, 3])
def test_the_point_is_the_objects_with_the_masks_header(
    make_scene: Callable[..., Scene], encoding: str, object_id: int
) -> None:
    scene = make_scene(id=object_id)
    for number in (1, 2):
        scene.send(number, depth=depth_image(header(number), encoding))
        assert scene.point(number) == pytest.approx(expected(object_id), rel=1e-5)
    assert [point.header for point in scene.points] == [header(1), header(2)]


def test_an_object_out_of_sight_has_no_point(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene(id=2)
    scene.send(1, objects=(1, 3))
    scene.send(2)
    assert scene.point(2) == pytest.approx(expected(2), rel=1e-5)
    assert len(scene.points) == 1


WRONG = [
    ("depth image is 64 x 24", {"depth": lambda head: half(depth_image(head))}),
    ("encoding is 'rgb8'", {"depth": lambda head: Image(header=head, encoding="rgb8")}),
    ("camera is not calibrated", {"info": lambda head: calibration(head, focal=0.0)}),
]  # fmt: skip


def half(image: Image) -> Image:
    image.height //= 2
    return image


@pytest.mark.parametrize(("words", "wrong"), WRONG, ids=[words for words, _ in WRONG])
def test_what_does_not_fit_is_told_and_the_next_is_taken(
    make_scene: Callable[..., Scene], words: str, wrong: dict, capfd: pytest.CaptureFixture[str]
) -> None:
    scene = make_scene()
    scene.send(1, **{name: make(header(1)) for name, make in wrong.items()})
    scene.send(2)
    assert scene.point(2) == pytest.approx(expected(1), rel=1e-5)
    assert len(scene.points) == 1
    assert words in capfd.readouterr().err


def test_what_is_missing_is_said_and_stamps_that_differ_may_be_allowed_for(
    make_scene: Callable[..., Scene],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(centroid_node, "HINT_SECONDS", 0.02)
    scene = make_scene()
    said: list[str] = []

    def told(words: str) -> bool:
        said.append(capfd.readouterr().err)
        return words in "".join(said)

    base = scene.stage.node.get_namespace()
    scene.stage.until(lambda: told(f"Nothing has come on {base}/depth: is `depth` the topic"))
    scene.send(1, depth=depth_image(header(50)))
    scene.stage.until(lambda: told(f"{base}/vos/mask and {base}/depth have no stamps in common"))
    assert "allow for it with --slop; it is 0 s now" in "".join(said)
    assert scene.points == []


def test_with_slop_the_nearest_depth_is_taken(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene(slop=0.06)  # images are 0.1 s apart
    late = header(1)
    late.stamp.nanosec += 40_000_000
    scene.send(1, depth=depth_image(late))
    assert scene.point(1) == pytest.approx(expected(1), rel=1e-5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"id": 0}, "an id lies in 1..255, not 0"),
        ({"depth": ""}, "node and depth need a name each"),
        ({"unit": 0.0}, "the unit is above 0 and up to 1 m, not 0.0"),
        ({"slop": float("nan")}, "the slop lies in 0..10 s, not nan"),
        ({"erode": -1}, "erode lies in 0..100 pixels, not -1"),
        ({"fewest": 0}, "at least one pixel is needed, not 0"),
    ],
)
def test_an_impossible_option_is_told(options: dict[str, object], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        Options(**options)


def run(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "vos_ros", "centroid", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def test_a_bad_option_or_parameter_ends_it_with_a_sentence() -> None:
    for arguments in (["--erode", "-1"], ["--ros-args", "-p", "erode:=-1"]):
        child = run(*arguments)
        said, _ = child.communicate(timeout=60)
        assert child.returncode == 2
        assert said.strip() == "centroid: erode lies in 0..100 pixels, not -1"


def test_a_name_that_is_none_is_told_without_a_trace() -> None:
    child = run("--depth", "two words")
    said, _ = child.communicate(timeout=60)
    assert child.returncode == 2
    assert said.startswith("centroid: Invalid topic name: ") and "Traceback" not in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it(number: int, make_stage: Callable[..., Stage]) -> None:
    stage = make_stage()
    topic = f"{stage.node.get_namespace()}/away"
    child = run("--depth", topic)
    try:
        stage.until(lambda: stage.client.count_subscribers(topic) or child.poll() is not None)
        child.send_signal(number)
        said, _ = child.communicate(timeout=60)
    finally:
        child.kill()
        child.wait()
    assert (child.returncode, said) == (0, "")
