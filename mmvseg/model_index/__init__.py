"""The model index: papers, published numbers and weights of the models in ``configs/``.

``model-index.yml`` lists files with OpenMMLab's keys, one a folder of configs. ``reading`` makes
``entries`` of them, ``finding`` looks them up by name, ``listing`` shows them. Nothing here needs
torch.
"""

from .entries import Collection, License, ModelEntry, Result, Weights
from .finding import find_entry, index_file, known_models
from .listing import describe_models
from .reading import load_model_index

__all__ = [
    'Collection',
    'License',
    'ModelEntry',
    'Result',
    'Weights',
    'describe_models',
    'find_entry',
    'index_file',
    'known_models',
    'load_model_index',
]
