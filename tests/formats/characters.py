"""Characters as programs export them: another rest pose, other axes and units, bones turned any way, a prefix."""

import numpy as np

from mpm_mmpose.formats.gltf import Glb
from mpm_mmpose.pose.rotations import quaternions, turn_about

#: Parents, and places m at rest in an A-pose, facing z.
JOINTS = {
    "Hips": (None, (0, 1.0, 0)),
    "Spine": ("Hips", (0, 1.1, -0.01)),
    "Spine1": ("Spine", (0, 1.22, -0.01)),
    "Spine2": ("Spine1", (0, 1.35, -0.02)),
    "Neck": ("Spine2", (0, 1.5, -0.02)),
    "Head": ("Neck", (0, 1.6, 0)),
    "HeadTop_End": ("Head", (0, 1.8, 0.02)),
    "LeftShoulder": ("Spine2", (0.06, 1.45, 0)),
    "LeftArm": ("LeftShoulder", (0.18, 1.43, -0.01)),
    "LeftForeArm": ("LeftArm", (0.36, 1.22, -0.02)),
    "LeftHand": ("LeftForeArm", (0.53, 1.02, 0.02)),
    "LeftHandThumb1": ("LeftHand", (0.55, 1.0, 0.05)),
    "LeftUpLeg": ("Hips", (0.1, 0.95, 0.01)),
    "LeftLeg": ("LeftUpLeg", (0.11, 0.52, 0.02)),
    "LeftFoot": ("LeftLeg", (0.11, 0.09, -0.02)),
    "LeftToeBase": ("LeftFoot", (0.12, 0.02, 0.1)),
}
LEFT = [name for name in JOINTS if name.startswith("Left")]
JOINTS |= {
    name.replace("Left", "Right"): (
        JOINTS[name][0].replace("Left", "Right"),
        (-JOINTS[name][1][0], *JOINTS[name][1][1:]),
    )
    for name in LEFT
}


def write_character(
    path, *, prefix="mixamorig:", seed=0, unit=0.01, turned=True, size=1.0, matrix=False, joints=JOINTS
):
    """A skinned character without a mesh to see; unit: m of its armature's own; turned: every bone has axes of its own.

    The armature lies along z and is turned up by its node, as Blender and Mixamo leave it.
    """
    rng = np.random.default_rng(seed)
    names = list(JOINTS)
    upright = turn_about(np.array((1.0, 0, 0)), np.array(-np.pi / 2))
    world = {"": np.eye(4)}
    world[""][:3, :3] = upright * unit
    for name in names:
        axis = rng.normal(size=3)
        turn = turn_about(axis / np.linalg.norm(axis), rng.uniform(0, 3)) if turned else np.eye(3)
        world[name] = np.eye(4)
        world[name][:3, :3] = turn * unit
        world[name][:3, 3] = size * np.array(JOINTS[name][1])
    file = Glb()
    file.add("nodes", {"name": "Armature", "rotation": quaternions(upright[None])[0].tolist(), "scale": [unit] * 3})
    for name in names:
        parent = JOINTS[name][0] or ""
        local = np.linalg.inv(world[parent]) @ world[name]
        node = {"name": prefix + name}
        if matrix:
            node["matrix"] = local.T.reshape(-1).tolist()
        else:
            node |= {"rotation": quaternions(local[None, :3, :3])[0].tolist(), "translation": local[:3, 3].tolist()}
        index = file.add("nodes", node)
        above = file.content["nodes"][names.index(parent) + 1 if parent else 0]
        above.setdefault("children", []).append(index)
    numbers = [number for number, _ in enumerate(names, 1)]
    inverse = np.stack([np.linalg.inv(world[name]).T for name in names]).astype("<f4")
    file.add("skins", {"joints": numbers, "inverseBindMatrices": file.accessor(inverse)})
    file.add("scenes", {"nodes": [0]})
    file.content["scene"] = 0
    file.animate(30.0, {1: np.zeros((2, 3))}, {1: np.tile((0, 0, 0, 1), (2, 1))})
    return file.write(path)
