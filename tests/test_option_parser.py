import pytest

from mpm_mmpose.option_parser import OptionParser, positive


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
