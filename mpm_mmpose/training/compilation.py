"""torch.compile of the parts of a model that hold its computation."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmpose.registry import HOOKS
from torch import nn

from ..models.layers import SelfAttention


@HOOKS.register_module()
class CompileHook(Hook):
    """Compiles the backbone and the decoders before training, each as one graph; weights keep their names.

    mmengine's own key, ``compile``, compiles the whole training step, which breaks into pieces at the data samples and
    at the numbers that are logged. For GPUs: on a CPU the compiled step was slower than the plain one, see
    docs/performance.md.

    Args:
        options: arguments of torch.compile, such as ``mode`` or ``backend``. A break of the graph is an error.
    """

    def __init__(self, **options: str | bool) -> None:
        self.options = options

    def before_train(self, runner: Runner) -> None:
        """Compile; the first steps take longer."""
        compile_parts(runner.model.module if is_model_wrapper(runner.model) else runner.model, **self.options)
        runner.logger.info("backbone and decoders are compiled: the first steps take some minutes")


def compile_parts(model: nn.Module, **options: str | bool) -> None:
    """Compile the backbone and the children of the head that hold temporal layers, with torch.compile's options."""
    for part in (model.backbone, *model.head.children()):
        if any(isinstance(layer, SelfAttention) for layer in part.modules()):
            part.compile(fullgraph=True, **options)
