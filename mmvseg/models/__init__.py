from .backbones import *  # noqa: F403
from .data_preprocessor import VideoDataPreprocessor
from .heads import *  # noqa: F403
from .losses import *  # noqa: F403
from .segmentors import *  # noqa: F403
from .segmentors import __all__ as _segmentors
from .task_modules import *  # noqa: F403
from .trackers import *  # noqa: F403

__all__ = ['VideoDataPreprocessor', *_segmentors]
