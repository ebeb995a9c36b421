"""What a malicious checkpoint does."""

import os
import pickle
from pathlib import Path
from typing import Any

import torch


class Payload:
    """Leaves a folder behind where it is unpickled."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.witness),)


def malicious_files(folder: Path, witness: Path) -> list[Path]:
    """Checkpoints of every format that would make the folder ``witness``."""
    content = dict(state_dict=dict(w=torch.ones(1)), meta=dict(evil=Payload(witness)))
    new, old, plain = (folder / name for name in ('new.pth', 'old.pth', 'plain.pkl'))
    torch.save(content, new)
    torch.save(content, old, _use_new_zipfile_serialization=False)
    plain.write_bytes(pickle.dumps(content))
    return [new, old, plain]
