"""Draw the moving pictures of the docs: a generated video, beside it what trained models find.

For each given model: ``loop_TASK.webp``, input and result, which plays for ever, and ``TASK.png``,
three frames of the result. With models of all three tasks also ``tasks.webp`` and ``tasks.png``:
the video and the three results. Results are drawn as ``mmvseg predict`` draws them. The videos are
in no data set of Shapes; they were chosen among some hundred, for an object that another one hides
and for results that are right.

Example:
    python tools/misc/moving_pictures.py docs/images --instances example://minvis_shapes \
        --panoptic configs/shapes/videomt_shapes_vps.py work_dirs/videomt_shapes_vps/iter_600.pth \
        --semantic configs/shapes/videomt_shapes_vss.py work_dirs/videomt_shapes_vss/iter_600.pth
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from mmvseg.apis import VideoSegInferencer
from mmvseg.commands.parser import Parser
from mmvseg.datasets.shapes import ShapesOptions, ShapesWorld
from mmvseg.errors import command_line, say
from mmvseg.files import file_errors
from mmvseg.results import SegmentedVideo
from mmvseg.visualization import DrawingStyle

#: Of sets that mmvseg shapes writes, the middle number is 0 (training) or 1 (validation).
SEED = [1, 2, 297]
OPTIONS = ShapesOptions(height=240, width=320, length=30, difficulty=0.0)
TASKS = ('instances', 'panoptic', 'semantic')
SCORE = 0.2  # as mmvseg predict
#: Three stills side by side are shown at about half their size.
TEXT_SIZE, STILL_TEXT_SIZE = 11, 17
FPS = 10
REST = 1000  # milliseconds
LOOP_QUALITY, TASKS_QUALITY = 30, 20  # of WebP, 0 to 100
STILLS = (0, 10, 20)
COLORS = 128  # of a PNG
GAP = 4

Images = Sequence[np.ndarray]


def parse_args() -> argparse.Namespace:
    parser = Parser(description=__doc__)
    parser.add_argument('out', type=Path, help='folder to write to')
    for task in TASKS:
        parser.add_argument(f'--{task}', nargs='+', metavar='MODEL', help='config and checkpoint')
    parser.add_argument('--seed', type=int, default=SEED[-1], help='another video')
    parser.add_argument('--frames', type=int, default=OPTIONS.length, help='how many to draw')
    return parser.parse_args()


@command_line
def main() -> None:
    args = parse_args()
    world = ShapesWorld(OPTIONS, [*SEED[:2], args.seed])
    frames = [world.render(t).image for t in range(min(args.frames, OPTIONS.length))]
    given = {task: model for task in TASKS if (model := getattr(args, task))}
    found = {task: segment(model, frames) for task, model in given.items()}
    with file_errors(args.out):
        args.out.mkdir(parents=True, exist_ok=True)
        for task, result in found.items():
            drawn = draw(result, frames, legend=True)
            write_loop(args.out / f'loop_{task}.webp', beside(frames, drawn), LOOP_QUALITY)
            stills = draw(result, frames, legend=True, text_size=STILL_TEXT_SIZE)
            write_still(args.out / f'{task}.png', beside(*([stills[t]] for t in chosen(frames)))[0])
        if len(found) == len(TASKS):
            quarters = [frames, *(draw(result, frames) for result in found.values())]
            tasks = below(beside(*quarters[:2]), beside(*quarters[2:]))
            write_loop(args.out / 'tasks.webp', tasks, TASKS_QUALITY)
            write_still(args.out / 'tasks.png', tasks[chosen(frames)[-1]])
    say(f'{args.out}: pictures of {len(frames)} frames, drawn with {", ".join(found)}')


def segment(model: Sequence[str], frames: Images) -> SegmentedVideo:
    """What ``mmvseg predict`` draws of a video."""
    result = VideoSegInferencer(*model, device='cpu')(frames, fps=FPS)
    return result.above(SCORE).distinct() if result.task == 'vis' else result


def draw(
    result: SegmentedVideo, frames: Images, legend: bool = False, text_size: int = TEXT_SIZE
) -> list[np.ndarray]:
    """The frames with the result on them."""
    return list(result.draw(np.stack(frames), DrawingStyle(text_size=text_size, legend=legend)))


def chosen(images: Images) -> list[int]:
    """Frames of the still pictures: before, while and after the disc is hidden."""
    return [min(index, len(images) - 1) for index in STILLS]


def beside(*columns: Images) -> list[np.ndarray]:
    """Pictures side by side, frame by frame; white below those that are lower."""
    height = max(column[0].shape[0] for column in columns)
    pads = [((0, height - column[0].shape[0]), (0, 0), (0, 0)) for column in columns]
    return [
        _join(
            [
                np.pad(image, pad, constant_values=255)
                for image, pad in zip(images, pads, strict=True)
            ],
            axis=1,
        )
        for images in zip(*columns, strict=True)
    ]


def below(*rows: Images) -> list[np.ndarray]:
    """Pictures below each other, frame by frame."""
    return [_join(images, axis=0) for images in zip(*rows, strict=True)]


def _join(images: Images, axis: int) -> np.ndarray:
    shape = list(images[0].shape)
    shape[axis] = GAP
    gap = np.full(shape, 255, np.uint8)
    parts = [part for image in images for part in (gap, image)]
    return np.concatenate(parts[1:], axis)


def write_loop(path: Path, images: Images, quality: int) -> None:
    """An animated WebP that plays for ever, with a rest at its end."""
    first, *others = (Image.fromarray(image) for image in images)
    durations = [round(1000 / FPS)] * len(others) + [REST]
    first.save(
        path,
        save_all=True,
        append_images=others,
        duration=durations,
        loop=0,
        quality=quality,
        method=4,
        minimize_size=True,
    )


def write_still(path: Path, image: np.ndarray) -> None:
    """A PNG of few colours."""
    Image.fromarray(image).quantize(COLORS, kmeans=4).save(path, optimize=True)


if __name__ == '__main__':
    main()
