import base64
import gzip
import hashlib
import json
import re

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpm_mmpose.pose.keypoints import H36M_17
from mpm_mmpose.pose.scene import LiftedPerson, Scene
from mpm_mmpose.viewer import write_page
from mpm_mmpose.viewer.content import frame_errors, scene_content
from mpm_mmpose.viewer.document import ASSETS, LIBRARY, MODULES, json_in_html
from mpm_mmpose.viewer.packing import Packer
from mpm_mmpose.viewer.pictures import MOST_IMAGES, pack_images

EVIL = "</script><img src=x onerror=\"alert(1)\"><!-- & 'Ann' -->"
KINDS = dict(measured="<i2", bytes="u1", int32="<i4", float32="<f4")


def unpack(packer, where):
    """What the page makes of packed bytes; see assets/data.js."""
    data = gzip.decompress(base64.b64decode(packer.base64()))
    values = np.frombuffer(data, KINDS[where["kind"]], where["length"], where["start"])
    if where["kind"] != "measured":
        return values
    values = np.cumsum(values.reshape(-1, where["row"]), axis=0, dtype=np.int16)
    return np.where(values == -32768, np.nan, values * where["unit"])


def person(name="0", frames=4, **fields):
    rng = np.random.default_rng(0)
    poses = rng.normal(0, 0.4, (frames, 17, 3))
    return LiftedPerson(name, "h36m_17", np.arange(frames), poses, **fields)


def scene(*people, frames=4, **fields):
    return Scene("walk", list(people), np.arange(frames) / 30, 30.0, **fields)


def test_measured_values_are_within_half_a_unit():
    values = np.random.default_rng(0).uniform(-3, 3, (50, 5, 3))
    values[3, 2] = np.nan
    packer = Packer()
    packer.whole([7])  # something before them
    found = unpack(packer, packer.measured(values, 1e-4, 20.0)).reshape(values.shape)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(values))
    assert np.nanmax(np.abs(found - values)) < 0.5001e-4


def test_larger_values_have_larger_units_and_wild_ones_an_end():
    packer = Packer()
    where = packer.measured(np.array([[10.0], [-1e9], [np.inf]]), 1e-4, 20.0)
    assert where["unit"] == pytest.approx(20 / 32767)
    np.testing.assert_allclose(unpack(packer, where).ravel(), [10, -20, 20], atol=1e-3)


@given(
    st.lists(st.lists(st.sampled_from([np.nan, -3.2767, -1.0, 0.0, 2.5, 3.2767]), min_size=2, max_size=2), max_size=9)
)
def test_differences_wrap_around(rows):
    values = np.array(rows, float).reshape(-1, 2)
    packer = Packer()
    found = unpack(packer, packer.measured(values, 1e-4, 20.0))
    np.testing.assert_allclose(found.reshape(values.shape), values, atol=1e-6)


def test_equal_arrays_lie_there_once():
    packer = Packer()
    values = np.random.default_rng(0).normal(size=(10, 4))
    first, again = packer.measured(values, 1e-4, 20.0), packer.measured(values, 1e-4, 20.0)
    other = packer.measured(values.reshape(5, 8), 1e-4, 20.0)  # unpacked otherwise
    assert first == again
    assert other["start"] == 80


def test_errors_are_those_of_keypoints_whose_ground_truth_is_known():
    poses = np.zeros((3, 17, 3))
    ground_truth = np.zeros((3, 17, 3))
    ground_truth[0, :, 2] = 0.03
    ground_truth[1, 0], ground_truth[1, 1:, 0] = np.nan, 0.05
    ground_truth[2] = np.nan
    np.testing.assert_allclose(frame_errors(poses, ground_truth), [30, 50, np.nan])


def test_content_says_where_people_stand_and_how_wrong_they_are():
    poses = np.zeros((200, 17, 3))
    poses[:, 3, 1] = 0.9
    poses[7, 3, 1] = 5.0  # one wild frame, as a detector makes them, moves no floor
    poses[:, 13, 0] = -0.7
    trajectory = np.tile([1.0, 0.5, 4.0], (200, 1))
    one = LiftedPerson("a", "h36m_17", np.arange(200), poses, trajectory=trajectory, ground_truth=poses + [0, 0, 0.04])
    packer = Packer()
    content = scene_content(scene(one, frames=200), packer)
    (found,) = content["people"]
    assert found["floor"] == pytest.approx(0.9)
    assert found["trajectoryFloor"] == pytest.approx(1.4)
    assert found["reach"] == pytest.approx(0.7)
    assert found["meanError"] == pytest.approx(40)
    np.testing.assert_allclose(unpack(packer, found["errors"]), 40, rtol=1e-5)
    assert found["skeleton"]["parents"] == list(H36M_17.parents)
    assert found["skeleton"]["sides"][:5] == ["middle", "right", "right", "right", "left"]
    assert content["frames"] == 200 and content["fps"] == 30


@pytest.mark.parametrize(
    "fields, message",
    [
        (dict(ground_truth=np.zeros((4, 16, 3))), r"ground_truth has the shape \(4, 16, 3\), and not \(4, 17, 3\)"),
        (dict(keypoints_2d=np.zeros((4, 17, 2)), keypoint_set_2d="body_25"), r"keypoints_2d .* not \(4, 25, 2\)"),
        (dict(spread=np.zeros((3, 17))), "spread"),
    ],
)
def test_arrays_that_do_not_fit_are_named(tmp_path, fields, message):
    with pytest.raises(ValueError, match=f"person '0': {message}"):
        write_page(tmp_path / "a.html", scene(person(**fields)))
    assert not list(tmp_path.iterdir())


def test_frames_beyond_the_scene_are_refused(tmp_path):
    with pytest.raises(ValueError, match="frames must rise from 0 to at most 2"):
        write_page(tmp_path / "a.html", scene(person(), frames=3))
    with pytest.raises(ValueError, match="no frames"):
        write_page(tmp_path / "a.html", Scene("walk", [], np.zeros(0), 30.0))


def test_more_than_a_page_takes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("mpm_mmpose.viewer.packing.MOST_BYTES", 100)
    with pytest.raises(ValueError, match="a page takes up to"):
        write_page(tmp_path / "a.html", scene(person()))


@given(st.text())
def test_json_ends_no_script(text):
    encoded = json_in_html({"name": text})
    assert json.loads(encoded) == {"name": text}
    assert not set("<>&") & set(encoded)


def test_names_of_users_are_no_html(tmp_path):
    evil = Scene(EVIL, [person(EVIL)], np.arange(4) / 30, 30.0, made_by=EVIL, notes=[EVIL])
    text = write_page(tmp_path / "a.html", evil).read_text()
    assert "<img" not in text and 'alert(1)">' not in text
    assert text.count("</script>") == 5  # those of the template
    assert "&lt;/script&gt;&lt;img" in text


def test_page_asks_nobody_and_runs_only_what_it_was_written_with(tmp_path):
    text = write_page(tmp_path / "a.html", scene(person())).read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text).group(1)
    assert policy.startswith("default-src 'none'; script-src data: 'sha256-")
    assert "unsafe" not in policy and "http" not in policy
    inline = re.findall(r'<script type="(?:importmap|module)">(.*?)</script>', text)
    assert len(inline) == 2
    for script in (*inline, re.search("<style>(.*?)</style>", text, re.DOTALL).group(1)):
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    # Addresses that would be fetched; three.js and the licence name some in texts.
    assert not re.search(r"""(src|href)=["'](?!data:)""", re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL))


def test_equal_scenes_give_equal_pages(tmp_path):
    first, second = (write_page(tmp_path / f"{i}.html", scene(person())).read_bytes() for i in range(2))
    assert first == second


def test_library_is_the_one_that_was_published():
    """The files of the npm package, unchanged: a person who updates them changes vendor.json, too."""
    vendor = json.loads((ASSETS / "vendor/vendor.json").read_text())
    assert vendor["package"] == "three" and vendor["licence"] == "MIT"
    for name, file in vendor["files"].items():
        assert hashlib.sha256((ASSETS / "vendor" / name).read_bytes()).hexdigest() == file["sha256"], name
    assert {f"vendor/{name}" for name in vendor["files"]} == {*LIBRARY.values(), "vendor/LICENSE"}
    revision = vendor["version"].split(".")[1]
    assert f'const t="{revision}"' in (ASSETS / "vendor/three.module.min.js").read_text()[:400]


def test_licence_travels_with_the_page(tmp_path):
    text = write_page(tmp_path / "a.html", scene()).read_text()
    assert "The MIT License" in text and "three.js authors" in text


def test_every_module_is_in_the_page():
    there = {path.name.removesuffix(".js") for path in ASSETS.iterdir()}
    assert {name for name in there if "." not in name and name != "vendor"} == set(MODULES)


def test_images_are_small_and_few():
    images = (np.full((180, 640, 3), number % 250, np.uint8) for number in range(602))
    where, text = pack_images(images, 602)
    assert where["step"] == 2 and len(where["ends"]) == 301 <= MOST_IMAGES
    data = base64.b64decode(text)
    assert where["ends"][-1] == len(data)
    second = cv2.imdecode(np.frombuffer(data[where["ends"][0] : where["ends"][1]], np.uint8), cv2.IMREAD_COLOR)
    assert second.shape == (135, 480, 3)
    np.testing.assert_allclose(second, 2, atol=1)


def test_images_beyond_the_scene_are_left_alone():
    where, _ = pack_images((np.zeros((4, 4, 3), np.uint8) for _ in range(9)), 5)
    assert len(where["ends"]) == 5
    with pytest.raises(ValueError, match="not one"):
        pack_images([], 5)
