from .frame_query_head import FrameQueryHead
from .pixel_decoder import PixelDecoder
from .roi_extractor import FrameRoIExtractor
from .stqi_head import STQIHead
from .tevit_mask_head import TeViTMaskHead
from .tevit_roi_head import TeViTRoIHead
from .token_query_head import TokenQueryHead

__all__ = [
    'FrameQueryHead',
    'FrameRoIExtractor',
    'PixelDecoder',
    'STQIHead',
    'TeViTMaskHead',
    'TeViTRoIHead',
    'TokenQueryHead',
]
