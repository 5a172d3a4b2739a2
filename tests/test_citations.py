"""What code and pages cite of the paper is there, and says what they cite it for."""

import re
from pathlib import Path

import pytest

from studies.tables.paper import contents

ROOT = Path(__file__).parents[1]
PLACES = ("mpm_mmpose/**/*.py", "configs/**/*.py", "studies/**/*.py", "tools/**/*.py", "demo/*.py", "docs/*.md", "*.md")
FILES = sorted(path for pattern in PLACES for path in ROOT.glob(pattern))
NUMBER = r"(?:\d(?:\.\d)?\d?|S\d|[A-E])"
#: "section 3.2", "sections 3.1 and 3.2", "Eq. 1 to 3", "tables 3, 4 and D", "appendix B", "figure 6".
CITATION = re.compile(
    rf"\b([Ss]ections?|[Ee]qs?\.|[Ee]quations?|[Tt]ables?|[Ff]igures?|[Ff]igs?\.|[Aa]ppendix) "
    rf"({NUMBER}(?:(?:, | and | or | to ){NUMBER})*)\b(?!\.\d|,\d| (?:mm|%|of|is)\b)"
)
KINDS = dict(s="sections", e="equations", t="tables", f="figures", a="sections")
#: Other documents than the paper: the notes on the authors' code, and a book.
OTHER = ("reference notes", "Davison and Hinkley", "Bazarevsky")
#: Sections and equations by file, each read against the paper: 3.1 architecture, 3.2 stage I, 3.3 stage II and
#: completion, 4.1 data and metrics, 4.2 recipe, masking ratio and refine module.
SUBJECTS = {
    "models/layers.py": {"3.1", "Eq. 1"},
    "models/backbone.py": {"3.1", "Eq. 1", "Eq. 2", "Eq. 3"},
    "models/strided_decoder.py": {"3.1"},
    "models/pretrain.py": {"3.1", "3.2", "4.2", "5", "Eq. 4", "Eq. 7"},
    "models/pretrain_preprocessor.py": {"3.2"},
    "models/recovery_targets.py": {"3.2"},
    "models/losses.py": {"Eq. 6", "Eq. 9", "Eq. 10"},
    "models/lifting_head.py": {"3.3", "4.2", "Eq. 9", "Eq. 10", "Eq. 11"},
    "models/completion_head.py": {"3.3", "Eq. 6", "Eq. 9"},
    "models/refine.py": {"4.2"},
    "pose/geometry.py": {"4.2"},
    "masking.py": {"3.2", "3.3", "4.2", "B"},
    "data/masked_pose_dataset.py": {"3.2"},
    "lifting/track_lifter.py": {"4.2"},
    "studies/tables/appendix_tables.py": {"4.4"},
    "studies/tables/check.py": {"4.1"},
    "studies/tables/paper_tables.py": {"4.2", "4.3", "5"},
    "studies/tables/trainings.py": {"4.2"},
}


def citations(path):
    """(kind, number) of everything that a file cites by number, other documents left out."""
    text = re.sub(r"\s+(?:# )?", " ", path.read_text(encoding="utf-8"))
    for found in CITATION.finditer(text):
        around = text[max(0, found.start() - 60) : found.end() + 40]
        if any(other in around for other in OTHER):
            continue
        kind = KINDS[found[1][0].lower()]
        for part in re.split(r", | and | or ", found[2]):
            ends = part.split(" to ")
            span = [str(n) for n in range(int(ends[0]), int(ends[1]) + 1)] if ends[-1].isdigit() and ends[1:] else ends
            yield from ((kind, number) for number in span)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see paper sections 3.1 and 3.2, Eq. 4.", [("sections", n) for n in ("3.1", "3.2")] + [("equations", "4")]),
        ("(paper Eq. 1 to 3)", [("equations", n) for n in "123"]),
        ("tables 3, 4 and D; figure 6", [("tables", n) for n in "34D"] + [("figures", "6")]),
        ("appendix\n    B", [("sections", "B")]),
        ("reference notes, section 2", []),
        ("A table is made of 3 parts. Table 2 of 4", []),
    ],
)  # fmt: skip
def test_citations_are_found(text, expected, tmp_path):
    (tmp_path / "text.md").write_text(text)
    assert list(citations(tmp_path / "text.md")) == expected


def test_everything_that_is_cited_is_in_the_paper():
    cited = [(path, *citation) for path in FILES for citation in citations(path)]
    assert len(cited) > 60
    known = {kind: set(contents()[kind]) for kind in ("sections", "equations", "tables", "figures")}
    known["tables"] |= {"S1", "S2", "S3", "S4", "S5", "S6", "S7"}  # our own studies
    wrong = [f"{path.relative_to(ROOT)}: {kind} {n}" for path, kind, n in cited if n not in known[kind]]
    assert not wrong


def test_nothing_says_that_the_paper_was_not_there():
    for path in FILES:
        text = re.sub(r"\s+", " ", path.read_text(encoding="utf-8"))
        assert not re.search(
            r"paper[^.]{0,80}(?:not|few) (?:were |was )?at hand|paper[^.]{0,60}not known here", text
        ), path


def test_sections_and_equations_are_those_of_the_subject():
    found = {}
    for path in (*ROOT.glob("mpm_mmpose/**/*.py"), *ROOT.glob("studies/tables/*.py")):
        marks = {
            f"Eq. {n}" if kind == "equations" else n for kind, n in citations(path) if kind in ("equations", "sections")
        }
        if marks:
            found[path.relative_to(ROOT).as_posix().removeprefix("mpm_mmpose/")] = marks
    assert found == SUBJECTS


def test_the_contents_are_those_of_the_printed_text(paper_dir):
    text = (paper_dir / "mpm_paper.txt").read_text(encoding="utf-8")
    for number, title in contents()["sections"].items():
        assert f"\n{number}{'.' if number.isalpha() else ''} {title}\n" in text, title
    equations = re.findall(r"\\quad \((\d+)\)|, \((\d+)\)\$|\. \((\d+)\)\$", text)
    assert [number for found in equations for number in found if number] == list(contents()["equations"])
    for kind, word in (("tables", "Table"), ("figures", r"Fig\.")):
        captions = set(re.findall(rf"(?m)^(?:\*\*)?{word} (\w)\.", text))
        assert captions == set(contents()[kind]), kind
