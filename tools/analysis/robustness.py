"""Break the inputs of all tools in many ways, kill runs at any moment, and say what goes wrong.

Every input must end in results (status 0) or in one message (status 1 or 2): no traceback, no
signal, no code run that hides in a file, no results where something is wrong, less than 2 GB of
memory and a minute. Every killed run, started again, must end as if it had not been killed.
docs/robustness.md says more.

Example:
    python tools/analysis/robustness.py --inputs 1500 --kills 50 --seed 1 --out report.json
    python tools/analysis/robustness.py --seed 1 --repeat states:7     # one input, its files stay
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ['OMP_NUM_THREADS'] = '1'
REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / name) for name in ('', 'tests', 'tests/robustness')]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--seed', type=int, default=0, help='another one breaks other things')
    parser.add_argument('--inputs', type=int, default=1500, help='broken inputs (default 1500)')
    parser.add_argument('--kills', type=int, default=50, help='killed runs (default 50)')
    parser.add_argument(
        '--kinds', nargs='+', metavar='KIND', help='of broken inputs (default: all)'
    )
    parser.add_argument('--out', type=Path, help='json file for all that was found')
    parser.add_argument('--jobs', type=int, default=os.cpu_count() or 1, help='runs at a time')
    parser.add_argument(
        '--repeat', metavar='KIND:INDEX', help='run this input alone, again, and keep its files'
    )
    parser.add_argument('--folder', type=Path, help='for the files (default: a temporary one)')
    return parser.parse_args()


def main() -> int:
    args = parse_args()
    sys.stdout.reconfigure(errors='backslashreplace', line_buffering=True)
    import fuzz_run
    import fuzz_server
    import kill_run
    from fuzz_scene import ENVIRONMENT, PARTS, Scene

    kinds = args.kinds or fuzz_run.KIND_NAMES
    if unknown := set(kinds) - set(fuzz_run.KIND_NAMES):
        print(
            f'error: no such kind: {", ".join(unknown)}; there are {", ".join(fuzz_run.KIND_NAMES)}'
        )
        return 2
    start = time.monotonic()
    fuzz_server.warm_up()
    folder = args.folder or Path(tempfile.mkdtemp(prefix='robustness_'))
    scene = Scene(folder.absolute() / 'scene')
    for name in PARTS:
        scene.part(name)
    if args.repeat:
        return repeat(args, scene, ENVIRONMENT)
    print(f'all imported and made: {time.monotonic() - start:.0f} s')
    todo = list(fuzz_run.plan(args.inputs, kinds))
    jobs = [
        (
            fuzz_run.run_input,
            scene,
            kind,
            args.seed,
            index,
            scene.root.parent / f'{kind}-{index}',
            False,
        )
        for kind, index in todo
    ]
    jobs += [
        (kill_run.run_kill, scene, index, args.seed, scene.root.parent / f'kill-{index}', False)
        for index in range(args.kills)
    ]
    records = list(watched(run_all(jobs, args.jobs), len(jobs)))
    print(summary(records, args.seed, time.monotonic() - start))
    if args.out:
        from mmvseg.files import write_json

        write_json(args.out, dict(seed=args.seed, records=[asdict(record) for record in records]))
    return int(any(record.faults for record in records))


def repeat(args: argparse.Namespace, scene: Any, environment: dict[str, str]) -> int:
    """Run one input again and show everything of it."""
    import fuzz_run
    import kill_run

    kind, _, index = args.repeat.rpartition(':')
    root = scene.root.parent / 'repeated'
    if kind == 'kill':
        record = kill_run.run_kill(scene, int(index), args.seed, root, True)
    else:
        record = fuzz_run.run_input(scene, kind, args.seed, int(index), root, True)
    variables = ' '.join(f'{name}={value}' for name, value in environment.items())
    print(f'cd {root}/a/b/c')
    print(f'{variables} python {REPOSITORY}/{record.command}')
    print(json.dumps(asdict(record), indent=1, default=str))
    print((root / 'stdout').read_text(errors='replace')[-3000:])
    print((root / 'stderr').read_text(errors='replace')[-5000:])
    return int(bool(record.faults))


def run_all(jobs: list[tuple], processes: int) -> Iterator:
    """Records of all jobs, in the order in which they end."""
    pool = ProcessPoolExecutor(processes, mp_context=get_context('fork'))
    try:
        for done in as_completed([pool.submit(*job) for job in jobs]):
            yield done.result()
    finally:
        pool.shutdown(cancel_futures=True)


def watched(records: Iterable, total: int) -> Iterator:
    """The same, with a line now and then and one for each violation."""
    last = time.monotonic()
    for count, record in enumerate(records, 1):
        if record.faults:
            print(f'VIOLATION {record.name} ({record.note!r}): {"; ".join(record.faults)[:200]}')
            print(f'    {record.command[:300]}\n    cause: {record.cause}')
        if time.monotonic() - last > 20 or count == total:
            print(f'{count} of {total}')
            last = time.monotonic()
        yield record


def summary(records: list, seed: int, wall_s: float) -> str:
    """Counts, limits reached, and violations by cause with a command that repeats one of each."""
    groups = defaultdict(list)
    for record in records:
        if record.faults:
            groups[record.cause].append(record)
    taken = sum(record.status == 0 for record in records)
    peak, slowest = max(r.peak for r in records), max(records, key=lambda r: r.cpu_s)
    lines = [
        f'{len(records)} runs in {wall_s:.0f} s: {taken} with results, '
        f'{len(records) - taken} refused or killed; {sum(map(len, groups.values()))} violations',
        f'peak memory {peak / 1e9:.2f} GB; slowest {slowest.cpu_s:.1f} s of CPU ({slowest.name})',
    ]
    for cause, members in sorted(groups.items(), key=lambda item: -len(item[1])):
        first = min(members, key=lambda record: len(record.command))
        lines += [
            f'{len(members):4} {cause}',
            f'     e.g. {first.note!r}: {first.command[:200]}',
            f'     python tools/analysis/robustness.py --seed {seed} --repeat {first.name}',
        ]
    return '\n'.join(lines)


if __name__ == '__main__':
    sys.exit(main())
