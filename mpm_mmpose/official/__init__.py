"""The weights of the authors' release: their names and sizes, how they become ours, and the figures to check by."""
