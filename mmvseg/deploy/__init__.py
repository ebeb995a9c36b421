"""Exported models without torch: numpy, OpenCV and onnxruntime run what ``mmvseg export`` wrote.

The export itself, which needs torch, is in :mod:`mmvseg.deploy.export`.
"""

from mmvseg.errors import UserError

try:
    from .video_model import DeployedModel
except ModuleNotFoundError as error:
    if error.name != 'onnxruntime':
        raise
    raise UserError(
        'mmvseg.deploy needs the package onnxruntime, which is not installed; run: pip install '
        'onnxruntime'
    ) from error

__all__ = ['DeployedModel']
