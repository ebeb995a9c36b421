"""mmvseg: video instance, panoptic and semantic segmentation."""

from . import compat

__version__ = '0.2.0'

compat.apply()
