from pathlib import Path

import mmpose
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import MODELS

from mpm_mmpose.apis import pose2d as pose2d_module
from mpm_mmpose.apis.pose2d import Pose2D, body_keypoints, surest
from mpm_mmpose.errors import UsageError

MIM = Path(mmpose.__file__).parent / ".mim"
ZOO = MIM / "configs/body_2d_keypoint"
RTMPOSE = ZOO / "rtmpose/body8/rtmpose-t_8xb256-420e_body8-256x192.py"
DETECTOR = MIM / "demo/mmdetection_cfg/rtmdet_nano_320-8xb32_coco-person.py"


def random_weights(config: Path, path: Path, scope: str = "mmpose") -> Path:
    from mmdet.registry import MODELS as DETECTORS

    cfg = Config.fromfile(config)
    cfg.model.backbone.init_cfg = None
    init_default_scope(scope)
    torch.manual_seed(0)
    model = (MODELS if scope == "mmpose" else DETECTORS).build(cfg.model)
    state = model.state_dict()
    for name in state:  # a detector that is sure of nothing
        if "rtm_cls" in name:
            state[name] = torch.full_like(state[name], -10.0 if name.endswith("bias") else 0.0)
    torch.save(dict(state_dict=state, meta={}), path)
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return random_weights(RTMPOSE, tmp_path_factory.mktemp("2d") / "rtmpose.pth")


def test_whole_image_is_one_person(weights):
    model = Pose2D(RTMPOSE, weights, "whole_image", device="cpu")
    people = model(np.random.default_rng(0).integers(0, 255, (256, 192, 3), np.uint8))
    assert model.keypoint_set == "coco_17"
    assert people.keypoints.shape == (1, 17, 2) and people.scores.shape == (1, 17)
    np.testing.assert_array_equal(people.boxes, [[0, 0, 192, 256]])
    assert all(array.dtype == np.float32 and np.isfinite(array).all() for array in people)


def test_without_a_box_there_is_nobody(weights, tmp_path):
    """MMPose's own inferencer would take the whole image for a person."""
    detector = random_weights(DETECTOR, tmp_path / "rtmdet.pth", "mmdet")
    people = Pose2D(RTMPOSE, weights, DETECTOR, detector, "cpu")(np.zeros((128, 128, 3), np.uint8))
    assert [array.shape for array in people] == [(0, 17, 2), (0, 17), (0, 4)]


def test_boxes_of_people_that_are_sure_enough_and_not_twice(weights):
    model = Pose2D(RTMPOSE, weights, "whole_image", device="cpu")
    boxes = [[0, 0, 50, 100], [2, 0, 52, 100], [200, 0, 250, 100], [300, 0, 350, 100], [100, 0, 150, 100]]
    found = dict(bboxes=boxes, scores=[0.9, 0.8, 0.7, 0.2, 0.9], labels=[0, 0, 0, 0, 2])
    instances = type("Instances", (), {name: np.array(value) for name, value in found.items()})
    instances.cpu = instances.numpy = lambda *_: instances
    sample = type("Sample", (), dict(pred_instances=instances))
    model.detector = lambda image, return_datasamples: dict(predictions=[sample])
    np.testing.assert_array_equal(model._boxes(None), [boxes[0], boxes[2]])


def test_models_that_find_people_themselves():
    keypoints = np.arange(3 * 17 * 2, dtype=np.float32).reshape(3, 17, 2)
    scores = np.ones((3, 17), np.float32)
    found = InstanceData(keypoints=keypoints, keypoint_scores=scores, bbox_scores=np.array([0.9, 0.2, 0.8]))
    sure = surest(found)
    np.testing.assert_array_equal(sure.keypoints, keypoints[[0, 2]])
    np.testing.assert_array_equal(sure.bboxes, [[0, 1, 32, 33], [68, 69, 100, 101]])


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        ("coco", ("coco_17", 17)),
        ("coco_wholebody", ("coco_17", 17)),
        ("halpe26", ("halpe_26", 26)),
        ("h36m", ("h36m_17", 17)),
    ],
)
def test_keypoints_of_models(dataset, expected):
    meta = parse_pose_metainfo(dict(from_file=f"{MIM}/configs/_base_/datasets/{dataset}.py"))
    assert body_keypoints("model", meta) == expected


@pytest.mark.parametrize("dataset", ["ap10k", "crowdpose", "coco_wholebody_hand"])
def test_other_keypoints_are_refused(dataset):
    meta = parse_pose_metainfo(dict(from_file=f"{MIM}/configs/_base_/datasets/{dataset}.py"))
    with pytest.raises(UsageError, match="some_model: its keypoints are those of .* which are not read"):
        body_keypoints("some_model", meta)


def test_names_and_configs_that_cannot_be_meant(weights):
    with pytest.raises(UsageError, match="2D model 'rtmpose-m_8xb256_body8' is not known; did you mean 'rtmpose-m_8xb"):
        Pose2D("rtmpose-m_8xb256_body8")
    with pytest.raises(UsageError, match="detector 'rtmdet-q' is not known; did you mean 'rtmdet-"):
        Pose2D("human", detector="rtmdet-q")
    with pytest.raises(UsageError, match="a 2D model that is given as a config file needs its weights"):
        Pose2D(RTMPOSE)
    with pytest.raises(UsageError, match=r"no\.pth: no such file of weights"):
        Pose2D("human", "no.pth")
    with pytest.raises(UsageError, match=r"no\.py: no such config file of a 2D model"):
        Pose2D("no.py", weights)


@pytest.mark.parametrize("name", ["rtmpose-m_8xb256-420e_body8-256x192", "human", "rtmo", "vitpose-h"])
def test_names_and_aliases_of_the_zoo_go_to_mmpose(monkeypatch, name):
    asked = []

    def inferencer(*arguments, **options):
        asked.append(arguments)
        raise ConnectionError("no network here")

    monkeypatch.setattr(pose2d_module, "Pose2DInferencer", inferencer)
    with pytest.raises(OSError, match=rf"the weights of {name} .* cannot be fetched \(no network here\)"):
        Pose2D(name, device="cpu")
    assert asked == [(name, None, "cpu")]
