# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`~/save_targets` and `~/load_targets`: what is taught to one node is known to the next."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace

import numpy as np
import pytest
import stage as stage_module
from rclpy.parameter import Parameter
from safetensors import safe_open
from scene import Scene
from scenes import iou
from stage import Stage, header, order, picture, truth

from vos_msgs.srv import InitMask, LoadTargets, RemoveObject, SaveTargets
from vos_ros.ros import file_thread, target_files
from vos_ros.ros.images import labels_to_message, rgb_to_message
from vos_ros.ros.model import build_segmenter
from vos_ros.ros.requests import RequestError
from vos_ros.ros.target_files import targets_folder


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "taught"


@pytest.fixture
def stage(make_stage, folder):
    return make_stage(targets_directory=str(folder)).activate()


def teach(stage, objects=(1, 3), names=("cup", "")):
    """Show objects, named, on an image of the camera."""
    stage.send(1)
    answer = stage.call(order(objects, 1, names=list(names)))
    assert answer.success, answer.message


def save(stage, name="kitchen"):
    answer = stage.call(SaveTargets.Request(name=name))
    assert answer.success, answer.message
    return answer


def test_after_a_restart_the_objects_are_followed_again_without_a_mask(stage, make_stage, folder):
    teach(stage)
    answer = save(stage)
    assert list(answer.ids) == [1, 3]
    assert answer.message == f"What was learned of 1, 3 is in {folder}/kitchen.safetensors."
    other = make_stage(targets_directory=str(folder)).activate()
    answer = other.call(LoadTargets.Request(name="kitchen"))
    assert answer.success and (list(answer.ids), answer.names) == ([1, 3], ["cup", ""])
    assert answer.message == (
        "Following 1, 3; 1, 3 of 'kitchen' will be searched for in the next image."
    )
    assert other.presence_topics() == {1, 3}
    other.send(5)
    np.testing.assert_array_equal(other.mask_of(5), truth((1, 3)))
    other.until(lambda: other.presences)
    assert [(item.id, item.name) for item in other.presences[-1].objects] == [(1, "cup"), (3, "")]


class NetworkStage(Stage):
    """With the default network in the place of the colours."""

    def _make_segmenter(self, settings):
        return build_segmenter(settings)


def test_the_default_network_finds_it_on_another_ground(context, folder):
    rest = {"targets_directory": str(folder), "internal_size": 160, "device": "cpu"}
    here, there = Scene(seed=7), Scene(seed=7)
    there._ground = Scene(seed=8)._ground[:, ::-1].copy()
    stage = NetworkStage(context, "/taught_here", **rest).activate()
    try:
        stage.send_message(rgb_to_message(here.frame(0), header(0)))
        mask = labels_to_message(7 * here.truth(0), header(0))
        assert stage.call(InitMask.Request(mask=mask, names=["thing"])).success
        save(stage, "thing")
    finally:
        stage.close()
    stage = NetworkStage(context, "/followed_there", **rest).activate()
    try:
        answer = stage.call(LoadTargets.Request(name="thing"))
        assert answer.success, answer.message
        for number in (30, 31):
            stage.send_message(rgb_to_message(there.frame(number), header(number)))
            found = stage.mask_of(number)
        assert iou(found == 7, there.truth(31) > 0) > 0.9
        stage.until(lambda: stage.presences and stage.presences[-1].header == header(31))
        (item,) = stage.presences[-1].objects
        assert (item.id, item.name, item.present) == (7, "thing", True)
    finally:
        stage.close()


def test_a_small_picture_of_each_object_is_kept(stage, folder):
    teach(stage)
    save(stage)
    with safe_open(folder / "kitchen.safetensors", framework="np") as file:
        left = stage_module.PLACES[3][1]
        np.testing.assert_array_equal(
            file.get_tensor("thumbnail.3"), picture(1)[20:30, left : left + 10]
        )
        assert {name for name in file.keys() if "thumb" in name} == {"thumbnail.1", "thumbnail.3"}


def parts(path):
    """A file's description, and the bytes of its tensors."""
    content = path.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:end]), content[end:]


def test_names_and_pictures_are_kept_through_a_second_file(stage, make_stage, folder):
    """What comes from a file can be kept again, whole."""
    teach(stage)
    save(stage)
    other = make_stage(targets_directory=str(folder)).activate()
    assert other.call(LoadTargets.Request(name="kitchen")).success
    save(other, "copy")
    # Not byte by byte: safetensors writes the metadata in any order.
    kitchen, copy = (parts(folder / f"{name}.safetensors") for name in ("kitchen", "copy"))
    assert kitchen == copy


def test_those_followed_stay_when_that_is_asked_for(stage):
    teach(stage, (1, 2), ("cup", "spoon"))
    save(stage)
    stage.send(2)
    assert stage.call(order((2, 3), 2, names=["fork", "bowl"])).success
    answer = stage.call(LoadTargets.Request(name="kitchen", keep_existing=True))
    assert (list(answer.ids), answer.names) == ([1, 2, 3], ["cup", "spoon", "bowl"])
    stage.send(4)
    np.testing.assert_array_equal(stage.mask_of(4), truth((1, 2, 3)))
    answer = stage.call(LoadTargets.Request(name="kitchen"))
    assert (list(answer.ids), answer.names) == ([1, 2], ["cup", "spoon"])
    assert stage.presence_topics() == {1, 2}


def test_what_is_not_followed_any_more_is_not_kept(stage, folder):
    teach(stage)
    assert stage.call(RemoveObject.Request(id=1)).success
    save(stage)
    with safe_open(folder / "kitchen.safetensors", framework="np") as file:
        assert "thumbnail.1" not in file.keys()
        assert "cup" not in file.metadata()["objects"]


def refusal(stage, request):
    answer = stage.call(request)
    assert not answer.success and answer.message.endswith(".")
    return answer.message


def test_there_must_be_something_to_keep(stage, folder):
    assert "Nothing is followed" in refusal(stage, SaveTargets.Request(name="kitchen"))
    assert not folder.exists()


def test_an_inactive_node_says_so(make_stage, folder):
    stage = make_stage(targets_directory=str(folder))
    for request in (SaveTargets.Request(name="a"), LoadTargets.Request(name="a")):
        assert "is not configured" in refusal(stage, request)
    assert stage.change("configure")
    assert "not active" in refusal(stage, SaveTargets.Request(name="a"))


@pytest.mark.parametrize("name", ["", "../kitchen", "/etc/passwd", "a/b", "..", "x" * 5000])
def test_no_name_leads_out_of_the_folder(stage, folder, name):
    teach(stage)
    for kind in (SaveTargets, LoadTargets):
        assert "is no name for a file" in refusal(stage, kind.Request(name=name))
    assert not folder.exists()
    stage.send(2)
    np.testing.assert_array_equal(stage.mask_of(2), truth((1, 3)))


def test_a_file_of_other_weights_is_refused_and_what_is_followed_goes_on(
    stage, make_stage, folder, monkeypatch
):
    teach(stage)
    save(stage)
    card = replace(stage_module.CARD, sha256="0" * 64)
    monkeypatch.setattr(stage_module, "CARD", card)
    other = make_stage(targets_directory=str(folder)).activate()
    other.send(1)
    assert other.call(order((2,), 1)).success
    answer = other.call(LoadTargets.Request(name="kitchen"))
    assert not answer.success and list(answer.ids) == [2] and not answer.names
    assert "was made with other weights (c01041" in answer.message
    other.send(2)
    np.testing.assert_array_equal(other.mask_of(2), truth((2,)))


def test_more_objects_than_may_be_followed_are_refused(stage, make_stage, folder):
    teach(stage, (1, 2, 3), ("", "", ""))
    save(stage)
    other = make_stage(targets_directory=str(folder), max_objects=2).activate()
    assert "3 objects; at most 2" in refusal(other, LoadTargets.Request(name="kitchen"))


def test_an_absent_and_a_damaged_file_are_told(stage, folder):
    teach(stage)
    save(stage)
    assert f"called 'cup' in {folder}; there are: kitchen." in refusal(
        stage, LoadTargets.Request(name="cup")
    )
    path = folder / "kitchen.safetensors"
    path.write_bytes(path.read_bytes()[:-7])
    assert "is damaged" in refusal(stage, LoadTargets.Request(name="kitchen"))


def test_a_full_disk_is_told_and_leaves_the_old_file(stage, folder, monkeypatch):
    teach(stage)
    save(stage)
    before = (folder / "kitchen.safetensors").read_bytes()

    def full(descriptor):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    text = refusal(stage, SaveTargets.Request(name="kitchen"))
    assert "cannot be written: No space left on device; what was there before is as it was" in text
    assert (folder / "kitchen.safetensors").read_bytes() == before
    assert len(list(folder.iterdir())) == 1


def test_no_frame_waits_for_the_disk(stage, monkeypatch):
    """A disk that takes its time: masks go on, and so does the answer once it is done."""
    teach(stage)
    slow, written = threading.Event(), []

    def waiting(folder, **rest):
        assert slow.wait(30)
        written.append(rest["name"])
        return folder

    monkeypatch.setattr(target_files, "save_targets", waiting)
    answer = stage.ask(SaveTargets.Request(name="kitchen"))
    stage.send(2)
    np.testing.assert_array_equal(stage.mask_of(2), truth((1, 3)))
    assert not answer.done()
    slow.set()
    stage.until(answer.done)
    assert answer.result().success and written == ["kitchen"]


def test_a_disk_that_never_answers_does_not_keep_the_node(stage, monkeypatch):
    teach(stage)
    never = threading.Event()
    monkeypatch.setattr(target_files, "save_targets", lambda *_, **__: never.wait(30))
    monkeypatch.setattr(file_thread, "WAIT_SECONDS", 0.05)
    stage.ask(SaveTargets.Request(name="kitchen"))
    stage.send(2)
    stage.mask_of(2)
    assert stage.change("deactivate") and stage.change("cleanup")
    never.set()


def test_loading_does_not_go_back_to_an_older_image(stage):
    """Frames gone through already are not gone through again."""
    teach(stage)
    save(stage)
    stage.send(2)
    stage.mask_of(2)
    assert stage.call(LoadTargets.Request(name="kitchen")).success
    stage.send(3)
    stage.mask_of(3)
    assert stage.segmenter.seen == [1, 2, 3]
    assert [m.header for m in stage.masks][-1] == header(3)


def test_the_folder_is_below_the_home_of_ros_where_nothing_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("ROS_HOME", str(tmp_path))
    assert targets_folder("") == tmp_path / "vos_targets"
    monkeypatch.delenv("ROS_HOME")
    monkeypatch.setenv("HOME", "/home/robot")
    assert str(targets_folder("")) == "/home/robot/.ros/vos_targets"
    assert str(targets_folder("~/objects")) == "/home/robot/objects"
    assert str(targets_folder("/data/objects")) == "/data/objects"


def test_a_folder_below_a_home_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setattr(file_thread.Path, "expanduser", _homeless)
    with pytest.raises(RequestError, match="no home folder to find .* set the parameter targets_"):
        targets_folder("")


def _homeless(_):
    raise RuntimeError("Could not determine home directory.")


def test_where_the_folder_is_cannot_be_changed_from_outside(stage):
    """Else whoever may set parameters could have files written anywhere."""
    (result,) = stage.node.set_parameters([Parameter("targets_directory", value="/etc")])
    assert not result.successful
    assert stage.node.describe_parameter("targets_directory").read_only
