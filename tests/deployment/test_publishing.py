import torch

from mpm_mmpose.apis.model_index import build_lifter
from mpm_mmpose.deployment.publishing import write_weights


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
