import pytest

from mpm_mmpose.option_parser import OptionParser, add_person_options, positive, score


@pytest.fixture
def parser():
    parser = OptionParser(prog="lift")
    parser.add_argument("source")
    parser.add_argument("--width", type=int)
    parser.add_argument("--keypoint-set", choices=("auto", "coco_17"))
    return parser


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a", "--widht", "3"], "unrecognized arguments: --widht 3; did you mean --width for --widht?"),
        (["a", "--keypoints_set=coco_17"], "did you mean --keypoint-set for --keypoints_set?"),
        (["a", "--wdth", "3", "--keypont-set", "auto"], "--width for --wdth and --keypoint-set for --keypont-set?"),
        (["a", "--quick"], "unrecognized arguments: --quick; --help lists the options"),
        (["a", "b"], "unrecognized arguments: b; --help lists the options"),
        (["a", "--keypoint-set", "coco"], "invalid choice: 'coco'"),
    ],
)
def test_the_nearest_option_is_named(parser, capsys, arguments, message):
    with pytest.raises(SystemExit) as stop:
        parser.parse_args(arguments)
    assert stop.value.code == 2 and message in capsys.readouterr().err


@pytest.mark.parametrize(("kind", "text", "value"), [(int, "3", 3), (float, "0.5", 0.5)])
def test_a_number_above_zero(kind, text, value):
    assert positive(kind)(text) == value


@pytest.mark.parametrize("text", ["0", "-1", "inf", "nan", "1.5", "many"])
def test_no_number_above_zero(text, capsys):
    parser = OptionParser()
    parser.add_argument("--seeds", type=positive(int))
    with pytest.raises(SystemExit) as stop:
        parser.parse_args(["--seeds", text])
    assert stop.value.code == 2
    assert f"argument --seeds: invalid int above 0 value: '{text}'" in capsys.readouterr().err


def test_scores(capsys):
    parser = OptionParser()
    parser.add_argument("--threshold", type=score)
    assert parser.parse_args(["--threshold", "0"]).threshold == 0
    for text in ("nan", "-1", "inf"):
        with pytest.raises(SystemExit):
            parser.parse_args([f"--threshold={text}"])
        assert f"invalid score of 0 or more value: '{text}'" in capsys.readouterr().err


def test_angles_that_begin_with_a_minus(capsys):
    parser = OptionParser()
    add_person_options(parser)
    assert parser.parse_args(["--level=-20,5"]).level == (-20, 5)
    with pytest.raises(SystemExit):
        parser.parse_args(["--level", "-20,5"])
    assert "angles that begin with a minus go behind '=': --level=-20,5" in capsys.readouterr().err


def test_filters_are_those_there_are():
    from mpm_mmpose.lifting.smoothing import FILTERS

    parser = OptionParser()
    add_person_options(parser)
    (option,) = (action for action in parser._actions if "--filter" in action.option_strings)
    assert option.choices == FILTERS
