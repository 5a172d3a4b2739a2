import pytest

from ..counted import lifter_cost, module_cost
from ..tables import TABLES


def test_table_5_as_it_is_printed():
    """What agrees to the last printed digit, and how far the rest is off."""
    found = {name: (row.count(), row.printed) for name, row in TABLES["5"].rows.items()}
    for name in ("encoder_2d", "encoder_3d", "shared", "decoder_lift"):
        ours, printed = found[name]
        assert ours["parameters_k"] == pytest.approx(printed["parameters_k"], abs=0.05)
    assert found["decoder_lift"][0]["flops_m"] == pytest.approx(380.6, abs=0.05)
    for name in ("decoder_2d", "decoder_3d"):
        ours, printed = found[name]
        assert ours["parameters_k"] == pytest.approx(printed["parameters_k"], rel=0.009)
        assert ours["flops_m"] == pytest.approx(printed["flops_m"], rel=0.0021)
    assert found["shared"][1]["flops_m"] - found["shared"][0]["flops_m"] == pytest.approx(203.8, abs=0.1)
    for name, more in (("encoder_2d", 0.94), ("encoder_3d", 0.96)):
        assert found[name][1]["flops_m"] - found[name][0]["flops_m"] == pytest.approx(more, abs=0.005)


def test_the_model_as_it_is_used():
    frames, width = 243, 256
    assert module_cost("encoder_2d")["used/flops_m"] == pytest.approx(2 * frames * 34 * 512 / 1e6)
    layer = 2 * frames * (4 * width * width + 2 * width * 512) + 4 * frames**2 * width
    spatial = 2 * frames * (2 * 512 * 512 + 512 * width)
    assert module_cost("shared")["used/flops_m"] == pytest.approx((4 * layer + spatial) / 1e6)


def test_table_d_is_the_lifter():
    """7,009,382 parameters in the release, of which 1,024 are never used and not here."""
    assert lifter_cost() == pytest.approx(dict(parameters_m=7.008358, flops_m=2043.073536))
