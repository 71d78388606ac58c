# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write a policy for SROS 2: who may do what with the nodes of a robot.

    python -m vos_ros policy /robot/vos=/camera/image_raw > policy.xml
    python -m vos_ros policy front=/front/image_raw rear=/rear/image_raw > policy.xml

The node's own rules, and those of programs beside it, are those of config/sros2_policy.xml, with
the names of the nodes and of their cameras' topics. What is called otherwise on your robot, such as
the depth camera's topic or that of the base's commands, is to be changed in what comes out.
"""

from __future__ import annotations

import argparse
import copy
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from vos_ros.share import share_path

TEMPLATE = "config/sros2_policy.xml"

_NODE = re.compile(r"(/?(?:[A-Za-z]\w*/)*)([A-Za-z]\w*)", re.ASCII)
_TOPIC = re.compile(r"/?[A-Za-z]\w*(/[A-Za-z]\w*)*", re.ASCII)
#: what the template calls the node
_OWN = "/vos"


@dataclass(frozen=True)
class GuardedNode:
    """One node that follows objects.

    Attributes:
        namespace: that it is in: /, or such as /robot.
        name: its own.
        topic: of its camera's images, in its namespace unless a slash is in front.
    """

    namespace: str
    name: str
    topic: str

    @classmethod
    def read(cls, text: str) -> GuardedNode:
        """From NODE or NODE=TOPIC; ValueError, with a sentence, when it is neither."""
        node, equals, topic = text.partition("=")
        found = _NODE.fullmatch(node)
        if found is None or (equals and not _TOPIC.fullmatch(topic)):
            raise ValueError(
                f"'{text}' is no node; write its name, with its namespace if it has one, and the"
                " topic of its images, such as /robot/front=/front/image_raw"
            )
        return cls(f"/{found[1].strip('/')}", found[2], topic or "image")

    @property
    def path(self) -> str:
        """Its whole name."""
        return f"{self.namespace.rstrip('/')}/{self.name}"

    def seen_from(self, namespace: str, name: str) -> str:
        """A name of the template as it is for this node, in a profile of a namespace."""
        if name.startswith(f"{_OWN}/"):
            return self.path + name.removeprefix(_OWN)
        own = self.own(name)
        if own.startswith("/") or namespace == self.namespace:
            return own
        return f"{self.namespace.rstrip('/')}/{own}"

    def own(self, name: str) -> str:
        """A name of the template as it is for this node, where its own need no namespace."""
        if name == "image" or name.startswith("image/"):
            return self.topic + name.removeprefix("image")
        if name == "camera_info":
            return self.topic.rpartition("/")[0] + "/camera_info" if "/" in self.topic else name
        return name


def policy(nodes: Sequence[GuardedNode], enclave: str = _OWN) -> ElementTree.Element:
    """The policy for nodes of one process, and for programs that use them.

    Args:
        nodes: one or more.
        enclave: of their process; those of the other programs stay as they are in the template.
    """
    root = ElementTree.parse(share_path(TEMPLATE)).getroot()
    for place in root.iter("enclave"):
        (profiles,) = place.iter("profiles")
        (profile,) = profiles
        if place.get("path") == _OWN:
            place.set("path", enclave)
            profiles[:] = [_profile_of(node, profile) for node in nodes]
        else:
            profile.set("ns", nodes[0].namespace)
            for rules in profile:
                rules[:] = list(_rules_for(nodes, rules))
    ElementTree.indent(root)
    return root


def _profile_of(node: GuardedNode, template: ElementTree.Element) -> ElementTree.Element:
    profile = copy.deepcopy(template)
    profile.set("ns", node.namespace)
    profile.set("node", node.name)
    for entry in profile.iter("topic"):
        entry.text = node.own(entry.text or "")
    return profile


def _rules_for(
    nodes: Sequence[GuardedNode], rules: ElementTree.Element
) -> Iterator[ElementTree.Element]:
    """What another program may do with one node, for each of the nodes."""
    for entry in rules:
        name = entry.text or ""
        every = name.startswith((f"{_OWN}/", "image"))
        names = [node.seen_from(nodes[0].namespace, name) for node in nodes] if every else [name]
        for each in dict.fromkeys(names):
            made = ElementTree.Element(entry.tag)
            made.text = each
            yield made


def main(argv: Sequence[str] | None = None) -> int:
    """Returns 0 when a policy was written, and 2 for a name that is none."""
    parser = _parser()
    given = parser.parse_args(argv)
    try:
        nodes = [GuardedNode.read(text) for text in given.nodes or ["vos"]]
    except ValueError as error:
        parser.error(str(error))
    if len({node.path for node in nodes}) < len(nodes):
        parser.error("two nodes have the same name; give each its own")
    text = ElementTree.tostring(policy(nodes, given.enclave), encoding="unicode")
    print(f'<?xml version="1.0" encoding="UTF-8"?>\n{text}')
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="policy", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("nodes", nargs="*", metavar="NODE[=TOPIC]",
                        help="nodes of one process, and the topics of their images; `vos` if none "
                             "is given")  # fmt: skip
    parser.add_argument("--enclave", default=_OWN,
                        help="of that process (default: %(default)s)")  # fmt: skip
    return parser


if __name__ == "__main__":
    sys.exit(main())
