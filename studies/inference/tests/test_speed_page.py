import datetime

from ..machine import describe_machine
from ..speed_page import write_section


def test_a_section_takes_the_place_of_the_one_before(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Page\n\ntext\n\n## Speed of inference\n\nfirst\n\n### part\n\n## Next\n\nkept\n")
    write_section(page, "## Speed of inference\n\nsecond\n")
    assert page.read_text() == "# Page\n\ntext\n\n## Speed of inference\n\nsecond\n\n## Next\n\nkept\n"
    write_section(page, "## Other\n\nnew\n")
    assert page.read_text().endswith("\n\n## Next\n\nkept\n\n## Other\n\nnew\n")


def test_a_page_that_is_not_there_begins_with_it(tmp_path):
    path = write_section(tmp_path / "new.md", "## Speed of inference\n\nfirst\n")
    assert path.read_text() == "## Speed of inference\n\nfirst\n"


def test_when_and_on_what():
    text = describe_machine()
    assert str(datetime.date.today()) in text and "torch" in text and text.endswith(".")
