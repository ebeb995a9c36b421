"""Registries of mmvseg: children of mmdet's and mmengine's, in the scope ``mmvseg``.

``Registry.build`` looks in mmvseg first and falls back on the parents, so a config may name
mmdet's parts without a prefix.
"""

from mmdet.registry import DATA_SAMPLERS as MMDET_DATA_SAMPLERS
from mmdet.registry import DATASETS as MMDET_DATASETS
from mmdet.registry import EVALUATOR as MMDET_EVALUATOR
from mmdet.registry import HOOKS as MMDET_HOOKS
from mmdet.registry import LOG_PROCESSORS as MMDET_LOG_PROCESSORS
from mmdet.registry import LOOPS as MMDET_LOOPS
from mmdet.registry import METRICS as MMDET_METRICS
from mmdet.registry import MODEL_WRAPPERS as MMDET_MODEL_WRAPPERS
from mmdet.registry import MODELS as MMDET_MODELS
from mmdet.registry import OPTIM_WRAPPER_CONSTRUCTORS as MMDET_OPTIM_WRAPPER_CONSTRUCTORS
from mmdet.registry import OPTIM_WRAPPERS as MMDET_OPTIM_WRAPPERS
from mmdet.registry import OPTIMIZERS as MMDET_OPTIMIZERS
from mmdet.registry import PARAM_SCHEDULERS as MMDET_PARAM_SCHEDULERS
from mmdet.registry import RUNNERS as MMDET_RUNNERS
from mmdet.registry import TASK_UTILS as MMDET_TASK_UTILS
from mmdet.registry import TRANSFORMS as MMDET_TRANSFORMS
from mmdet.registry import VISBACKENDS as MMDET_VISBACKENDS
from mmdet.registry import VISUALIZERS as MMDET_VISUALIZERS
from mmdet.registry import WEIGHT_INITIALIZERS as MMDET_WEIGHT_INITIALIZERS
from mmengine.registry import Registry


def _child(name: str, parent: Registry, locations: list[str]) -> Registry:
    return Registry(name, parent=parent, scope='mmvseg', locations=locations)


MODELS = _child('model', MMDET_MODELS, ['mmvseg.models'])
TASK_UTILS = _child('task util', MMDET_TASK_UTILS, ['mmvseg.models'])
DATASETS = _child('dataset', MMDET_DATASETS, ['mmvseg.datasets'])
DATA_SAMPLERS = _child('data sampler', MMDET_DATA_SAMPLERS, ['mmvseg.datasets'])
TRANSFORMS = _child('transform', MMDET_TRANSFORMS, ['mmvseg.datasets.transforms'])
METRICS = _child('metric', MMDET_METRICS, ['mmvseg.evaluation.metrics'])
HOOKS = _child('hook', MMDET_HOOKS, ['mmvseg.engine'])
LOOPS = _child('loop', MMDET_LOOPS, ['mmvseg.engine'])
# The training parts: mmengine warns at every build whose scope lacks a child of its registry.
EVALUATOR = _child('evaluator', MMDET_EVALUATOR, ['mmvseg.engine'])
LOG_PROCESSORS = _child('log processor', MMDET_LOG_PROCESSORS, ['mmvseg.engine'])
MODEL_WRAPPERS = _child('model wrapper', MMDET_MODEL_WRAPPERS, ['mmvseg.engine'])
OPTIM_WRAPPER_CONSTRUCTORS = _child(
    'optimizer wrapper constructor', MMDET_OPTIM_WRAPPER_CONSTRUCTORS, ['mmvseg.engine']
)
OPTIM_WRAPPERS = _child('optim_wrapper', MMDET_OPTIM_WRAPPERS, ['mmvseg.engine'])
OPTIMIZERS = _child('optimizer', MMDET_OPTIMIZERS, ['mmvseg.engine'])
PARAM_SCHEDULERS = _child('parameter scheduler', MMDET_PARAM_SCHEDULERS, ['mmvseg.engine'])
RUNNERS = _child('runner', MMDET_RUNNERS, ['mmvseg.engine'])
VISBACKENDS = _child('vis backend', MMDET_VISBACKENDS, ['mmvseg.engine'])
VISUALIZERS = _child('visualizer', MMDET_VISUALIZERS, ['mmvseg.engine'])
WEIGHT_INITIALIZERS = _child('weight initializer', MMDET_WEIGHT_INITIALIZERS, ['mmvseg.engine'])
