"""What every model may take for granted of the windows that it gets."""

from mmvseg.errors import UserError, counted
from mmvseg.structures import VideoWindow


class UnfinishedVideoWarning(UserWarning):
    """A video's last window never came; the result covers the frames before."""


class WindowOrder:
    """Refuses windows that do not continue their video, or change its frame size.

    Attributes:
        video_name: the video whose last window has not come yet; None between videos.
        num_frames: how many of its frames have come.
    """

    def __init__(self) -> None:
        self.video_name: str | None = None
        self.num_frames = 0
        self._size: tuple[int, int] | None = None

    def check(self, window: VideoWindow) -> None:
        """Take the next window into account.

        Raises:
            UserError: naming the video, the frame, and what is there and what was expected.
        """
        name, frame_ids = window.sample.video_name, list(window.sample.frame_ids)
        num_frames, size = len(window.frames), tuple(window.frames.shape[-2:])
        if window.is_first:
            self.video_name, self.num_frames, self._size = name, 0, size
        if name != self.video_name:
            before = f'video {self.video_name!r} is open' if self.video_name else 'no video is open'
            raise UserError(
                f'video {name!r}: a window of it comes while {before}; a video begins with its '
                'first frame (is_first), and its windows follow each other'
            )
        expected = list(range(self.num_frames, self.num_frames + num_frames))
        if not num_frames or frame_ids != expected:
            raise UserError(
                f'video {name!r}: a window of {counted(num_frames, "frames")} names the frames '
                f'{_shorten(frame_ids)}; frame {self.num_frames} was to come next, and a window '
                'holds one frame or more'
            )
        if size != self._size:
            raise UserError(
                f'video {name!r}: frame {self.num_frames} is {size[1]}x{size[0]} pixels after '
                f'resizing, the frames before are {self._size[1]}x{self._size[0]}; all frames of a '
                'video need one size'
            )
        self.num_frames += num_frames
        if window.is_last:
            self.video_name = None


def _shorten(frame_ids: list[int]) -> str:
    if len(frame_ids) <= 4:
        return str(frame_ids)
    first, second, *_, last = frame_ids
    return f'[{first}, {second}, ..., {last}]'
