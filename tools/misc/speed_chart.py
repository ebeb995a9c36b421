"""Draw docs/images/speed.svg from the table "Inference on a CPU" of docs/benchmarks.md.

Example:
    python tools/misc/speed_chart.py docs/images/speed.svg
"""

from pathlib import Path

from mmvseg.commands.parser import Parser
from mmvseg.errors import command_line
from mmvseg.files import file_errors, write_bytes
from mmvseg.visualization.charts.bars import bars_chart

PAGE = Path(__file__).resolve().parents[2] / 'docs' / 'benchmarks.md'
THREADS, FRAMES = '2', '10'


def read_seconds(page: str) -> dict[str, dict[str, float]]:
    """Seconds by column and model, of the rows with as many threads and frames."""
    section = page.split('\n## Inference on a CPU\n', 1)[1].split('\n## ', 1)[0]
    table = section.split('\n\n| model', 1)[1].split('\n\n', 1)[0]
    rows = [[cell.strip() for cell in line.split('|')[1:-1]] for line in table.splitlines()[2:]]
    rows = [row for row in rows if row[1:3] == [THREADS, FRAMES]]
    columns = dict(before=3, now=4)
    return {name: {row[0]: float(row[column]) for row in rows} for name, column in columns.items()}


@command_line
def main() -> None:
    parser = Parser(description=__doc__)
    parser.add_argument('out', type=Path, help='SVG to write')
    out = parser.parse_args().out
    title = f'{FRAMES} frames of 360x640 on {THREADS} cores of a CPU'
    with file_errors(out):
        write_bytes(out, bars_chart(title, 'seconds', read_seconds(PAGE.read_text())))


if __name__ == '__main__':
    main()
