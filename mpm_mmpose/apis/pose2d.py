"""The 2D stage: people in one image, by any detector and any 2D model that MMPose knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.error import URLError

import numpy as np
import torch
from mmengine.infer import BaseInferencer
from mmengine.structures import InstanceData
from mmpose.apis import inference_bottomup, inference_topdown
from mmpose.apis.inferencers import Pose2DInferencer
from mmpose.evaluation.functional import nms

from ..errors import UsageError, unknown_name
from ..lifting.people import People, PeopleDetector
from ..pose.keypoints import COCO_17, get_keypoint_set
from ..readers.boxes import keypoint_boxes
from ..readers.keypoint_choice import SETS_BY_NUMBER
from .model_names import check_weights

#: Boxes with a lower score, and those that overlap further with a better one, are no people; as in MMPose.
MIN_BOX_SCORE, MAX_BOX_OVERLAP = 0.3, 0.3
WHOLE_IMAGE = "whole_image"
PERSON = 0  # the category of COCO's detectors


class Pose2D(PeopleDetector):
    """Finds people and their 2D keypoints in images.

    Args:
        model: a name or alias of MMPose's model zoo, or a config file.
        weights: those of the model: path or address; by default the published ones, which are fetched.
        detector: a name of MMDetection's model zoo, a config file, 'whole_image' for one person who fills the image, or
            None for MMPose's detector of people. Models that find people themselves take none.
        detector_weights: as ``weights``.
        device: by default the GPU where there is one.

    Raises:
        UsageError: a name that is not known, with the nearest, a config without weights, or a model whose keypoints
            are not those of a person.
        OSError: weights that cannot be fetched.
    """

    def __init__(
        self,
        model: str | Path,
        weights: str | Path | None = None,
        detector: str | Path | None = None,
        detector_weights: str | Path | None = None,
        device: str | torch.device | None = None,
    ) -> None:
        _check("2D model", "mmpose", model, weights)
        if detector not in (None, WHOLE_IMAGE):
            _check("detector", "mmdet", detector, detector_weights)
        try:
            inferencer = Pose2DInferencer(
                str(model),
                weights and str(weights),
                device and str(device),
                det_model=detector and str(detector),
                det_weights=detector_weights and str(detector_weights),
                det_cat_ids=PERSON,
            )
        except (URLError, ConnectionError, TimeoutError) as error:
            raise OSError(
                f"the weights of {model} or of its detector cannot be fetched ({error}); fetch them by hand and give "
                "their paths as pose2d_weights and detector_weights"
            ) from None
        self.model, self.top_down = inferencer.model, inferencer.cfg.data_mode == "topdown"
        self.detector = getattr(inferencer, "detector", None)
        self.keypoint_set, self._number = body_keypoints(model, self.model.dataset_meta)

    def begin(self, fps: float) -> Callable[[np.ndarray], People]:
        """These models look at each image alone, so the recording does not matter."""
        return self

    def __call__(self, image: np.ndarray) -> People:
        """The people in an image (H, W, 3), uint8, BGR; none where the detector finds nobody."""
        if not self.top_down:
            samples = inference_bottomup(self.model, image)
        else:
            boxes = self._boxes(image)
            samples = inference_topdown(self.model, image, boxes) if len(boxes) else []
        found = [sample.pred_instances.cpu().numpy() for sample in samples]
        if not self.top_down:
            found = [surest(instances) for instances in found]
        found = [instances for instances in found if len(instances)]
        if not found:
            number = self._number
            return People(*(np.zeros((0, *shape), np.float32) for shape in ((number, 2), (number,), (4,))))
        keypoints = np.concatenate([instances.keypoints for instances in found])[:, : self._number, :2]
        scores = np.concatenate([instances.keypoint_scores for instances in found])[:, : self._number]
        boxes = np.concatenate([instances.bboxes for instances in found])
        return People(*(np.asarray(array, np.float32) for array in (keypoints, scores, boxes)))

    def _boxes(self, image: np.ndarray) -> np.ndarray:
        """(P, 4) px of the people, best first."""
        if self.detector is None:
            height, width = image.shape[:2]
            return np.array([[0, 0, width, height]], np.float32)
        found = self.detector(image, return_datasamples=True)["predictions"][0].pred_instances.cpu().numpy()
        people = (found.labels == PERSON) & (found.scores > MIN_BOX_SCORE)
        boxes = np.concatenate((found.bboxes[people], found.scores[people, None]), axis=1)
        return boxes[nms(boxes, MAX_BOX_OVERLAP), :4] if len(boxes) else boxes[:, :4]


def surest(instances: InstanceData) -> InstanceData:
    """The people of a model that finds them itself, without those it is not sure of, and with boxes."""
    if "bbox_scores" in instances:
        instances = instances[instances.bbox_scores > MIN_BOX_SCORE]
    if "bboxes" not in instances:
        instances.bboxes = keypoint_boxes(instances.keypoints, instances.keypoint_scores)
    return instances


def body_keypoints(model: str | Path, meta: Mapping) -> tuple[str, int]:
    """The keypoint set of a 2D model, and how many of its first keypoints are of that set.

    meta: the model's ``dataset_meta``. Raises UsageError for keypoints of animals, hands, faces, ...
    """
    names = [meta["keypoint_id2name"][index] for index in range(meta["num_keypoints"])]
    if meta["dataset_name"] == "h36m":
        return "h36m_17", len(names)
    # Halpe and COCO-WholeBody begin with COCO's keypoints.
    if tuple(names[: len(COCO_17)]) == COCO_17.names and len(names) in SETS_BY_NUMBER:
        keypoint_set = SETS_BY_NUMBER[len(names)][0]
        return keypoint_set, len(get_keypoint_set(keypoint_set))
    raise UsageError(
        f"{model}: its keypoints are those of {meta['dataset_name']!r}, which are not read; give a 2D model of COCO, "
        "COCO-WholeBody, Halpe or Human3.6M keypoints"
    )


def _check(kind: str, scope: str, model: str | Path, weights: str | Path | None) -> None:
    """Raise UsageError for a config without its file or weights, and for a name that is not in the zoo of ``scope``."""
    if weights is not None:
        check_weights(weights)
    if Path(model).suffix == ".py":
        if not Path(model).is_file():
            raise UsageError(f"{model}: no such config file of a {kind}")
        if weights is None:
            raise UsageError(f"{model}: a {kind} that is given as a config file needs its weights as well")
        return
    names = _zoo(scope)
    if str(model).lower() not in {name.lower() for name in names}:
        raise unknown_name(kind, str(model), names)


def _zoo(scope: str) -> list[str]:
    """Names and aliases of a model zoo; the public `list_models` prints all of them."""
    names = []
    for entry in BaseInferencer._get_models_from_metafile(BaseInferencer._get_repo_or_mim_dir(scope)):
        aliases = entry.get("Alias", [])
        names += [entry["Name"], *([aliases] if isinstance(aliases, str) else aliases)]
    return names
