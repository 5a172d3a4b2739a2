"""What a training step waits for on many GPUs: arithmetic alone, from measured sizes and assumed machines.

Seconds and bytes throughout, but for the fields of `Machine`, which carry their units in their names.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

GIGA = 1e9
#: A window in a node's memory: read from the store, written to the batch, read and written to be pinned, read by a GPU.
PASSES = 5
#: The part of a step's products that is the backward pass, during which gradients are sent.
BACKWARD = 2 / 3


@dataclass(frozen=True)
class Machine:
    """Assumptions: no GPU, network or storage was measured for them."""

    product_tflops: float = 600  # bf16 product of large matrices on a GPU
    share: float = 0.20  # of it that a training step reaches
    step_floor_ms: float = 4  # a step however few its windows: starting kernels, optimizer
    gpus_a_node: int = 8
    link_gb_s: float = 200  # of a GPU to the others of its node, in an all-reduce
    network_gb_s: float = 50  # of a node
    latency_us: float = 20  # of one hop of a message
    workers: int = 2  # of a loader, a GPU; as in the configs
    worker_gb_s: float = 0.8  # of windows that a worker cuts
    memory_gb_s: float = 300  # of a node
    node_memory_gb: float = 1000
    storage_gb_s: float = 2  # of a node, small pieces at random places
    price: float = 3  # dollars a GPU and hour


@dataclass(frozen=True)
class Workload:
    """Windows to train on, and what one of them and one step cost: counted and measured."""

    name: str
    windows: int
    epochs: float
    flops: float  # a window
    frame_bytes: int  # in the store
    window_bytes: int  # as it comes out of the data set
    device_bytes: int  # a frame in a store on the device
    gradients: tuple[int, ...]  # bytes of each message
    batchnorm: tuple[int, ...]  # statistics of all ranks
    other: tuple[int, ...]  # with statistics of all ranks
    other_each: tuple[int, ...]  # with statistics of each rank

    @property
    def store_bytes(self) -> int:
        """Of the store, which has one frame per window."""
        return self.windows * self.frame_bytes


@dataclass(frozen=True)
class Step:
    """Seconds of one step; the four named parts go on at once, and the longest holds up the others."""

    products: float
    compute: float
    messages: float
    loader: float
    memory: float
    storage: float

    @property
    def total(self) -> float:
        """Of the step."""
        return max(self.compute + self.messages, self.loader, self.memory, self.storage)

    @property
    def held_up_by(self) -> str:
        """What is saturated first."""
        feeding = dict(loaders=self.loader, memory=self.memory, storage=self.storage)
        name = max(feeding, key=feeding.get)
        if feeding[name] > self.compute + self.messages:
            return name
        parts = dict(messages=self.messages, products=self.products)
        parts["starting kernels"] = self.compute if self.compute > self.products else 0.0
        return max(parts, key=parts.get)


def nodes(machine: Machine, gpus: int) -> int:
    """How many it takes."""
    return math.ceil(gpus / machine.gpus_a_node)


def all_reduce(machine: Machine, gpus: int, size: float) -> float:
    """Seconds to sum `size` bytes over all GPUs: within nodes, between them, and a tree's hops up and down."""
    if gpus == 1:
        return 0.0
    inside = min(gpus, machine.gpus_a_node)
    seconds = 2 * (inside - 1) / inside * size / (machine.link_gb_s * GIGA)
    seconds += network_bytes(machine, gpus, size) / (machine.network_gb_s * GIGA)
    return seconds + 2 * math.ceil(math.log2(gpus)) * machine.latency_us * 1e-6


def network_bytes(machine: Machine, gpus: int, size: float) -> float:
    """What a node sends to the others to sum `size` bytes over all GPUs."""
    number = nodes(machine, gpus)
    return 2 * (number - 1) / number * size


def step(workload: Workload, machine: Machine, gpus: int, batch: int, sync_batchnorm: bool = True) -> Step:
    """One step of `batch` windows over all GPUs."""
    mine = batch / gpus
    products = mine * workload.flops / (machine.product_tflops * 1e12 * machine.share)
    compute = max(products, machine.step_floor_ms * 1e-3)
    sent = [all_reduce(machine, gpus, size) for size in workload.gradients]
    # The last message leaves when the backward pass ends.
    messages = max(sent[-1], sum(sent) - BACKWARD * compute)
    if sync_batchnorm:
        # Between one layer and the next, so never while something else goes on; in pairs, as GPUs send them.
        pairs = zip(workload.batchnorm[::2], workload.batchnorm[1::2], strict=True)
        messages += sum(all_reduce(machine, gpus, sum(pair)) for pair in pairs)
    other = workload.other if sync_batchnorm else workload.other_each
    messages += sum(all_reduce(machine, gpus, size) for size in other)
    cut = mine * workload.window_bytes
    on_node = cut * min(gpus, machine.gpus_a_node)
    missing = max(0.0, 1 - machine.node_memory_gb * GIGA / workload.store_bytes)
    return Step(
        products=products,
        compute=compute,
        messages=messages,
        loader=cut / (machine.workers * machine.worker_gb_s * GIGA),
        memory=on_node * PASSES / (machine.memory_gb_s * GIGA),
        storage=on_node * missing / (machine.storage_gb_s * GIGA),
    )


def hours(workload: Workload, batch: int, seconds_a_step: float) -> float:
    """Of the whole training."""
    return workload.windows * workload.epochs / batch * seconds_a_step / 3600
