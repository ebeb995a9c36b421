"""Which frames of a video make a training clip (TeViT, section 4.1, and DVIS)."""

from dataclasses import dataclass

import numpy as np

from mmvseg.errors import UserError


@dataclass(frozen=True)
class ClipSampling:
    """An anchor frame and others drawn around it.

    The published code draws another anchor where a video has fewer than ``num_frames`` annotated
    frames, and stops at a video with one; here such a video's frames are repeated instead, so every
    annotated frame is trained on.

    Attributes:
        num_frames: frames of a clip, the anchor included.
        frame_range: the others are at most this many frames from the anchor; None: the whole video.
        sort: bring the frames into order of time; False: the anchor first, the others as drawn.
    """

    num_frames: int = 5
    frame_range: int | None = None
    sort: bool = False

    def draw(self, anchor: int, valid: np.ndarray, rng: np.random.Generator) -> list[int]:
        """Frame indices of a clip.

        Args:
            anchor: index of the anchor frame.
            valid: indices of the video's annotated frames, the anchor among them.
            rng: source of the draw.
        """
        count = self.num_frames - 1
        others = valid[valid != anchor]
        if self.frame_range is not None:
            others = others[np.abs(others - anchor) <= self.frame_range]
        if len(others) >= count:
            drawn = rng.choice(others, count, replace=False)
        else:
            pool = np.append(others, anchor)
            repeats = rng.choice(pool, count - len(others))
            drawn = rng.permutation(np.concatenate([others, repeats]))
        frames = [anchor, *drawn.tolist()]
        return sorted(frames) if self.sort else frames


@dataclass(frozen=True)
class ConsecutiveSampling:
    """A run of neighbouring frames that begins anywhere; one clip a video and round.

    The published code never uses a video's last frame unless the run is as long as the video; here
    all starts are equally likely. Where a video is shorter than the run, the published code appends
    frames drawn at random; here they are put in order of time as well.

    Attributes:
        num_frames: frames of a clip; 1 draws one frame of the video.
        reverse_prob: how often the frames come backwards in time, 0..1.
    """

    num_frames: int = 5
    reverse_prob: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.reverse_prob <= 1:
            raise UserError(f'dataset.clip.reverse_prob = {self.reverse_prob}: must be from 0 to 1')

    def draw(self, length: int, rng: np.random.Generator) -> list[int]:
        """Frame indices of a clip.

        Args:
            length: frames of the video, annotated or not.
            rng: source of the draw.
        """
        spare = length - self.num_frames
        if spare >= 0:
            start = int(rng.integers(spare + 1))
            frames = list(range(start, start + self.num_frames))
        else:
            frames = sorted([*range(length), *rng.integers(length, size=-spare).tolist()])
        return frames[::-1] if rng.random() < self.reverse_prob else frames
