"""Exported models without torch: numpy, OpenCV and onnxruntime run what ``mmvseg export`` wrote.

The export itself, which needs torch, is in :mod:`mmvseg.deploy.export`; it can do without
onnxruntime.
"""

from typing import TYPE_CHECKING, Any

from mmvseg.errors import UserError

if TYPE_CHECKING:
    from .video_model import DeployedModel

__all__ = ['DeployedModel']


def __getattr__(name: str) -> Any:
    if name != 'DeployedModel':
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    try:
        from .video_model import DeployedModel
    except ModuleNotFoundError as error:
        if error.name != 'onnxruntime':
            raise
        raise UserError(
            'mmvseg.deploy needs the package onnxruntime, which is not installed; run: pip install '
            'onnxruntime'
        ) from error
    return DeployedModel
