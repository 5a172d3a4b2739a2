"""A sampler for evaluation in several processes."""

from __future__ import annotations

from collections.abc import Iterator, Sized

from mmengine.dist import get_dist_info
from mmpose.registry import DATA_SAMPLERS
from torch.utils.data import Sampler


@DATA_SAMPLERS.register_module()
class ContiguousSampler(Sampler):
    """One stretch of the data set for each process, in order; nothing is repeated, so lengths may differ by one.

    mmengine's DefaultSampler deals indices out in turn, which tears neighbouring frames apart, and repeats some where
    the number of processes does not divide them. seed is what mmengine's Runner passes to every sampler.
    """

    def __init__(self, dataset: Sized, seed: int | None = None) -> None:
        rank, ranks = get_dist_info()
        self.indices = range(rank * len(dataset) // ranks, (rank + 1) * len(dataset) // ranks)

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices)

    def __len__(self) -> int:
        return len(self.indices)

    def set_epoch(self, epoch: int) -> None:
        """Nothing changes between epochs; mmengine calls this."""
