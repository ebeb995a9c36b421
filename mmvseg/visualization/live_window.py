"""A window on the screen that shows frames as they come."""

import subprocess
import sys

import cv2
import numpy as np

from mmvseg.errors import UserError

_PROBE = 'import cv2; cv2.namedWindow("probe"); cv2.destroyAllWindows()'
_ESCAPE = 27


class LiveWindow:
    """Shows frames until the user closes it or presses q or Escape.

    Args:
        title: of the window.
        pixel_aspect: width of the frames' pixels by their height; those of screens are square.

    Raises:
        UserError: if there is no display, or OpenCV was built without windows.

    Example:
        >>> with LiveWindow('street') as window:  # doctest: +SKIP
        ...     going_on = window.show(image)
    """

    def __init__(self, title: str, pixel_aspect: float = 1.0) -> None:
        # Without a display the window library ends the whole process; a second one finds out.
        probe = subprocess.run([sys.executable, '-c', _PROBE], capture_output=True, text=True)
        if probe.returncode:
            reason = next(iter(probe.stderr.strip().splitlines()), 'no reason given')
            raise UserError(
                f'no window can be shown here ({reason}); leave out --show, or use a computer with '
                'a display and opencv-python (not opencv-python-headless)'
            )
        self._title, self._pixel_aspect = title, pixel_aspect
        cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)

    def show(self, image: np.ndarray) -> bool:
        """Show a frame, RGB uint8 (H, W, 3); False once the user wants to stop."""
        if self._pixel_aspect != 1:
            image = cv2.resize(image, None, fx=self._pixel_aspect, fy=1)
        cv2.imshow(self._title, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        if cv2.waitKey(1) & 0xFF in (ord('q'), _ESCAPE):
            return False
        return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1

    def __enter__(self) -> 'LiveWindow':
        return self

    def __exit__(self, *error) -> None:
        cv2.destroyAllWindows()
