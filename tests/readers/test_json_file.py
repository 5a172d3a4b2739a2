import time

import pytest

from mpm_mmpose.readers.json_file import read_json


def test_contents(tmp_path):
    (tmp_path / "a.json").write_text('{"a": [1, 2.5, null, "é"]}', encoding="utf-8")
    assert read_json(tmp_path / "a.json") == {"a": [1, 2.5, None, "é"]}


@pytest.mark.parametrize("part", ["[],", "{},", "[[]],"])
def test_empty_lists_that_would_be_gigabytes(tmp_path, part):
    path = tmp_path / "a.json"
    path.write_text("[" + part * (2**25 // len(part) + 1) + "0]")  # 32 MiB
    start = time.monotonic()
    with pytest.raises(
        ValueError, match=r"a.json: [\d,]+ bytes of JSON would take .* GiB of memory, as lists with next"
    ):
        read_json(path)
    assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[" * 100_000, "nested too deep"),
        ("{", "is no JSON, or is cut off"),
        ("9" * 10_000, "is no JSON, or is cut off"),
        ("\udcff", "is no JSON, or is cut off"),
    ],
)
def test_what_is_no_json_of_people(tmp_path, content, message):
    (tmp_path / "a.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=f"a.json: .*{message}"):
        read_json(tmp_path / "a.json")
