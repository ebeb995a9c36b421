"""What is tried: a sound command on files of which one is broken, and what must come of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from random import Random

from fuzz_scene import Scene
from fuzz_server import Limits, Outcome


class Expect(Enum):
    """What must come of an input; all but the first say more than 'no violation'."""

    ANYTHING = 'results or one message'
    REFUSED = 'one message and a status other than 0'
    SAME = 'the results of the sound input'
    REFUSED_OR_SAME = 'one message, or the results of the sound input'


@dataclass(frozen=True)
class Command:
    """A run of a tool on a part of the scene.

    Attributes:
        part: of the scene.
        tool: below ``tools/``.
        args: of the command line.
        outputs: files and folders that it writes.
        says: whether what it prints is its result.
    """

    part: str
    tool: str
    args: str
    outputs: tuple[str, ...] = ()
    says: bool = False


_FEW = '--no-validate --work-dir fresh --cfg-options train_cfg.max_iters=2'
_DEMO = '--device cpu --out out.mp4 --json found.json --maps maps'
COMMANDS = dict(
    train=Command('vis', 'train', f'toy.py {_FEW}', ('fresh',)),
    train_validate=Command(
        'vis', 'train', f'toy.py {_FEW} train_cfg.val_interval=2'.replace('--no-validate', ''),
        ('fresh',),
    ),
    train_from=Command('vis', 'train', f'toy.py {_FEW} load_from=toy.pth', ('fresh',)),
    train_from_legacy=Command('vis', 'train', f'toy.py {_FEW} load_from=legacy.pth', ('fresh',)),
    train_from_safe=Command(
        'vis', 'train', f'toy.py {_FEW} load_from=toy.safetensors', ('fresh',)
    ),
    train_from_pickle=Command('vis', 'train', f'toy.py {_FEW} load_from=toy.pkl', ('fresh',)),
    train_json=Command('vis', 'train', f'toy.json {_FEW}', ('fresh',)),
    train_yaml=Command('vis', 'train', f'toy.yaml {_FEW}', ('fresh',)),
    resume=Command(
        'vis', 'train',
        'toy.py --no-validate --work-dir work --resume --cfg-options train_cfg.max_iters=6',
        ('work',),
    ),
    resume_from=Command(
        'vis', 'train', 'toy.py --no-validate --work-dir fresh --resume toy.pth --cfg-options '
        'train_cfg.max_iters=6', ('fresh',),
    ),
    resume_legacy=Command(
        'vis', 'train', 'toy.py --no-validate --work-dir fresh --resume legacy.pth --cfg-options '
        'train_cfg.max_iters=6', ('fresh',),
    ),
    test=Command('vis', 'test', 'toy.py toy.pth --out numbers.json', ('numbers.json',)),
    test_legacy=Command('vis', 'test', 'toy.py legacy.pth --out numbers.json', ('numbers.json',)),
    test_safe=Command(
        'vis', 'test', 'toy.py toy.safetensors --out numbers.json', ('numbers.json',)
    ),
    test_json=Command('vis', 'test', 'toy.json toy.pth --out numbers.json', ('numbers.json',)),
    test_vis=Command('vis', 'test_vis', 'toy.py toy.pth --out results', ('results',)),
    test_vis_yaml=Command('vis', 'test_vis', 'toy.yaml toy.pth --out results', ('results',)),
    ytvis=Command(
        'vis', 'evaluate', 'ytvis data/train.json results.json --out numbers.json',
        ('numbers.json',), True,
    ),
    ovis=Command('vis', 'evaluate', 'ovis data/train.json results.json', (), True),
    hota=Command(
        'vis', 'evaluate', 'hota data/train.json results.json --out numbers.json',
        ('numbers.json',), True,
    ),
    davis=Command(
        'vis', 'evaluate', 'davis data/train.json results.json --out numbers.json',
        ('numbers.json',), True,
    ),
    burst=Command(
        'vis', 'evaluate', 'burst data/train.json results.json --out numbers.json',
        ('numbers.json',), True,
    ),
    check=Command(
        'vis', 'dataset_converters/check_dataset', 'data/train.json data/JPEGImages', (), True
    ),
    check_json=Command(
        'vis', 'dataset_converters/check_dataset', 'data/train.json --no-frames', (), True
    ),
    draw=Command(
        'vis', 'visualize_results',
        'results.json --ann data/train.json --root data/JPEGImages --out drawn --contact-sheet',
        ('drawn',),
    ),
    demo_toy=Command(
        'vis', 'demo_video', f'data/JPEGImages/v0 toy.py toy.pth {_DEMO}',
        ('out.mp4', 'found.json', 'maps'),
    ),
    publish=Command(
        'vis', 'model_converters/publish_model', 'toy.pth published/model.pth', ('published',)
    ),
    publish_legacy=Command(
        'vis', 'model_converters/publish_model', 'legacy.pth published/model.safetensors',
        ('published',),
    ),
    print_py=Command('vis', 'misc/print_config', 'toy.py', (), True),
    print_json=Command('vis', 'misc/print_config', 'toy.json', (), True),
    print_yaml=Command('vis', 'misc/print_config', 'toy.yaml', (), True),
    train_coco=Command('coco', 'train', f'coco.py {_FEW}', ('fresh',)),
    check_coco=Command(
        'coco', 'dataset_converters/check_dataset', 'data/coco.json data/images', (), True
    ),
    train_vps=Command('vps', 'train', f'maps.py {_FEW}', ('fresh',)),
    test_vps=Command('vps', 'test', 'maps.py maps.pth --out numbers.json', ('numbers.json',)),
    test_vis_vps=Command('vps', 'test_vis', 'maps.py maps.pth --out out', ('out',)),
    vpq=Command('vps', 'evaluate', 'vpq data results --out numbers.json', ('numbers.json',), True),
    stq=Command('vps', 'evaluate', 'stq data results --out numbers.json', ('numbers.json',), True),
    check_vps=Command(
        'vps', 'dataset_converters/check_dataset', 'data/panoptic_gt_VIPSeg_val.json data/images',
        (), True,
    ),
    draw_vps=Command(
        'vps', 'visualize_results',
        'results --ann data/panoptic_gt_VIPSeg_val.json --out drawn --contact-sheet', ('drawn',),
    ),
    train_vss=Command('vss', 'train', f'maps.py {_FEW}', ('fresh',)),
    test_vss=Command('vss', 'test', 'maps.py maps.pth --out numbers.json', ('numbers.json',)),
    test_vis_vss=Command('vss', 'test_vis', 'maps.py maps.pth --out out', ('out',)),
    vss=Command(
        'vss', 'evaluate', 'vss data results --split val --out numbers.json', ('numbers.json',),
        True,
    ),
    check_vss=Command('vss', 'dataset_converters/check_dataset', 'data/val.txt', (), True),
    draw_vss=Command(
        'vss', 'visualize_results', 'results --ann data/val.txt --out drawn --contact-sheet',
        ('drawn',),
    ),
    vpq_small=Command(
        'small', 'evaluate', 'vpq gt pred --out numbers.json', ('numbers.json',), True
    ),
    stq_small=Command(
        'small', 'evaluate', 'stq gt pred --out numbers.json', ('numbers.json',), True
    ),
    resize=Command(
        'release', 'dataset_converters/vipseg_to_720p', 'release resized --size 24 --jobs 1',
        ('resized',),
    ),
    demo_mp4=Command(
        'media', 'demo_video', f'clip.mp4 squares.py squares.pth {_DEMO}',
        ('out.mp4', 'found.json', 'maps'),
    ),
    demo_live=Command(
        'media', 'demo_video', f'clip.mp4 live.py squares.pth {_DEMO} --live', ('out.mp4', 'maps')
    ),
    demo_frames=Command(
        'media', 'demo_video', f'frames squares.py squares.pth {_DEMO}',
        ('out.mp4', 'found.json', 'maps'),
    ),
    demo_frames_live=Command(
        'media', 'demo_video', f'frames live.py squares.pth {_DEMO} --live', ('out.mp4', 'maps')
    ),
    demo_frames_vps=Command(
        'media', 'demo_video', f'frames vps.py vps.pth {_DEMO}', ('out.mp4', 'found.json', 'maps')
    ),
    demo_vps=Command(
        'media', 'demo_video', f'clip.mp4 vps.py vps.pth {_DEMO}',
        ('out.mp4', 'found.json', 'maps'),
    ),
    demo_vss=Command(
        'media', 'demo_video', f'clip.mp4 vss.py vss.pth {_DEMO}',
        ('out.mp4', 'found.json', 'maps'),
    ),
    **{
        f'demo_{suffix}': Command(
            'media', 'demo_video', f'clip.{suffix} squares.py squares.pth {_DEMO}',
            ('out.mp4', 'found.json', 'maps'),
        )
        for suffix in ('avi', 'ts', 'gif', 'webp', 'tif')
    },
    **{
        f'demo_picture_{suffix}': Command(
            'media', 'demo_video',
            f'picture.{suffix} squares.py squares.pth --device cpu --out out.png --json found.json',
            ('out.png', 'found.json'),
        )
        for suffix in ('png', 'jpg', 'bmp', 'webp', 'tif')
    },
    convert=Command(
        'convert', 'model_converters/convert', 'published.pth out.pth --config small.py',
        ('out.pth',),
    ),
    convert_safe=Command(
        'convert', 'model_converters/convert',
        'published.safetensors out.safetensors --config small.py', ('out.safetensors',),
    ),
    convert_pickle=Command(
        'convert', 'model_converters/convert', 'published.pkl out.pth --config small.py',
        ('out.pth',),
    ),
    convert_back=Command(
        'convert', 'model_converters/convert', 'ours.pth back.pth --to original', ('back.pth',)
    ),
    publish_converted=Command(
        'convert', 'model_converters/publish_model', 'ours.pth published/model.safetensors',
        ('published',),
    ),
)  # fmt: skip


@dataclass
class Case:
    """One input: a folder, a command and what must come of it.

    Attributes:
        check: says what else is wrong with results.
        limits: where the run is ended.
        given: files before the run, and when they were made.
    """

    rng: Random
    scene: Scene
    folder: Path
    name: str = ''
    tool: str = ''
    args: list[str] = field(default_factory=list)
    outputs: tuple[str, ...] = ()
    expect: Expect = Expect.ANYTHING
    note: str = ''
    stdin: str | None = None
    check: Callable[[Case, Outcome], str | None] | None = None
    limits: Limits = field(default_factory=Limits)
    given: dict[Path, tuple[int, int]] = field(default_factory=dict)

    @property
    def witness(self) -> Path:
        """What a payload would leave behind."""
        return self.folder / 'witness'

    def use(self, name: str) -> None:
        """Take a command and copy what it reads."""
        command = COMMANDS[name]
        self.name, self.tool, self.args = name, command.tool, command.args.split()
        self.outputs = command.outputs
        self.scene.copy(command.part, self.folder)

    def files(self, pattern: str) -> list[Path]:
        """Files of the folder, in an order that does not vary."""
        return sorted(path for path in self.folder.glob(pattern) if path.is_file())

    def put(self, path: Path, data: bytes) -> None:
        """Give a file another content."""
        path.unlink(missing_ok=True)
        path.write_bytes(data)

    def swap(self, old: str, new: str) -> None:
        """Change an argument."""
        self.args = [new if argument == old else argument for argument in self.args]


Kind = Callable[[Case], None]
KINDS: dict[str, Kind] = {}


def kind(make: Kind) -> Kind:
    """Register a function that breaks something in a case, by its name."""
    KINDS[make.__name__] = make
    return make


def fresh_case(scene: Scene, kind_name: str, seed: int, index: int, root: Path) -> Case:
    """Make an input.

    The folder lies deep, so that names that climb out of it are seen.

    Args:
        scene: the sound folders.
        kind_name: one of :data:`KINDS`.
        seed: of the whole run.
        index: of the input among those of its kind.
        root: folder of this case alone, made anew.
    """
    shutil.rmtree(root, ignore_errors=True)
    folder = root / 'a' / 'b' / 'c'
    folder.mkdir(parents=True)
    (root / 'tmp').mkdir()
    case = Case(Random(f'{seed}/{kind_name}/{index}'), scene, folder)
    KINDS[kind_name](case)
    case.given = {path: stamp(path) for path in folder.rglob('*') if path.is_file()}
    return case


def stamp(path: Path) -> tuple[int, int]:
    """What tells whether a file was written since."""
    status = path.lstat()
    return status.st_mtime_ns, status.st_size
