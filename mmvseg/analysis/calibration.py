"""Whether scores say how often tracks are right, and which score to cut at."""

import numpy as np

from mmvseg.formats.youtube_vis import YouTubeVIS

from .video_analysis import VideoAnalysis

#: Bins of equal width over the scores from 0 to 1.
NUM_BINS = 10


class Calibration:
    """Collects scores and whether the track is right at IoU 0.5, as AP counts it.

    Tracks that AP ignores, such as those on crowds, are left out.

    Args:
        truth: the ground truth.
    """

    def __init__(self, truth: YouTubeVIS) -> None:
        self._scores: list[np.ndarray] = [np.zeros(0)]
        self._right: list[np.ndarray] = [np.zeros(0, bool)]
        self._num_objects = 0

    def add(self, video: VideoAnalysis) -> None:
        """Take a video."""
        matching = video.found.matching
        counted = matching.right | matching.wrong
        self._scores.append(video.tubes.scores[counted])
        self._right.append(matching.right[counted])
        self._num_objects += int(video.overlap.counted.sum())

    def numbers(self) -> dict:
        """How well scores are calibrated, all classes together.

        Returns:
            A dict of these entries.

            ``bins``: for each the scores ``low`` to ``high``, the number of ``tracks``, their
            ``mean_score`` and the fraction that is ``right``, None without tracks; scores below 0
            and above 1 are in the first and in the last one.
            ``expected_calibration_error``: mean over the tracks of the distance of the two in
            their bin; None without tracks.
            ``best_f1``: the highest ``threshold`` with the best ``f1`` of the tracks from this
            score on, their ``precision`` and their ``recall``; None if no track is right.
        """
        scores, right = np.concatenate(self._scores), np.concatenate(self._right)
        bin_of = np.clip(np.floor(scores * NUM_BINS), 0, NUM_BINS - 1).astype(int)
        bins = [_bin(b, scores[bin_of == b], right[bin_of == b]) for b in range(NUM_BINS)]
        distance = sum(
            entry['tracks'] * abs(entry['mean_score'] - entry['right'])
            for entry in bins
            if entry['tracks']
        )
        return dict(
            bins=bins,
            expected_calibration_error=float(distance / len(scores)) if len(scores) else None,
            best_f1=_best_f1(scores, right, self._num_objects),
        )


def _bin(index: int, scores: np.ndarray, right: np.ndarray) -> dict:
    return dict(
        low=index / NUM_BINS,
        high=(index + 1) / NUM_BINS,
        tracks=len(scores),
        mean_score=float(scores.mean()) if len(scores) else None,
        right=float(right.mean()) if len(scores) else None,
    )


def _best_f1(scores: np.ndarray, right: np.ndarray, num_objects: int) -> dict | None:
    if not right.any():
        return None
    order = np.argsort(-scores, kind='stable')
    # Tracks of one score are kept or cut together: a cut is after the last of them.
    cuts = np.flatnonzero(np.append(np.diff(scores[order]), -1))
    true = np.cumsum(right[order])[cuts]
    f1 = 2 * true / (cuts + 1 + num_objects)
    best = f1.argmax()
    return dict(
        threshold=float(scores[order][cuts[best]]),
        f1=float(f1[best]),
        precision=float(true[best] / (cuts[best] + 1)),
        recall=float(true[best] / num_objects),
    )
