"""Models by name, address or file: ``find`` says which config and weights are meant, ``install``
fetches published weights, converts them and keeps the result in the cache.
"""

from .find import find_checkpoint, find_model
from .install import install_model

__all__ = ['find_checkpoint', 'find_model', 'install_model']
