"""Smaller numbers in an ONNX file: half precision, in it or on disk only, or whole numbers for its matrix products."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import UsageError

if TYPE_CHECKING:
    import onnx

PRECISIONS = ("float32", "float16", "int8", "stored_float16")
FEWEST = 1024  # numbers of a weight that is worth storing shorter


def convert(path: Path, precision: str) -> None:
    """Rewrite the ONNX file at ``path``, which is float32; inputs and outputs stay float32.

    float16: all numbers in between, for GPUs. int8: the weights of matrix products, with one scale per channel, and
    what they are multiplied with on the fly (dynamic quantisation), for CPUs. stored_float16: weights are stored in
    half precision and computed with in float32, for half the size at the same speed. Raises UsageError where a package
    is missing.
    """
    if precision == "float32":
        return
    try:
        import onnx
        from onnxruntime.quantization import QuantType, quantize_dynamic
        from onnxruntime.transformers.float16 import convert_float_to_float16
    except ImportError as error:
        raise UsageError(f"precision {precision} needs {error.name}: pip install onnx onnxruntime") from None
    model = onnx.load(path)
    if precision == "stored_float16":
        _store_shorter(model.graph)
        onnx.save(model, path)
        return
    if precision == "float16":
        model = convert_float_to_float16(model, keep_io_types=True)
        _drop_second_casts(model.graph)
        onnx.save(model, path)
        return
    del model.graph.value_info[:]  # shapes in between, which turned weights no longer fit
    said = {entry.key: entry.value for entry in model.metadata_props}
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # it asks on the root logger for a preparation that changes nothing here
    try:
        quantize_dynamic(model, path, weight_type=QuantType.QInt8, per_channel=True)
    finally:
        root.setLevel(level)
    model = onnx.load(path)
    onnx.helper.set_model_props(model, said)
    onnx.save(model, path)


def _drop_second_casts(graph: onnx.GraphProto) -> None:
    """Leave one of several nodes that make the same value: the converter casts what two nodes take, twice."""
    made: set[str] = set()
    for node in list(graph.node):
        if made.issuperset(node.output):
            graph.node.remove(node)
        made.update(node.output)


def _store_shorter(graph: onnx.GraphProto) -> None:
    """Put a cast from float16 behind every large weight; ONNX Runtime does it once, when it opens the file."""
    from onnx import TensorProto, helper, numpy_helper

    for index, weight in enumerate(graph.initializer):
        values = numpy_helper.to_array(weight)
        if weight.data_type != TensorProto.FLOAT or values.size < FEWEST:
            continue
        name, short = weight.name, f"{weight.name}_float16"
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), short))
        cast = helper.make_node("Cast", [short], [name], name=f"{name}_cast_{index}", to=TensorProto.FLOAT)
        graph.node.insert(0, cast)
