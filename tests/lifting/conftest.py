"""What is logged, beside a walk that was lifted without error."""

from lifted_walk import said  # noqa: F401
