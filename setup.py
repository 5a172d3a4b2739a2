"""Metadata of mpm_mmpose, kept here so that `pip install -e . --no-deps` works beside an installed MMPose."""

import re
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
# Commands of studies/, which only a clone has.
STUDIES = ("compare.py", "quickstart.py", "reproduce.py")


class BuildWithConfigs(build_py):
    """Ship configs/, tools/, demo/ and the model index in the wheel as mpm_mmpose/.mim, as MMPose's own wheel does."""

    def run(self) -> None:
        """Copy the folders after the package itself, except into an editable install."""
        super().run()
        if self.editable_mode:
            return
        for folder in ("model-index.yml", "configs", "tools", "demo"):
            for source in [HERE / folder, *sorted((HERE / folder).rglob("*"))]:
                if source.is_file() and "__pycache__" not in source.parts and source.name not in STUDIES:
                    target = Path(self.build_lib, "mpm_mmpose", ".mim", source.relative_to(HERE))
                    target.parent.mkdir(parents=True, exist_ok=True)
                    self.copy_file(str(source), str(target))


setup(
    name="mpm_mmpose",
    version=re.search(r'__version__ = "(.+)"', (HERE / "mpm_mmpose/version.py").read_text()).group(1),
    description="Masked pose modeling (MPM) for MMPose: 2D poses in, 3D poses out",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The mpm_mmpose authors",
    license="Apache-2.0",
    keywords=["3D human pose estimation", "pose lifting", "masked pose modeling", "MMPose"],
    classifiers=[
        "License :: OSI Approved :: Apache Software License",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
    ],
    cmdclass={"build_py": BuildWithConfigs},
    packages=find_packages(include=["mpm_mmpose", "mpm_mmpose.*"]),
    package_data={
        "mpm_mmpose.pose": ["*.json"],
        "mpm_mmpose.readers": ["*.json"],
        "mpm_mmpose.viewer": ["assets/*", "assets/vendor/*"],
        "mpm_mmpose.runtime": ["models/*"],
    },
    # What reads keypoints, lifts with exported models and writes files; the extras add what more there is.
    install_requires=["numpy>=1.26"],
    extras_require={
        # Training, PyTorch's models and MMPose's 2D models: all that `mpm_mmpose.register` stands for.
        "mmpose": [
            "torch>=2.6",
            "torchvision",
            "mmengine==0.10.7",
            "mmcv==2.1.0",
            "mmdet==3.3.0",
            "mmpose==1.3.2",
            "xtcocotools>=1.14.3",
            "scipy",
            "six",
            "matplotlib",
            "pillow",
            "tqdm",
            "bvhio==1.5.4",
        ],
        # From a video to 3D without PyTorch. The models of the 2D detector are files in the wheel of mediapipe, which
        # is not named here: what it asks for is large, and would lower protobuf (docs/install.md).
        "light": ["onnxruntime>=1.20", "ai-edge-litert>=1.4", "opencv-python-headless<4.12"],
        # Its licence allows research only, so it is not installed unless asked for.
        "amass": ["smplx==0.1.28"],
        # Only the test set's annot_data.mat need it.
        "mpi_inf_3dhp": ["h5py>=3.10"],
        "deeplabcut": ["h5py>=3.10"],
        # Marker files for motion capture software.
        "c3d": ["ezc3d>=1.5"],
        # Writing models for other runtimes, and running them without PyTorch.
        "export": ["onnx>=1.17", "onnxscript>=0.5"],
        "runtime": ["onnxruntime>=1.20"],
    },
)
