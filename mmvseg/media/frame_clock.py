"""When the frames of a video are shown, whatever their file says."""

from fractions import Fraction


class FrameClock:
    """The times of a video's frames: from 0 on, never back.

    A frame without a time comes one period after the one before, and so does one whose time lies
    before that or very far behind it: the clock was set anew, and what follows is counted on from
    there. Of two frames with one time, the second comes half a period later.

    Args:
        fps: frames per second.
    """

    #: A picture may stand still for long, but no longer than this, in seconds.
    LONGEST_GAP_S = 3600.0

    def __init__(self, fps: Fraction) -> None:
        self._period_s = float(1 / fps)
        self._last_s: float | None = None
        self._offset_s: float | None = None

    def place(self, stated_s: float | None) -> float:
        """Seconds from the first frame to the next one, given the time that the file states."""
        last_s = self._last_s
        known = stated_s is not None and self._offset_s is not None
        seconds = stated_s + self._offset_s if known else -1.0
        if last_s is None:
            seconds = 0.0
        elif not last_s <= seconds <= last_s + self.LONGEST_GAP_S:
            seconds = last_s + self._period_s
            known = False
        elif seconds == last_s:
            seconds += self._period_s / 2
        if stated_s is not None and not known:
            self._offset_s = seconds - stated_s
        self._last_s = seconds
        return seconds


def is_steady(times_s: list[float], fps: Fraction) -> bool:
    """Whether frames follow each other at a rate, but for what containers round."""
    return all(abs(time_s - index / fps) < 1e-3 for index, time_s in enumerate(times_s))
