"""Registries of mmvseg: children of mmdet's and mmengine's, in the scope ``mmvseg``.

``Registry.build`` looks in mmvseg first and falls back on the parents, so a config may name
mmdet's parts without a prefix.
"""

from mmdet.registry import DATA_SAMPLERS as MMDET_DATA_SAMPLERS
from mmdet.registry import DATASETS as MMDET_DATASETS
from mmdet.registry import HOOKS as MMDET_HOOKS
from mmdet.registry import LOOPS as MMDET_LOOPS
from mmdet.registry import METRICS as MMDET_METRICS
from mmdet.registry import MODELS as MMDET_MODELS
from mmdet.registry import TASK_UTILS as MMDET_TASK_UTILS
from mmdet.registry import TRANSFORMS as MMDET_TRANSFORMS
from mmengine.registry import Registry


def _child(name: str, parent: Registry, locations: list[str]) -> Registry:
    return Registry(name, parent=parent, scope='mmvseg', locations=locations)


MODELS = _child('model', MMDET_MODELS, ['mmvseg.models'])
TASK_UTILS = _child('task util', MMDET_TASK_UTILS, ['mmvseg.models'])
DATASETS = _child('dataset', MMDET_DATASETS, ['mmvseg.datasets'])
DATA_SAMPLERS = _child('data sampler', MMDET_DATA_SAMPLERS, ['mmvseg.datasets'])
TRANSFORMS = _child('transform', MMDET_TRANSFORMS, ['mmvseg.datasets.transforms'])
METRICS = _child('metric', MMDET_METRICS, ['mmvseg.evaluation'])
HOOKS = _child('hook', MMDET_HOOKS, ['mmvseg.engine'])
LOOPS = _child('loop', MMDET_LOOPS, ['mmvseg.engine'])
