import pytest

from studies.command import command_of


@pytest.mark.parametrize(("threads", "before"), [(None, ""), ("2", "OMP_NUM_THREADS=2 ")])
def test_the_command_is_one_that_a_shell_takes(monkeypatch, threads, before):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if threads:
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
    assert command_of("studies.x", ["a b", "--out", "c.md"]) == f"{before}uv run -m studies.x 'a b' --out c.md"
