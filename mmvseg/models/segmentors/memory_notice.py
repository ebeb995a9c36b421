"""Says before a long video starts how much of it will be kept."""

import tempfile

from mmengine.logging import print_log

from mmvseg.structures import VideoDataSample

#: Bytes kept of a video from which it is announced.
WORTH_MENTIONING = 2**30


def announce_memory(
    sample: VideoDataSample, frame_bytes: int, memory_limit: int, what: str, keys: str
) -> None:
    """Log what a video will take, if it is much.

    Args:
        sample: names the video and its number of frames, where that is known.
        frame_bytes: kept of each frame.
        memory_limit: bytes that stay in memory; the rest goes to a temporary file.
        what: is kept.
        keys: of ``model.test_cfg`` that change it.
    """
    total = frame_bytes * (sample.get('video_length') or 0)
    if total < WORTH_MENTIONING:
        return
    in_memory = min(total, memory_limit)
    place = f'{in_memory / 2**30:.1f} GiB of them in memory'
    if total > in_memory:
        place += f', {(total - in_memory) / 2**30:.1f} GiB in {tempfile.gettempdir()}'
    print_log(
        f'video {sample.video_name!r}: {sample.video_length} frames keep '
        f'{total / 2**30:.1f} GiB of {what}, {place} (model.test_cfg: {keys})',
        logger='current',
    )
