"""Training of long windows in less memory."""

from functools import partial

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmpose.registry import HOOKS
from torch import nn
from torch.utils.checkpoint import checkpoint

from ..models.layers import StridedLayer, TransformerLayer


@HOOKS.register_module()
class ActivationCheckpointHook(Hook):
    """Temporal layers keep their inputs alone and compute the rest anew in the backward pass.

    A quarter of the memory for a quarter to a third more time, see docs/performance.md; what is learned stays the
    same. MMEngine's own key, ``activation_checkpointing``, is the re-entrant kind: in several processes it refuses our
    pre-training, which uses every layer twice. Frame-wise layers are left alone, as BatchNorm would count each batch
    twice.
    """

    def before_train(self, runner: Runner) -> None:
        """Wrap the layers; CompileHook, if any, comes after this one."""
        checkpoint_layers(runner.model.module if is_model_wrapper(runner.model) else runner.model)


def checkpoint_layers(model: nn.Module) -> None:
    """Make every temporal layer of the model keep its input alone."""
    for layer in model.modules():
        if isinstance(layer, TransformerLayer | StridedLayer):
            layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
