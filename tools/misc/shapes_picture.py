"""Draw docs/images/shapes.webp: frames of Shapes and their masks, by difficulty.

Example:
    python tools/misc/shapes_picture.py docs/images/shapes.webp
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask

from mmvseg.commands.parser import Parser
from mmvseg.commands.shapes import DIFFICULTIES
from mmvseg.datasets.shapes import THING_CLASSES, ShapesOptions, ShapesWorld
from mmvseg.errors import command_line
from mmvseg.files import file_errors
from mmvseg.visualization import FrameObject, draw_objects

#: Of the validation videos of ``mmvseg shapes --difficulty``: the first.
SEED = [0, 1, 0]
FRAME = 6
SCALE, GAP = 2, 4


def parse_args() -> argparse.Namespace:
    parser = Parser(description=__doc__)
    parser.add_argument('out', type=Path, help='picture to write')
    return parser.parse_args()


@command_line
def main() -> None:
    out = parse_args().out
    columns = [column(difficulty) for difficulty in DIFFICULTIES.values()]
    gap = np.full((columns[0].shape[0], GAP, 3), 255, np.uint8)
    picture = np.concatenate([part for item in columns for part in (gap, item)][1:], axis=1)
    with file_errors(out):
        Image.fromarray(picture).save(out, quality=60, method=6)


def column(difficulty: float) -> np.ndarray:
    """A frame above its masks."""
    world = ShapesWorld(ShapesOptions(difficulty=difficulty), SEED)
    frame = world.render(FRAME)
    visible = np.asfortranarray(frame.instances[..., None] == np.arange(len(world.labels)))
    objects = [
        FrameObject(code, number, f'{THING_CLASSES[label]} #{number}')
        for number, (code, label) in enumerate(
            zip(coco_mask.encode(visible.astype(np.uint8)), world.labels, strict=True)
        )
    ]
    drawn = draw_objects(frame.image, objects, SCALE)
    plain = draw_objects(frame.image, [], SCALE)
    gap = np.full((GAP, plain.shape[1], 3), 255, np.uint8)
    return np.concatenate([plain, gap, drawn])


if __name__ == '__main__':
    main()
