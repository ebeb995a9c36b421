"""What ships with the package so that there is something to see at once: a model and a clip.

The model is the small MinVIS of ``configs/shapes/minvis_shapes_example.py``, trained on videos of
Shapes; ``tools/misc/example_clip.py`` makes the clip, which was in no training set.
"""

from pathlib import Path

from mmvseg.errors import UserError

_FOLDER = Path(__file__).parent
#: What names of shipped checkpoints begin with.
SCHEME = 'example://'
#: The model's name, where a model or a checkpoint is asked for.
NAME = f'{SCHEME}minvis_shapes'
#: Name of the model's config.
CONFIG = 'minvis_shapes_example'
#: Its weights, named as publishing names them.
CHECKPOINT = _FOLDER / 'minvis_shapes-3658640d.safetensors'
#: A video of 48 frames in which shapes move, 384 x 288.
CLIP = _FOLDER / 'shapes.mp4'


def checkpoint_path(name: str) -> Path:
    """The file of ``example://NAME``.

    Raises:
        UserError: there is none of that name.
    """
    if f'{SCHEME}{name}' != NAME:
        raise UserError(f'checkpoint {SCHEME}{name}: there is {NAME} only')
    return CHECKPOINT


def shown_checkpoint(path: str | Path) -> str:
    """What messages call a checkpoint: its path, of the example the name that stands for it."""
    return NAME if Path(path) == CHECKPOINT else str(path)
