"""Models written by hand, whose answers are known: what they show of the plumbing needs no training and no PyTorch."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.runtime.model_info import ModelInfo
from studies.quickstart.synthetic_motion import generate_motion

T, K = 9, 17


def make_info(**changes) -> ModelInfo:
    fields = dict(
        input="2d",
        output="target",
        keypoint_set="h36m_17",
        window=T,
        frame_step=1,
        fps=30.0,
        mask_tokens=True,
        made_by="a test",
        config="none.py",
        checkpoint="none.pth",
    )
    return ModelInfo(**(fields | changes))


@pytest.fixture(scope="session")
def write_model(tmp_path_factory):
    """A function that writes a model and gives its path: z is 1 where the keypoint is masked; x is the shown x + 0.25,
    which a mirror takes to -x + 0.25; y is the shown y. One that takes 3D gives the shown z."""

    def write(metadata=None, **changes):
        info = make_info(**changes)
        sequence, channels = info.output == "sequence", int(info.input[0])
        frames = ["batch", T] if sequence else ["batch"]
        nodes = [helper.make_node("Add", ["keypoints", "shift"], ["shifted"])]
        nodes.append(helper.make_node("Cast", ["masked"], ["number"], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Unsqueeze", ["number", "last"], ["depth"]))
        whole = "poses" if sequence else "whole"
        added = ["shifted", "depth"] if info.input == "2d" else ["shifted"]
        nodes.append(helper.make_node("Concat", added, [whole], axis=3))
        if not sequence:
            nodes.append(helper.make_node("Gather", ["whole", "middle"], ["poses"], axis=1))
        constants = dict(shift=np.float32([0.25, 0, 0][:channels]), last=np.int64([-1]), middle=np.int64(T // 2))
        graph = helper.make_graph(
            nodes,
            "known",
            [
                helper.make_tensor_value_info("keypoints", TensorProto.FLOAT, ["batch", T, K, channels]),
                helper.make_tensor_value_info("masked", TensorProto.BOOL, ["batch", T, K]),
            ],
            [helper.make_tensor_value_info("poses", TensorProto.FLOAT, [*frames, K, 3])],
            [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        helper.set_model_props(model, info.to_metadata() if metadata is None else metadata)
        path = tmp_path_factory.mktemp("models") / "known.onnx"
        onnx.save(model, path)
        return path

    return write


@pytest.fixture(scope="session")
def model_file(write_model):
    return write_model()


@pytest.fixture(scope="session")
def clip():
    """One second of walking as a camera sees it."""
    return next(project_views(generate_motion("walking", 1.0, 30, 0), cameras=1))


@pytest.fixture
def keypoint_file(clip, tmp_path):
    """The clip as MMPose writes it, with a person who leaves for ten frames and a wrist that is never found."""
    instances = []
    for frame, keypoints in enumerate(clip.keypoints):
        scores = np.ones(K)
        scores[16] = 0.0
        person = dict(keypoints=keypoints.tolist(), keypoint_scores=scores.tolist(), track_id=7)
        instances.append(dict(frame_id=frame, instances=[] if 10 <= frame < 20 else [person]))
    path = tmp_path / "walk.json"
    meta = dict(dataset_name="h36m", num_keypoints=K)
    path.write_text(json.dumps(dict(meta_info=meta, instance_info=instances)))
    return path
