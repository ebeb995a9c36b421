"""Replay recorded cases of the published systems: same weights and inputs, compare outputs."""

from collections.abc import Callable

from .case import Case, Comparison, Row, is_case, load_case, prepared
from .dvis_heads import replay_panoptic, replay_semantic
from .dvis_losses import replay_criterion, replay_loss, replay_matching
from .dvis_segmenter import replay_frame_decoder, replay_pixel_decoder, replay_segmenter
from .dvis_tracking import replay_referring_tracker, replay_temporal_refiner
from .dvis_video import replay_minvis_post, replay_video
from .tevit_model import replay_tevit_loss, replay_tevit_predict
from .tevit_parts import (
    replay_backbone,
    replay_dynamic_mask_head,
    replay_hungarian_assigner,
    replay_stqi_head,
)
from .videomt_losses import replay_loss as replay_videomt_loss
from .videomt_network import (
    replay_encoder_queries,
    replay_masked_attention,
    replay_pmt_stream,
    replay_stream,
)
from .videomt_video import replay_result

#: The known kinds of cases: what runs one and records how its outputs compare.
REPLAYERS: dict[str, Callable[[Case, Comparison], None]] = dict(
    backbone=replay_backbone,
    criterion=replay_criterion,
    dvis_offline_loss=replay_loss,
    dvis_offline_vis=replay_video,
    dvis_offline_vps=replay_panoptic,
    dvis_offline_vss=replay_semantic,
    dvis_online_loss=replay_loss,
    dvis_online_vis=replay_video,
    dvis_online_vps=replay_panoptic,
    dvis_online_vss=replay_semantic,
    dynamic_mask_head=replay_dynamic_mask_head,
    eomt_masked_attention=replay_masked_attention,
    frame_decoder=replay_frame_decoder,
    hungarian_assigner=replay_hungarian_assigner,
    matching=replay_matching,
    minvis_loss=replay_loss,
    minvis_post=replay_minvis_post,
    minvis_vis=replay_video,
    pixel_decoder=replay_pixel_decoder,
    referring_tracker=replay_referring_tracker,
    pmt_loss=replay_videomt_loss,
    pmt_stream=replay_pmt_stream,
    pmt_vis=replay_result,
    resnet_segmenter=replay_segmenter,
    stqi_head=replay_stqi_head,
    swin_segmenter=replay_segmenter,
    temporal_refiner=replay_temporal_refiner,
    tevit_loss=replay_tevit_loss,
    tevit_predict=replay_tevit_predict,
    video_stream=replay_stream,
    videomt_loss=replay_videomt_loss,
    videomt_segmenter_loss=replay_videomt_loss,
    videomt_vis=replay_result,
    videomt_vps=replay_result,
    videomt_vss=replay_result,
    vit_encoder_queries=replay_encoder_queries,
)

__all__ = ['REPLAYERS', 'Case', 'Comparison', 'Row', 'is_case', 'load_case', 'prepared']
