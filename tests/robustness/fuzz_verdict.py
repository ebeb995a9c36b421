"""What is wrong with how a run ended."""

import csv
import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fuzz_case import COMMANDS, Case, Expect, stamp
from fuzz_scene import Scene, must
from fuzz_server import GIGABYTE, Outcome, run_tool

from mmvseg.checkpoints.files import load_checkpoint_file

MOST_MEMORY = 2 * GIGABYTE
MOST_TIME_S = 60
#: Begins every name in the scene's broken files that would steer a terminal or a spreadsheet.
ESCAPE, FORMULA = '\x1b[31mESC', '=HYPERLINK('
_SIGNS_OF_CRASH = ('Traceback (most recent call last)', 'Exception ignored in', 'Fatal Python')
_MESSAGE = re.compile(r'^(\S+\.py: )?error: ', re.MULTILINE)
#: Files of a run that hold times, logs or paths.
LOGS = re.compile(r'\.log$|vis_data/|/\d{8}_\d{6}|run\.json$|last_checkpoint$|resize\.json$|\.py$')


def judge(case: Case, outcome: Outcome) -> list[str]:
    """All violations of one run; none where it is as it should be.

    Args:
        case: the input.
        outcome: how the run ended.
    """
    faults = [*_ended(outcome), *_outside(case)]
    if case.witness.exists():
        faults.append('code that hides in a file was run')
    shown = outcome.out + outcome.err
    faults += [f'{sign!r} is shown' for sign in _SIGNS_OF_CRASH if sign in shown]
    if ESCAPE in shown:
        faults.append('a control character reaches the terminal')
    if outcome.status == 0:
        faults += _results(case, outcome)
    elif not faults:
        faults += [*_refusal(case, outcome), *_left(case)]
    return faults


def _ended(outcome: Outcome) -> list[str]:
    faults = []
    if outcome.ended:
        faults.append(f'ended from outside: too much {outcome.ended}')
    elif outcome.status < 0:
        faults.append(f'died of signal {-outcome.status}')
    if outcome.peak > MOST_MEMORY and outcome.ended != 'memory':
        faults.append(f'took {outcome.peak / GIGABYTE:.1f} GB of memory')
    if outcome.cpu_s > MOST_TIME_S and outcome.ended != 'time':
        faults.append(f'took {outcome.cpu_s:.0f} s')
    return faults


def _outside(case: Case) -> list[str]:
    """Files that climbed out of the working folder."""
    known = {case.folder, *case.folder.parents, *_known(case)}
    root = case.folder.parents[2]
    strange = [
        path
        for folder in (root, root / 'a', root / 'a' / 'b')
        for path in folder.iterdir()
        if path not in known
    ]
    return [f'wrote outside of its folder: {path.relative_to(root)}' for path in strange]


def _known(case: Case) -> list[Path]:
    root = case.folder.parents[2]
    return [
        *(root / name for name in ('tmp', 'stdout', 'stderr')),
        *case.folder.parent.glob('out*'),
    ]


def _refusal(case: Case, outcome: Outcome) -> list[str]:
    listed = case.tool.endswith('check_dataset') and re.search(r' problems?: ', outcome.out)
    faults = []
    if outcome.status not in (1, 2):
        faults.append(f'ends with status {outcome.status}')
    messages = _MESSAGE.findall(outcome.err)
    if len(messages) != 1 and not listed:
        faults.append(f'{len(messages)} messages instead of one')
    if case.expect is Expect.SAME:
        faults.append('refused, though nothing is wrong with it')
    return faults


def _left(case: Case) -> list[str]:
    """Half-written files under a final name; what a live demo wrote stays as far as it got."""
    outputs = () if '--live' in case.args else case.outputs
    return written(case.folder, outputs, case.given)[1]


def _results(case: Case, outcome: Outcome) -> list[str]:
    if case.expect is Expect.REFUSED:
        return ['taken, though it must be refused']
    found, faults = written(case.folder, case.outputs, case.given)
    if re.search(r'finite|\bnan\b', outcome.out + outcome.err, re.IGNORECASE):  # it is said
        faults = [fault for fault in faults if 'not finite' not in fault]
    for name in case.outputs:
        if name not in {'maps', 'found.json'} and not (case.folder / name).exists():
            faults.append(f'{name} is not there, though the status is 0')
    if case.check and (fault := case.check(case, outcome)):
        faults.append(fault)
    if case.expect in (Expect.SAME, Expect.REFUSED_OR_SAME):
        sound = sound_results(case.scene, case.name)
        if COMMANDS[case.name].says and not _same_text(outcome.out, sound['stdout']):
            faults.append('prints something else than for the sound input')
        files = {name: value for name, value in sound.items() if name != 'stdout'}
        if different := [name for name in files if found.get(name) != files[name]]:
            faults.append(f'{different[0]} is not that of the sound input, without a word')
    return faults


def _same_text(text: str, other: str) -> bool:
    return ''.join(text.split()) == ''.join(other.split())


_sound: dict[str, dict[str, Any]] = {}


def sound_results(scene: Scene, name: str) -> dict[str, Any]:
    """What a command gives for the sound input; run once."""
    if name not in _sound:
        command = COMMANDS[name]
        folder = scene.root / f'sound_{os.getpid()}' / name / 'run'
        if not folder.exists():
            folder.mkdir(parents=True)
        scene.copy(command.part, folder)
        outcome = run_tool(command.tool, command.args.split(), folder)
        must(outcome, name)
        found, faults = written(folder, command.outputs)
        if faults:
            raise RuntimeError(f'{name}: {faults}')
        _sound[name] = dict(found, stdout=outcome.out)
    return _sound[name]


def written(
    folder: Path, outputs: tuple[str, ...], given: Mapping[Path, tuple[int, int]] = {}
) -> tuple[dict[str, Any], list[str]]:
    """What comparable files hold, by name, and what is wrong with any that was not given so."""
    found, faults = {}, []
    for output in outputs:
        top = folder / output
        for path in sorted(top.rglob('*')) if top.is_dir() else [top]:
            name = str(path.relative_to(folder))
            if not path.is_file() or LOGS.search(name):
                continue
            try:
                found[published_name(name)] = content(path)
            except Exception as error:  # whatever a reader says of a file that is not whole
                if given.get(path) != stamp(path):
                    faults.append(
                        f'{name} is not whole ({type(error).__name__}: {str(error)[:200]})'
                    )
    return found, faults


def published_name(name: str) -> str:
    """A name without the digits of a hash."""
    return re.sub(r'-[0-9a-f]{8}(?=\.)', '', name)


def content(path: Path) -> Any:
    """What a file holds, to be compared; raises where it is not whole.

    Raises:
        Exception: the file is not whole, or not finite.
    """
    suffix = path.suffix
    if suffix == '.json':
        return _json(path)
    if suffix in ('.pth', '.safetensors'):
        return _weights(path)
    if suffix == '.csv':
        return _table(path)
    if suffix == '.png':
        from PIL import Image

        with Image.open(path) as picture:
            return picture.mode, picture.size, hashlib.sha256(picture.tobytes()).hexdigest()
    if suffix == '.mp4':
        return _video(path)
    if suffix == '.zip':
        return _members(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _json(path: Path) -> Any:
    def refuse(token: str) -> None:
        raise ValueError(f'{token} is no JSON')

    text = path.read_text()
    if path.name == 'found.json' and text.count('\n') > 1:  # an object a line
        return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]
    return json.loads(text, parse_constant=refuse)


def _weights(path: Path) -> dict[str, str]:
    if path.suffix == '.safetensors':
        from safetensors.torch import load_file

        weights = load_file(path)
    else:
        _members(path)
        loaded = load_checkpoint_file(path)
        weights = loaded.get('state_dict', loaded.get('model'))
    for name, tensor in weights.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise ValueError(f'{name} is not finite')
    return {
        name: hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest()
        for name, tensor in weights.items()
    }


def _table(path: Path) -> list[list[str]]:
    with open(path, newline='') as file:
        rows = list(csv.reader(file))
    if any(cell.startswith(FORMULA) for row in rows for cell in row):
        raise ValueError('a cell is a formula')
    return rows


def _video(path: Path) -> tuple[int, str]:
    import av

    digest, count = hashlib.sha256(), 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.codec_context.thread_count = 'NONE', 1
        for frame in container.decode(stream):
            count += 1
            digest.update(frame.to_ndarray().tobytes())
    if not count:
        raise ValueError('has no frames')
    return count, digest.hexdigest()


def _members(path: Path) -> dict[str, int]:
    import zipfile

    with zipfile.ZipFile(path) as archive:
        if bad := archive.testzip():
            raise ValueError(f'{bad} is damaged')
        return {item.filename: item.CRC for item in archive.infolist()}
