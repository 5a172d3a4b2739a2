"""Good files of every kind that is read, what reads them, and what must not come of them; small, made here."""

from __future__ import annotations

import importlib.util
import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import numpy as np

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.data.pose_store import PoseStore, write_store
from mpm_mmpose.pose.geometry import normalize_screen
from mpm_mmpose.pose.keypoints import COMMON_16, H36M_17
from studies.quickstart.synthetic_motion import generate_motion

TESTS = Path(__file__).parents[1]


class AbsurdError(Exception):
    """Values were accepted that no recording has."""


@dataclass(frozen=True)
class Kind:
    """make: writes good files into a folder. read: reads them, raises AbsurdError for what should not have been."""

    name: str
    make: Callable[[Path], None]
    read: Callable[[Path], None]


def _from(path: str) -> ModuleType:
    """The makers of a folder's tests."""
    spec = importlib.util.spec_from_file_location(path.replace("/", "_"), TESTS / f"{path}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(what: str, values: np.ndarray | None, limit: float, nan: bool = False) -> None:
    """AbsurdError for numbers beyond ``limit``, and for NaN where there may be none."""
    if values is None or not np.size(values):
        return
    values = np.asarray(values, np.float64)
    known = values[~np.isnan(values)] if nan else values
    if known.size and not (np.abs(known) <= limit).all():
        raise AbsurdError(f"{what}: {known[~(np.abs(known) <= limit)][0]:g}")


def check_fps(fps: float) -> None:
    if not 1 <= fps <= 1000:
        raise AbsurdError(f"fps: {fps:g}")


def check_store(path: Path) -> None:
    store = PoseStore(path)
    for index in range(len(store)):
        sequence = store.sequence(index)
        check("keypoints_3d", sequence.keypoints_3d, 1000)
        check("keypoints", sequence.keypoints, 1e6)
        check("keypoint_scores", sequence.keypoint_scores, 1000)
        check_fps(sequence.fps)
        if not (0 <= sequence.width <= 1e5 and 0 <= sequence.height <= 1e5):
            raise AbsurdError(f"size: {sequence.width} x {sequence.height}")
    from mpm_mmpose.data import PoseWindowDataset

    dataset = PoseWindowDataset(path, 3)
    dataset.__getitems__([0, len(dataset) - 1])


def check_recordings(folder: Path, name: str, **given: object) -> None:
    from mpm_mmpose.apis.sources import read_recordings
    from mpm_mmpose.lifting.resampling import resample_track

    for recording in read_recordings(folder / name, **given):
        check_fps(recording.fps)
        check("times", recording.times, 1e9)
        for track in recording.tracks:
            check("keypoints", np.where(track.scores[..., None] > 0, track.keypoints, 0), 1e6)
            check("scores", track.scores, 1e6)
            for frames in resample_track(track, "h36m_17", 50.0, 0.5):
                check("resampled", frames.keypoints, 1e6)


def check_scene(scene: object) -> None:
    check_fps(scene.fps)
    check("frame_times", scene.times, 1e9)
    for person in scene.people:
        check("keypoints_3d", person.keypoints_3d, 1000, nan=True)
        check("ground_truth", person.ground_truth, 1000, nan=True)
        check("frames", person.frames, 1e7)


def clips(number: int = 3) -> list:
    return [
        replace(next(project_views(generate_motion("walking", 1.0, 30, i), cameras=1)), name=f"c{i}")
        for i in range(number)
    ]


def read_motion_file(folder: Path, name: str) -> None:
    from mpm_mmpose.readers import read_motion

    motion = read_motion(folder / name)
    check("keypoints_3d", motion.keypoints_3d, 1000)
    check_fps(motion.fps)


def convert(folder: Path, work: Callable[[Path], object]) -> None:
    work(folder / "made")
    check_store(folder / "made")


def _motion_kinds() -> list[Kind]:
    made = _from("common/motion_files")
    turn = [{"Hips": (i, 95, 0, 0, 0, i), "Chest": (i, 0, 0)} for i in range(6)]

    def asf_amc(folder: Path) -> None:
        (folder / "07.asf").write_text(made.asf_text())
        (folder / "07_01.amc").write_text(made.amc_text([{"lfemur": (i, 0, 0)} for i in range(6)]))

    return [
        Kind("bvh", lambda f: (f / "a.bvh").write_text(made.bvh_text(turn)), lambda f: read_motion_file(f, "a.bvh")),
        Kind("asf_amc", asf_amc, lambda f: read_motion_file(f, "07_01.amc")),
    ]


def _amass_kinds() -> list[Kind]:
    from mpm_mmpose.converters.amass_released import convert_released_amass
    from mpm_mmpose.readers.amass import read_amass
    from mpm_mmpose.readers.amass_body import BodyModels

    made = _from("amass/conftest")

    def amass(folder: Path) -> None:
        np.savez(folder / "01_poses.npz", **made.clip_arrays(frames=5, gender="neutral"))
        (folder / "smplh/neutral").mkdir(parents=True)
        np.savez(folder / "smplh/neutral/model.npz", **made.body_arrays())

    def entry(seed: int) -> dict:
        clip = clips(2)[seed]
        screen = normalize_screen(clip.keypoints.astype(float), clip.width, clip.height)
        kept = list(COMMON_16.indices_in(H36M_17))
        poses = (clip.keypoints_3d - clip.keypoints_3d[:, :1]).astype(float)
        return dict(length=12, pose2d=screen[:12, kept], pose3d=poses[:12, kept])

    def read(folder: Path) -> None:
        motion = read_amass(folder / "01_poses.npz", BodyModels(folder))
        check("keypoints_3d", motion.keypoints_3d, 1000)
        check_fps(motion.fps)

    def released(folder: Path) -> None:
        np.savez(folder / "amass.npz", poses=np.array({"a": entry(0), "b": entry(1)}, dtype=object))

    return [
        Kind("amass", amass, read),
        Kind(
            "amass released",
            released,
            lambda f: convert(f, lambda out: convert_released_amass([f / "amass.npz"], out, progress=False)),
        ),
    ]


def _paired_kinds() -> list[Kind]:
    from mpm_mmpose.converters.h36m import convert_h36m, open_h36m
    from mpm_mmpose.converters.mpi_inf_3dhp import convert_3dhp, open_3dhp
    from mpm_mmpose.readers.h36m import cameras

    h36m, mpi = _from("h36m/conftest"), _from("mpi_inf_3dhp/conftest")
    takes = {"S9": {"Greeting": 4}, "S11": {"Photo": 5}}

    def mmpose(folder: Path) -> None:
        h36m.write_mmpose(folder, takes)
        table = {}
        for subject in takes:
            for camera in cameras(subject):
                lens = camera.intrinsics
                place = -camera.rotation.T @ camera.translation
                table[subject, camera.name] = dict(
                    R=camera.rotation.T, T=place[:, None], f=lens[:2, None], c=lens[2:4, None], k=lens[4:7, None]
                ) | dict(p=lens[[8, 7], None], w=camera.width, h=camera.height)
        (folder / "cameras.pkl").write_bytes(pickle.dumps(table))

    def read_h36m(folder: Path, poses: str, detected: str, cameras: str | None = None) -> None:
        sources = open_h36m([folder / poses], [folder / detected], cameras and folder / cameras)
        convert(folder, lambda out: convert_h36m(sources, out, ["S9", "S11"], progress=False))

    def read_3dhp(folder: Path, source: str, annotation: str, subjects: list[str]) -> None:
        sources = open_3dhp([folder / source], annotation)
        convert(folder, lambda out: convert_3dhp(sources, out, subjects, annotation, progress=False))

    names = "data_3d_h36m.npz", "data_2d_h36m_cpn_ft_h36m_dbb.npz", "data_test_3dhp.npz"
    return [
        Kind("h36m videopose3d", lambda f: h36m.write_videopose3d(f, takes), lambda f: read_h36m(f, *names[:2])),
        Kind("h36m mmpose", mmpose, lambda f: read_h36m(f, "h36m_test.npz", "cpn_ft_h36m_dbb_test.npy", "cameras.pkl")),
        Kind("3dhp training", lambda f: mpi.write_training(f), lambda f: read_3dhp(f, "S1", "annot3", ["S1"])),
        Kind("3dhp test", lambda f: mpi.write_test(f), lambda f: read_3dhp(f, "TS1", "annot3", ["TS1"])),
        Kind("3dhp p-stmo", mpi.write_pstmo, lambda f: read_3dhp(f, names[2], "univ_annot3", ["TS1", "TS5"])),
    ]


def _keypoint_kinds() -> list[Kind]:
    made = _from("keypoints_2d/conftest")
    size = dict(width=1000, height=500)

    def put(content: Callable[[], object]) -> Callable[[Path], None]:
        return lambda folder: (folder / "v.json").write_text(json.dumps(content()))

    def ours() -> dict:
        content = made.mmpose_demo(track=True)
        for frame in content["instance_info"]:
            frame["time"] = frame["frame_id"] / 25
        content["meta_info"] = dict(fps=25, image_size=[1000, 500], keypoint_set="coco_17")
        return content

    def read(**given: object) -> Callable[[Path], None]:
        return lambda folder: check_recordings(folder, "v.json", **given)

    return [
        Kind("keypoints mmpose", put(made.mmpose_demo), read(fps=25, **size)),
        Kind("keypoints ours", put(ours), read()),
        Kind("keypoints coco", put(made.coco_results), read(fps=25, **size)),
        Kind("keypoints alphapose", put(made.alphapose_results), read(fps=25, **size)),
        Kind(
            "keypoints openpose",
            lambda f: made.write_openpose(f / "walk", frames=4),
            lambda f: check_recordings(f, "walk", fps=25, **size),
        ),
        Kind(
            "keypoints videopose3d",
            lambda f: made.write_videopose3d(f / "data_2d_custom_a.npz"),
            lambda f: check_recordings(f, "data_2d_custom_a.npz", fps=25, **size),
        ),
    ]


def _own_kinds() -> list[Kind]:
    from mpm_mmpose.apis.comparison import compare
    from mpm_mmpose.formats import LiftedPerson, Scene, read_scene, write_scene
    from mpm_mmpose.viewer import write_page

    def store(folder: Path, checksums: bool = True) -> None:
        write_store(folder / "store", clips())
        if not checksums:  # of which nearly all damage is found
            file = folder / "store/store.json"
            index = json.loads(file.read_text())
            del index["checksums"]
            file.write_text(json.dumps(index))

    def read_store(folder: Path) -> None:
        check_store(folder / "store")
        check_recordings(folder, "store")

    def results(folder: Path) -> None:
        poses = [clip.keypoints_3d - clip.keypoints_3d[:, :1] for clip in clips(2)]
        more = dict(masked=np.zeros((30, 17), bool), spread=np.ones((30, 17)), keypoint_set_2d="h36m_17")
        people = [
            LiftedPerson(
                str(i),
                "h36m_17",
                np.arange(30),
                pose,
                ground_truth=pose,
                keypoints_2d=pose[..., :2] * 100 + 300,
                **more,
            )
            for i, pose in enumerate(poses)
        ]
        write_scene(folder / "walk.npz", Scene("walk", people, np.arange(30) / 30, 30.0, 1000, 1000, notes=["a"]))

    def read_results(folder: Path) -> None:
        check_scene(read_scene(folder / "walk.npz"))
        scene = compare({"a": folder / "walk.npz"}, person="1")
        check_scene(scene)
        write_page(folder / "page.html", scene)

    def dump(folder: Path) -> None:
        ground_truth = np.concatenate([clip.keypoints_3d - clip.keypoints_3d[:, :1] for clip in clips(2)])
        np.savez(
            folder / "dump.npz",
            prediction=ground_truth + np.float32(0.02),
            ground_truth=ground_truth,
            counted=np.ones(ground_truth.shape[:2], bool),
            sequence=np.repeat([0, 1], 30),
            frame=np.tile(np.arange(30), 2),
            action=np.repeat([0, 1], 30),
            sequences=np.array(["c0", "c1"]),
            actions=np.array(["a", "b"]),
            keypoints=np.array(H36M_17.names),
        )

    def read_dump(folder: Path) -> None:
        scene = compare({"a": folder / "dump.npz"}, clip="c1")
        check_scene(scene)
        write_page(folder / "page.html", scene)

    return [
        Kind("store", store, read_store),
        Kind("store without checksums", lambda f: store(f, checksums=False), read_store),
        Kind("results npz", results, read_results),
        Kind("evaluation dump", dump, read_dump),
    ]


def _checkpoint_kinds() -> list[Kind]:
    import torch
    from mmengine.config import Config
    from mmengine.registry import init_default_scope
    from mmpose.registry import MODELS

    import mpm_mmpose.register  # noqa: F401
    from mpm_mmpose.apis import MPMInferencer

    torch.set_num_threads(1)
    model = dict(
        type="PoseLifter",
        data_preprocessor=dict(type="LiftingPreprocessor"),
        backbone=dict(
            type="MPMBackbone", num_frames=9, depth=1, inputs=("2d",), channels=16, hidden_channels=16, num_heads=2
        ),
        head=dict(type="LiftingHead", num_frames=9, strides=(3, 3), channels=16, hidden_channels=16, num_heads=2),
    )

    def make(folder: Path) -> None:
        init_default_scope("mmpose")
        torch.manual_seed(0)
        state = MODELS.build(Config(dict(model=model)).model).state_dict()
        meta = dict(dataset_meta=dict(dataset_name="h36m", fps=50.0, keypoint_set="h36m_17"), epoch=3, iter=30)
        torch.save(
            dict(meta=meta, state_dict=state, message_hub=dict(runtime_info=dict(best_score=1.0))), folder / "e.pth"
        )

    def read(folder: Path) -> None:
        config = folder.parent / "lift_config.py"
        if not config.exists():
            config.write_text(f"model = {model!r}\ndefault_scope = 'mmpose'\n")
        inferencer = MPMInferencer(str(config), folder / "e.pth", device="cpu", flip_test=False)
        keypoints = np.random.default_rng(0).uniform(100, 400, (12, 17, 2))
        for result in inferencer(keypoints, fps=30.0, width=1000, height=500, keypoint_set="h36m_17"):
            for person in result.people:
                check("keypoints_3d", person.keypoints_3d, 1e6)

    return [Kind("checkpoint", make, read)]


def kinds() -> list[Kind]:
    """All of them."""
    makers = (_motion_kinds, _amass_kinds, _paired_kinds, _keypoint_kinds, _own_kinds, _checkpoint_kinds)
    return [kind for make in makers for kind in make()]
