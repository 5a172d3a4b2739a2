import pytest

from mpm_mmpose.converters.amass_released import convert_released_amass
from mpm_mmpose.data.pose_store import PoseStore


def test_store(tmp_path, released_clip, write_released):
    first = write_released({"CMU/01/01_01": released_clip(), "KIT/3/walk": released_clip(frames=7)}, "first.npz")
    second = write_released({"SFU/1/jump": released_clip(seed=1)}, "second.npz")
    report = convert_released_amass([first, second], tmp_path / "store", size=(640, 480), fps=60, progress=False)
    assert (report.clips, report.frames, report.skipped) == (3, 31, [])
    store = PoseStore(tmp_path / "store")
    assert list(store.names) == ["CMU/01/01_01", "KIT/3/walk", "SFU/1/jump"]
    assert store.lengths.tolist() == [12, 7, 12] and set(store.fps) == {60}
    assert store.widths[0] == 640 and store.heights[0] == 480
    assert {key: store.meta[key] for key in ("format", "files", "size", "fps", "made_from")} == dict(
        format="released", files=2, size=[640, 480], fps=60, made_from=[str(first), str(second)]
    )


def test_bad_clips_and_files(tmp_path, released_clip, write_released):
    clips = dict(good=released_clip(), bad=released_clip() | dict(length=99))
    paths = [write_released(clips), tmp_path / "nowhere.npz"]
    with pytest.raises(ValueError, match="clip 'bad': pose2d has 12 frames, length says 99"):
        convert_released_amass(paths[:1], tmp_path / "store", progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["amass.npz"]
    report = convert_released_amass(paths, tmp_path / "store", skip_bad=True, progress=False)
    assert report.clips == 1
    assert [place for place, _ in report.skipped] == [f"{paths[0]}: bad", str(paths[1])]
    assert PoseStore(tmp_path / "store").meta["skipped"] == [list(pair) for pair in report.skipped]
    with pytest.raises(ValueError, match="none of 1 could be read"):
        convert_released_amass(paths[1:], tmp_path / "other", skip_bad=True, progress=False)


def test_clips_of_one_name_or_two_sets(tmp_path, released_clip, write_released):
    first = write_released(dict(a=released_clip()), "first.npz")
    with pytest.raises(ValueError, match="'a': name occurs twice"):
        convert_released_amass([first, first], tmp_path / "store", progress=False)
    second = write_released(dict(b=released_clip(number=17)), "second.npz")
    with pytest.raises(ValueError, match="of h36m_17, those before it .* of common_16"):
        convert_released_amass([first, second], tmp_path / "store", progress=False)
