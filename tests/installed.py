"""Distributions as pip leaves them, for tests of what is installed beside what."""

import base64
import hashlib
from pathlib import Path


def install(folder: Path, name: str, files: dict[str, str], version: str = '2.1.0') -> None:
    """Write a distribution: its files, and a record of what they were."""
    info = folder / f'{name.replace("-", "_")}-{version}.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n')
    record = [f'{info.name}/METADATA,,', f'{info.name}/RECORD,,']
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
        digest = hashlib.sha256(content.encode()).digest()
        record.append(f'{path},sha256={base64.urlsafe_b64encode(digest).decode().rstrip("=")},1')
    (info / 'RECORD').write_text('\n'.join(record))
