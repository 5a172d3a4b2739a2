import torch
from torch import nn

from mpm_mmpose.models.cost import count_flops, count_parameters


class Twice(nn.Module):
    """A layer used twice, one that is frozen, and a list that is not called itself."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 8), nn.Linear(8, 8)])
        self.layers[1].requires_grad_(False)

    def forward(self, x):
        x = self.layers[1](self.layers[1](self.layers[0](x)))
        return x[None] @ x[None].mT


def test_what_is_run_is_counted_by_module_and_operator():
    model = Twice()
    flops, output = count_flops(model, lambda: model(torch.ones(3, 4)))
    first, second, product = 2 * 3 * 4 * 8, 2 * (2 * 3 * 8 * 8), 2 * 3 * 3 * 8
    assert output.shape == (1, 3, 3)
    assert flops("layers.0") == first and flops("layers") == first + second
    assert flops("") == first + second + product and flops("", without=("bmm",)) == first + second
    assert count_parameters(model) == 4 * 8 + 8
