"""Make the clip of ``mmvseg predict --example``: a video of Shapes that is in no data set of it.

Example:
    python tools/misc/example_clip.py mmvseg/examples/shapes.mp4
"""

import argparse
from pathlib import Path

from mmvseg.datasets.shapes import ShapesOptions, ShapesWorld
from mmvseg.errors import command_line, say
from mmvseg.media import VideoWriter

#: Of sets that make_shapes.py writes, the middle number is 0 (training) or 1 (validation).
SEED = [1, 2, 67]
OPTIONS = ShapesOptions(height=288, width=384, length=48, difficulty=0.2)
FPS = 12
CRF = 24


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('out', type=Path, help='mp4 to write')
    return parser.parse_args()


@command_line
def main() -> None:
    out = parse_args().out
    world = ShapesWorld(OPTIONS, SEED)
    with VideoWriter(out, FPS, CRF) as writer:
        for frame in range(OPTIONS.length):
            writer.write(world.render(frame).image)
    say(f'{out}: {OPTIONS.length} frames with {len(world.labels)} objects')


if __name__ == '__main__':
    main()
