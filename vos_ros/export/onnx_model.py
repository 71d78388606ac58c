# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a function of tensors to the bytes of an ONNX file."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import onnx
import torch
from torch.export import Dim

from vos_ros import __version__
from vos_ros.export.graphs import ExportGraph
from vos_ros.export.settings import MOST_OBJECTS

#: what the axis of the objects is called where their number is open
OBJECTS = "objects"

#: where PyTorch tells of what it does without, which concerns nobody here
_TALKATIVE = "torch.onnx._internal.exporter"


def onnx_bytes(
    graph: ExportGraph, open_objects: bool, opset: int, about: Mapping[str, str]
) -> bytes:
    """An ONNX model of a function.

    It tells nothing of the machine that wrote it.

    Args:
        graph: the function, in float32 on the CPU.
        open_objects: whether the number of objects is left open.
        opset: version of ONNX's operations.
        about: metadata for the file.
    """
    axes = {1: Dim(OBJECTS, min=1, max=MOST_OBJECTS)} if open_objects else {}
    shapes = graph.nested([{}, *(axes for _ in graph.example[1:])])
    with _quiet(), torch.no_grad():
        program = torch.export.export(graph, graph.example, dynamic_shapes=shapes)
        written = torch.onnx.export(
            program,
            dynamo=True,
            verbose=False,
            opset_version=opset,
            input_names=graph.inputs,
            output_names=graph.outputs,
        )
    assert written is not None
    model = written.model_proto
    _forget_origin(model)
    _name_axis(model)
    onnx.helper.set_model_props(model, dict(about))
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing is said of packages that are not needed, nor of what PyTorch will change of itself.

    Filters of warnings are those of the whole process: no other thread should be at work.
    """
    logger = logging.getLogger(_TALKATIVE)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logger.setLevel(level)


def _forget_origin(model: onnx.ModelProto) -> None:
    """Remove what PyTorch notes for its developers: lines of source code, where they lay."""
    graph = model.graph
    parts = [graph.node, graph.input, graph.output, graph.value_info, graph.initializer]
    for message in (model, graph, *(message for part in parts for message in part)):
        message.ClearField("metadata_props")
        message.ClearField("doc_string")
    model.producer_name, model.producer_version = "vos_ros", __version__


def _name_axis(model: onnx.ModelProto) -> None:
    """Give the open axis the name that people know it by; PyTorch numbers such axes."""
    graph = model.graph
    axes = [axis for value in graph.input for axis in value.type.tensor_type.shape.dim]
    symbols = {axis.dim_param for axis in axes} - {""}
    for value in (*graph.input, *graph.output, *graph.value_info):
        for axis in value.type.tensor_type.shape.dim:
            for symbol in symbols:
                if axis.dim_param:
                    axis.dim_param = axis.dim_param.replace(symbol, OBJECTS)
