from types import SimpleNamespace

import torch
from mmpose.registry import HOOKS

import mpm_mmpose.register  # noqa: F401


def test_tf32_is_allowed_during_the_run_alone():
    assert not torch.backends.cuda.matmul.allow_tf32
    hook, runner = HOOKS.build(dict(type="TF32Hook")), SimpleNamespace()
    hook.before_run(runner)
    assert torch.backends.cuda.matmul.allow_tf32
    hook.after_run(runner)
    assert not torch.backends.cuda.matmul.allow_tf32
