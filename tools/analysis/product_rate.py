"""Rate of matrix products on a CPU: the limit of a network that consists of them.

Example:
    python tools/analysis/product_rate.py 1405x384x1152 1605x384x1536 --threads 1
"""

import argparse
import statistics

import measure
import torch

from mmvseg.commands.parser import Parser
from mmvseg.errors import command_line


def parse_args() -> argparse.Namespace:
    parser = Parser(description=__doc__)
    parser.add_argument(
        'products', type=parse_product, nargs='+', metavar='MxKxN', help='(M, K) times (K, N)'
    )
    parser.add_argument('--threads', type=int, help="CPU threads (default: torch's)")
    parser.add_argument('--repeats', type=int, default=50, help='of each product (default 50)')
    args = parser.parse_args()
    if min(args.repeats, args.threads or 1) < 1:
        parser.error('--threads and --repeats must be at least 1')
    return args


def parse_product(text: str) -> tuple[int, int, int]:
    """(M, K, N) of an argument ``MxKxN``."""
    try:
        rows, inner, columns = (int(number) for number in text.lower().split('x'))
    except ValueError:
        raise argparse.ArgumentTypeError(f'{text!r} is not MxKxN, as in 1405x384x1152') from None
    if min(rows, inner, columns) < 1:
        raise argparse.ArgumentTypeError(f'{text!r}: sizes are at least 1')
    return rows, inner, columns


@command_line
def main() -> None:
    args = parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    print(measure.describe(measure.environment('cpu')))
    print(
        f'float32, {args.repeats} products of each size; a multiplication and an addition are two '
        'operations.\n'
    )
    rows = [
        ['x'.join(map(str, product)), *rates(product, args.repeats)] for product in args.products
    ]
    header = ['product', 'GFLOP / s, best', 'median', 'GFLOP / CPU s, best', 'median']
    print(measure.markdown_table(header, rows))


def rates(product: tuple[int, int, int], repeats: int) -> list[str]:
    """Best and median of 10^9 operations a second, by the clock and by CPU time."""
    rows, inner, columns = product
    first, second = torch.randn(rows, inner), torch.randn(columns, inner)
    torch.nn.functional.linear(first, second)  # warms up
    wall, cpu = [], []
    for _ in range(repeats):
        with measure.elapsed() as time_taken:
            torch.nn.functional.linear(first, second)
        wall.append(time_taken.wall_s)
        cpu.append(time_taken.cpu_s)
    operations = 2e-9 * rows * inner * columns
    return [
        f'{operations / seconds:.1f}'
        for times in (wall, cpu)
        for seconds in (min(times), statistics.median(times))
    ]


if __name__ == '__main__':
    main()
