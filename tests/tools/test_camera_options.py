import argparse
from dataclasses import asdict

import pytest
from camera_options import RANGES, add_camera_options, camera_options

from mpm_mmpose.converters.virtual_camera import CameraRanges


def options_of(*arguments):
    parser = argparse.ArgumentParser()
    add_camera_options(parser)
    return camera_options(parser, parser.parse_args(arguments))


def test_help_says_the_defaults():
    ranges = asdict(CameraRanges())
    assert ranges.pop("elevation") is None
    defaults = {name: f"{low:g} {high:g}" for name, (low, high) in ranges.items()}
    defaults["elevation"] = "it stands 1.4 m to 1.65 m high"
    assert {name: text.rpartition("default: ")[2] for name, text in RANGES.items()} == defaults


def test_options():
    assert options_of() == dict(cameras=4, seed=0)
    assert options_of("--cameras", "2", "--seed", "3", "--pitch", "-4", "-2.5", "--focal", "0.9", "1.1") == dict(
        cameras=2, seed=3, ranges=CameraRanges(pitch=(-4, -2.5), focal=(0.9, 1.1))
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seed", "-1"], "argument --seed: -1 is below 0"),
        (["--pitch", "0", "30"], "argument --pitch is 0 to 30; with a focal length of up to 1 times"),
    ],
)
def test_wrong_use(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        options_of(*arguments)
    assert stop.value.code == 2 and message in capsys.readouterr().err
