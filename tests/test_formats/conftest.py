"""Fixtures of a tiny data set."""

from tiny_dataset import content, make_dataset, shapes_dir, write  # noqa: F401
