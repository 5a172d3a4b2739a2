import logging
from types import SimpleNamespace

import pytest
import small_models
import torch
from mmengine.registry import init_default_scope
from mmpose.registry import HOOKS, MODELS
from small_models import LIFT, PRETRAIN

import mpm_mmpose.register  # noqa: F401
from mpm_mmpose.training.compilation import compile_parts


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmpose")
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def train(config, compiled, drop=0.1):
    """Losses of three steps with other masks in each, and how many graphs were made."""
    torch.manual_seed(0)
    model = MODELS.build(config).train()
    for layer in model.modules():
        if isinstance(layer, torch.nn.Dropout):
            layer.p = drop
    graphs = []

    def backend(graph: torch.fx.GraphModule, _: list):
        graphs.append(graph)
        return graph.forward

    if compiled:
        compile_parts(model, backend=backend)
    return small_models.train(model), len(graphs)


MODELS_AND_PARTS = pytest.mark.parametrize(("config", "parts"), [(PRETRAIN, 4), (LIFT, 2)], ids=["pretrain", "lift"])


@MODELS_AND_PARTS
def test_parts_are_one_graph_each_and_never_compiled_again(config, parts):
    """Pre-training: the backbone of 2D, of 3D, and two decoders. A break of a graph would raise."""
    assert train(config, compiled=True)[1] == parts


@MODELS_AND_PARTS
def test_compiled_parts_learn_the_same(config, parts):
    plain, graphs = train(config, compiled=False, drop=0.0)
    assert graphs == 0
    torch.testing.assert_close(train(config, compiled=True, drop=0.0)[0], plain, rtol=1e-5, atol=1e-6)


def test_the_hook_compiles_before_training_and_weights_keep_their_names():
    model = MODELS.build(LIFT)
    names = list(model.state_dict())

    runner = SimpleNamespace(model=model, logger=logging.getLogger())
    HOOKS.build(dict(type="CompileHook", backend="eager")).before_train(runner)
    assert list(model.state_dict()) == names
    compiled = [name for name, part in model.named_modules() if part._compiled_call_impl is not None]
    assert compiled == ["backbone", "head.decoder"]
