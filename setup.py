"""Packaging; ``bash tools/setup_env.sh`` makes a complete environment."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def requirements(name: str) -> list[str]:
    """Lines of ``requirements/NAME.txt`` without comments."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [line for line in lines if line and not line.startswith('#')]


def version() -> str:
    """``__version__`` of the package, without importing it."""
    text = (ROOT / 'mmvseg' / '__init__.py').read_text()
    return re.search(r"^__version__ = '(.+)'$", text, re.MULTILINE)[1]


setup(
    name='mmvseg',
    version=version(),
    description='Video instance, panoptic and semantic segmentation: TeViT, DVIS',
    license='Apache-2.0',
    author='The mmvseg authors',
    python_requires='>=3.10',
    packages=find_packages(include=['mmvseg', 'mmvseg.*']),
    package_data={'mmvseg.formats.categories': ['*.json']},
    install_requires=requirements('runtime'),
    extras_require={
        'lite': requirements('lite'),
        'tests': requirements('tests'),
        'docs': requirements('docs'),
        'optional': requirements('optional'),
    },
)
