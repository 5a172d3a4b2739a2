import pytest
import torch

from mpm_mmpose.apis.model_index import build_lifter
from mpm_mmpose.deployment.publishing import write_weights
from mpm_mmpose.errors import UsageError


def test_what_is_given_away_is_the_model_and_nothing_of_its_training(trained, tmp_path):
    config, checkpoint = trained("lift")
    out = tmp_path / "lift.pth"
    write_weights(config, checkpoint, out)
    given = torch.load(out, weights_only=True)
    assert set(given) == {"meta", "state_dict"} and "message_hub" not in given
    assert out.stat().st_size < 0.75 * checkpoint.stat().st_size  # half the bytes, and keys

    ours, theirs = build_lifter(config, checkpoint, "cpu"), build_lifter(None, out, "cpu")
    assert theirs.description.window == ours.description.window and theirs.description.fps == ours.description.fps
    for name, value in ours.state_dict().items():
        found = theirs.state_dict()[name]
        assert found.dtype == value.dtype
        torch.testing.assert_close(found, value, rtol=1e-3, atol=1e-4)


def test_only_models_that_see_the_person_can_be_given_a_size(trained, tmp_path):
    config, checkpoint = trained("lift")
    with pytest.raises(UsageError, match="only models that see the person"):
        write_weights(config, checkpoint, tmp_path / "lift.pth", size=1.1)
    assert not (tmp_path / "lift.pth").exists()
