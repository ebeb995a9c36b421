"""Where the files that come with the package lie: configs and the model index."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped_folder() -> Path:
    """Folder of ``configs/`` and ``model-index.yml``.

    In an installed package ``mmvseg/.mim``, where OpenMMLab's tools look, too. A clone, also one
    that is installed with ``pip install -e``, has no such folder: its own files count.
    """
    installed = _PACKAGE / '.mim'
    return installed if installed.is_dir() else _PACKAGE.parent


def shipped_configs() -> dict[str, Path]:
    """The config of each model by name, which is its file's without suffix."""
    files = (shipped_folder() / 'configs').glob('*/*.py')
    return {path.stem: path for path in sorted(files) if path.parent.name != '_base_'}
