"""Which frames of a video make a training clip (TeViT, section 4.1)."""

from dataclasses import dataclass

import numpy as np


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
