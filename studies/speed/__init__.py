"""Benchmarks of training, data, export and video, and what follows for many GPUs."""
