"""Smaller numbers in an ONNX file: half precision, or whole numbers for the weights of its matrix products."""

from __future__ import annotations

import logging
from pathlib import Path

from ..apis.errors import UsageError

PRECISIONS = ("float32", "float16", "int8")


def convert(path: Path, precision: str) -> None:
    """Rewrite the ONNX file at ``path``, which is float32; inputs and outputs stay float32.

    float16: all numbers in between, for GPUs. int8: the weights of matrix products, with a scale a channel, and what
    they are multiplied with on the fly (dynamic quantisation), for CPUs. Raises UsageError where a package is missing.
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
    if precision == "float16":
        onnx.save(convert_float_to_float16(model, keep_io_types=True), path)
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
