"""What is installed and what is wrong, on one screen, with the command that mends it.

The packages below mmvseg are looked at as they are, so that this runs where the rest does not.
"""

import base64
import hashlib
import importlib
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from io import BytesIO
from pathlib import Path

from . import compat
from .compat import release
from .errors import one_line, short
from .shipped import shipped_folder

#: Folder that holds the package.
ROOT = Path(__file__).resolve().parents[1]
OK, NOTE, BROKEN = 'ok', 'note', 'BROKEN'
COMPILED_MMCV = (
    "pip uninstall -y mmcv mmcv-lite && pip install 'setuptools<80' wheel ninja && "
    'MMCV_WITH_OPS=1 pip install --no-build-isolation mmcv==2.1.0'
)


@dataclass
class Finding:
    """One line of the report: state is OK, NOTE or BROKEN; mend is a command or ''."""

    name: str
    found: str
    state: str = OK
    problem: str = ''
    mend: str = ''


def installed(name: str) -> str | None:
    """Version of an installed distribution, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _requirements() -> Path:
    return shipped_folder() / 'requirements'


def tested_versions() -> dict[str, str]:
    """Versions that the tests run with, by package."""
    text = (_requirements() / 'tested.txt').read_text()
    return dict(re.findall(r'^([\w-]+)==([\w.]+)', text, re.MULTILINE))


def required_ranges() -> dict[str, list[tuple[str, str]]]:
    """Lower and upper bounds by package, as ``[('>=', '2.1'), ('<', '3')]``."""
    ranges = {}
    for name in ('runtime', 'lite'):
        for line in (_requirements() / f'{name}.txt').read_text().splitlines():
            if line and not line.startswith('#'):
                package = re.match(r'[\w-]+', line)[0]
                ranges[package] = re.findall(r'(>=|<)([\d.]+)', line)
    return ranges


def in_range(version: str, bounds: list[tuple[str, str]]) -> bool:
    """Whether a version lies within bounds."""
    return all(
        release(version) >= release(bound) if sign == '>=' else release(version) < release(bound)
        for sign, bound in bounds
    )


def check_python() -> Iterator[Finding]:
    """Python itself."""
    yield Finding('Python', f'{platform.python_version()} ({sys.executable})')


def check_packages() -> Iterator[Finding]:
    """Presence and version of each requirement but mmcv."""
    tested = tested_versions()
    for name, bounds in required_ranges().items():
        if name == 'mmcv-lite':
            continue
        builds = compat.DISTRIBUTIONS.get(name, (name,))
        build = next(filter(installed, builds), name)
        version = installed(build)
        wanted = ''.join(f' {sign} {bound}' for sign, bound in bounds)
        mend = f'pip install {name}=={tested[name]}'
        if version is None:
            yield Finding(name, 'missing', BROKEN, f'{name} is not installed', mend)
        elif not in_range(version, bounds):
            yield Finding(name, version, BROKEN, f'mmvseg needs {name}{wanted}', mend)
        elif build != name:
            yield Finding(name, f'{version}, from {build}')
        elif release(version) != release(tested[name]):
            yield Finding(name, version, NOTE, f'the tests run with {tested[name]}')
        else:
            yield Finding(name, version)


def check_shared_modules() -> Iterator[Finding]:
    """Modules of the stack that several distributions have installed, one over the other."""
    owners = metadata.packages_distributions()
    for module in ('mmengine', 'mmcv', 'mmdet'):
        names = sorted(set(owners.get(module, ())))
        if len(names) < 2:
            continue
        found = ' and '.join(f'{name} {installed(name)}' for name in names)
        both = ' and '.join(names)
        if all(map(is_whole, names)):
            problem = f'{both} install the same files; uninstalling one takes them from the other'
            yield Finding(module, found, NOTE, problem)
        else:
            mend = f'pip uninstall -y {" ".join(names)} && {compat.INSTALL[module]}'
            yield Finding(module, found, BROKEN, f'{both} overwrite each other', mend)


def is_whole(name: str) -> bool:
    """Whether the files of a distribution are those that it was installed with."""
    for file in metadata.files(name) or ():
        if file.hash is None:
            continue
        try:
            content = file.locate().read_bytes()
        except OSError:
            return False
        digest = hashlib.new(file.hash.mode, content).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip('=') != file.hash.value:
            return False
    return True


def check_mmcv() -> Iterator[Finding]:
    """A build of mmcv of the right version, whose operators load if it has any."""
    build = next(filter(installed, compat.DISTRIBUTIONS['mmcv']), 'mmcv')
    version = installed(build)
    bounds = required_ranges()['mmcv-lite']
    if version is None or not in_range(version, bounds):
        mend = 'pip uninstall -y mmcv mmcv-lite && pip install mmcv-lite==2.1.0'
        if build.startswith('onedl'):
            mend = f'pip uninstall -y {build} && pip install mmcv-lite==2.1.0'
        wanted = ''.join(f' {sign} {bound}' for sign, bound in bounds)
        yield Finding('mmcv', version or 'missing', BROKEN, f'mmvseg needs mmcv{wanted}', mend)
        return
    if build.startswith('onedl'):
        version = f'{version}, from {build}'
    try:
        importlib.import_module('mmcv._ext')
    except ModuleNotFoundError:
        yield Finding('mmcv', f"{version}, no compiled ops: mmvseg's own are used")
    except ImportError as error:
        problem = f'its operators were built for another torch ({_reason(error)})'
        yield Finding('mmcv', version, BROKEN, problem, COMPILED_MMCV)
    else:
        yield Finding('mmcv', f'{version}, with compiled ops')


def check_opencv() -> Iterator[Finding]:
    """OpenCV imports, and only one of its builds is installed."""
    builds = [
        f'opencv-{name}'
        for name in ('python', 'python-headless', 'contrib-python', 'contrib-python-headless')
        if installed(f'opencv-{name}')
    ]
    again = f'pip uninstall -y {" ".join(builds)} && pip install opencv-python'
    if len(builds) > 1:
        problem = f'{" and ".join(builds)} overwrite each other'
        yield Finding('OpenCV', ', '.join(builds), BROKEN, problem, again)
        return
    try:
        cv2 = importlib.import_module('cv2')
    except ImportError as error:
        missing_library = 'cannot open shared object' in str(error)
        mend = 'apt-get install -y libgl1 libglib2.0-0' if missing_library else again
        yield Finding('OpenCV', 'does not import', BROKEN, _reason(error), mend)
    else:
        yield Finding('OpenCV', f'{cv2.__version__} imports')


def check_gpu() -> Iterator[Finding]:
    """Name and memory of each GPU, or why torch does not see one."""
    try:
        torch = importlib.import_module('torch')
        if not hasattr(torch, 'cuda'):  # a folder without its files
            raise ImportError('files are missing')
    except (ImportError, OSError) as error:  # of another system, or a library is missing
        mend = 'pip install --force-reinstall torch==2.13.0'
        problem = f'torch does not import ({_reason(error)})'
        yield Finding('GPU', 'unknown', BROKEN, problem, mend)
        return
    if not torch.cuda.is_available():
        if torch.version.cuda is None and shutil.which('nvidia-smi'):
            problem = 'this torch was built without CUDA; the GPU is not used'
            mend = 'pip install --force-reinstall torch==2.13.0 (from an index with CUDA builds)'
            yield Finding('GPU', 'not used', NOTE, problem, mend)
        elif torch.version.cuda and shutil.which('nvidia-smi'):
            problem = f'torch is built for CUDA {torch.version.cuda} but cannot use the driver'
            yield Finding('GPU', 'not usable', NOTE, problem, 'nvidia-smi')
        else:
            yield Finding('GPU', 'none; everything runs on the CPU')
        return
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        memory = properties.total_memory / 2**30
        found = f'{properties.name}, {memory:.0f} GiB, CUDA {torch.version.cuda}'
        try:
            torch.ones(8, device=f'cuda:{index}').sum().item()
        except RuntimeError as error:
            mend = 'pip install --force-reinstall torch==2.13.0'
            yield Finding('GPU', found, BROKEN, str(error).splitlines()[0], mend)
        else:
            yield Finding('GPU', found)


def check_video() -> Iterator[Finding]:
    """Write two H.264 frames into memory and read them back."""
    mend = 'pip install --force-reinstall av==18.1.0'
    try:
        av = importlib.import_module('av')
        np = importlib.import_module('numpy')
        stream_file = BytesIO()
        with av.open(stream_file, 'w', format='mp4') as container:
            stream = container.add_stream('libx264', rate=5)
            stream.width = stream.height = 64
            stream.pix_fmt = 'yuv420p'
            for _ in range(2):
                frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), 'rgb24')
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        stream_file.seek(0)
        with av.open(stream_file) as container:
            count = sum(1 for _ in container.decode(video=0))
    except (ImportError, ValueError, OSError) as error:
        yield Finding('video', 'no H.264', BROKEN, f'PyAV: {_reason(error)}', mend)
        return
    if count != 2:
        yield Finding('video', f'{count} of 2 frames read back', BROKEN, 'PyAV', mend)
    else:
        yield Finding('video', 'H.264 is written and read')


def check_mmvseg() -> Iterator[Finding]:
    """Mmvseg imports, with all models of mmdet."""
    code = 'import mmvseg.registry, mmdet.models; from pycocotools import mask'
    run = subprocess.run(
        [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if run.returncode:
        last = run.stderr.strip().splitlines()[-1]
        again = 'pip install --force-reinstall --no-deps WHEEL'
        mend = 'bash tools/setup_env.sh' if _is_clone(ROOT) else again
        yield Finding('mmvseg', 'does not import', BROKEN, last, mend)
    elif run.stderr.strip():
        yield Finding('mmvseg', 'imports', NOTE, run.stderr.strip().splitlines()[-1])
    elif _is_clone(Path.cwd()) and Path.cwd().resolve() != ROOT:
        problem = f'runs from {ROOT}, so changes in this folder, a clone, have no effect'
        yield Finding('mmvseg', f'imports ({ROOT})', NOTE, problem, 'pip install -e .')
    else:
        yield Finding('mmvseg', f'imports ({ROOT})')


def _is_clone(folder: Path) -> bool:
    return (folder / 'tools/setup_env.sh').is_file() and (folder / 'mmvseg/doctor.py').is_file()


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    check_python,
    check_packages,
    check_shared_modules,
    check_mmcv,
    check_opencv,
    check_gpu,
    check_video,
    check_mmvseg,
)


def examine() -> list[Finding]:
    """Look at everything."""
    with compat.stack_as_it_is():
        return [finding for check in CHECKS for finding in check()]


def _reason(error: BaseException) -> str:
    return short(one_line(error), 200)


def report(findings: list[Finding]) -> str:
    """Table of what was found, then problems with the commands that mend them."""
    width = max(len(finding.name) for finding in findings)
    lines = [f'{f.name:<{width}}  {f.state:<6}  {f.found}' for f in findings]
    for state, title in ((NOTE, 'To know:'), (BROKEN, 'To mend:')):
        chosen = [finding for finding in findings if finding.state == state]
        if chosen:
            lines += ['', title]
        for finding in chosen:
            lines.append(f'  {finding.name}: {finding.problem}')
            if finding.mend:
                lines.append(f'    {finding.mend}')
    if not any(finding.state == BROKEN for finding in findings):
        lines += ['', 'All is well.']
    return '\n'.join(lines)
