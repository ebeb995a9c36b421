"""What of the packaging depends on the place: mmcv's build, and the files of ``mmvseg/.mim``."""

import shutil
import sysconfig
from importlib import metadata
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
#: Distributions that install the same modules as a requirement: other builds, maintained forks.
INSTEAD = {
    'mmcv-lite': ('mmcv', 'onedl-mmcv'),
    'mmengine': ('onedl-mmengine',),
    'mmdet': ('onedl-mmdetection',),
}
#: What the package takes along from the repository, in the layout of OpenMMLab's packages.
MIM_FILES = (
    'model-index.yml',
    'configs/**/*.py',
    'configs/**/*.yml',
    'requirements/*.txt',
    'tools/dist_*',
    'tools/slurm_*',
    *(f'tools/{name}.py' for name in ('train', 'test', 'test_vis', 'evaluate', 'doctor')),
    *(f'tools/{name}.py' for name in ('demo_video', 'visualize_results')),
    'tools/dataset_converters/*.py',
    'tools/misc/print_config.py',
    'tools/model_converters/*.py',
)


def requirements() -> list[str]:
    """What is needed, without what the environment has from elsewhere.

    pip would install the requirement over the files of the other distribution, and knows no
    "either ... or".
    """
    lines = [
        line
        for name in ('runtime', 'lite')
        for line in (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
        if line and not line.startswith('#')
    ]
    replaced = {name for name, others in INSTEAD.items() if any(map(is_installed, others))}
    return [line for line in lines if line.split('>')[0] not in replaced]


def is_installed(name: str) -> bool:
    """Whether the environment has a distribution, also one that pip hides from a build."""
    folders = {sysconfig.get_path('purelib'), sysconfig.get_path('platlib')}
    return any(metadata.distributions(name=name, path=sorted(folders)))


class BuildWithMim(build_py):
    """Puts the files of the repository that belong to the package into ``mmvseg/.mim``."""

    def run(self) -> None:
        """Build from nothing: modules of an earlier build may be gone by now."""
        if not self.editable_mode:
            shutil.rmtree(Path(self.build_lib, 'mmvseg'), ignore_errors=True)
        super().run()
        if self.editable_mode:  # then the repository itself is there
            return
        for pattern in MIM_FILES:
            for source in sorted(ROOT.glob(pattern)):
                target = Path(self.build_lib, 'mmvseg', '.mim', source.relative_to(ROOT))
                self.mkpath(str(target.parent))
                self.copy_file(str(source), str(target))


setup(install_requires=requirements(), cmdclass=dict(build_py=BuildWithMim))
