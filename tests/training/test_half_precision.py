import torch
from mmpose.registry import OPTIM_WRAPPERS
from torch import nn


def test_products_are_bfloat16_and_weights_stay_float32():
    model = nn.Linear(8, 4)
    wrapper = OPTIM_WRAPPERS.build(
        dict(type="Bfloat16OptimWrapper", optimizer=torch.optim.SGD(model.parameters(), lr=0.1))
    )
    before = model.weight.detach().clone()
    with wrapper.optim_context(model):
        out = model(torch.ones(2, 8))
        assert out.dtype == torch.bfloat16
        loss = out.float().sum()
    wrapper.update_params(loss)
    assert model.weight.dtype == torch.float32
    torch.testing.assert_close(before - model.weight, torch.full((4, 8), 0.2), atol=1e-6, rtol=0)
    assert model(torch.ones(2, 8)).dtype == torch.float32  # outside of the step
