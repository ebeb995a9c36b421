"""Measure how long the conversion of a published checkpoint takes, and its memory.

The checkpoint is made with random values from the names and shapes of a config's model; the
converter runs in a fresh process, so that Python's start is in the figures.

Example:
    python tools/analysis/conversion.py configs/tevit/tevit_swin-l_mstrain.py --suffix .pth .pkl
"""

import argparse
import pickle
import tempfile
from pathlib import Path

import torch
from measure import describe, environment, markdown_table, run_script

from mmvseg.checkpoints.files import save_checkpoint_file
from mmvseg.commands.parser import Parser
from mmvseg.converters.configs import read_target
from mmvseg.converters.translate import to_theirs
from mmvseg.errors import command_line

CONVERT = Path(__file__).resolve().parents[1] / 'model_converters' / 'convert.py'
COLUMNS = ('model', 'in', 'out', 'GB', 'wall s', 'CPU s', 'peak GB', 'peak / size')


def parse_args() -> argparse.Namespace:
    parser = Parser(description=__doc__)
    parser.add_argument('configs', nargs='+', type=Path)
    parser.add_argument(
        '--suffix', nargs='+', choices=('.pth', '.pkl', '.safetensors'), default=['.pth']
    )
    parser.add_argument('--out', choices=('.pth', '.safetensors'), default='.pth')
    parser.add_argument('--search', action='store_true', help='let the converter find the config')
    return parser.parse_args()


@command_line
def main() -> None:
    args = parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for config in args.configs:
            for suffix in args.suffix:
                path = Path(folder) / f'published{suffix}'
                write_published(config, path)
                out = Path(folder) / f'converted{args.out}'
                rows.append(measure(path, out, config, args.search))
                path.unlink()
                out.unlink()
    print(markdown_table(COLUMNS, rows))
    print(f'\n{describe(environment("cpu"))}')


def write_published(config: Path, path: Path) -> None:
    """Random weights by the names of the published code."""
    skeleton = read_target(config).skeleton()
    weights = {
        name: torch.randn(tensor.shape) if tensor.is_floating_point() else torch.zeros_like(tensor)
        for name, tensor in skeleton.state_dict().items()
    }
    published, _ = to_theirs(weights)
    if path.suffix == '.pkl':
        arrays = {name: tensor.numpy() for name, tensor in published.items()}
        with open(path, 'wb') as file:
            pickle.dump(dict(model=arrays), file)
    else:
        save_checkpoint_file(dict(state_dict=published), path)


def measure(path: Path, out: Path, config: Path, search: bool) -> tuple[str, ...]:
    """A row of the table."""
    config_option = () if search else ('--config', config)
    usage = run_script(CONVERT, path, out, *config_option)
    size_gb, peak_gb = path.stat().st_size / 1e9, usage.peak_bytes / 1e9
    return (
        config.stem, path.suffix, out.suffix, f'{size_gb:.2f}', f'{usage.wall_s:.1f}',
        f'{usage.cpu_s:.1f}', f'{peak_gb:.2f}', f'{peak_gb / size_gb:.2f}',
    )  # fmt: skip


if __name__ == '__main__':
    main()
