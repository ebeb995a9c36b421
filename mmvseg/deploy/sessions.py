"""Networks in onnxruntime."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from mmvseg.errors import UserError, short
from mmvseg.files import user_path

from .manifest import METADATA_KEY, NAME_KEY, Manifest, decode

#: Errors alone: warnings are of no use to who runs a network.
_LOG_LEVEL = 3


class Network:
    """One network.

    Args:
        path: of the .onnx file.
        providers: of onnxruntime, in the order of preference.
        threads: of the processor; None: all cores.

    Raises:
        UserError: the file cannot be read or is none of a network.
    """

    def __init__(
        self,
        path: Path,
        providers: Sequence[str] = ('CPUExecutionProvider',),
        threads: int | None = None,
    ) -> None:
        if not user_path(path).is_file():
            raise UserError(f'{path}: no such file; mmvseg export writes it')
        known = onnxruntime.get_available_providers()
        missing = [name for name in providers if name not in known]
        if missing:
            raise UserError(f'onnxruntime has no {missing[0]} here; it has {", ".join(known)}')
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _LOG_LEVEL
        options.intra_op_num_threads = threads or 0
        try:
            self._session = onnxruntime.InferenceSession(
                str(user_path(path)), options, providers=list(providers)
            )
        except Exception as error:  # a type of its own for each of many reasons
            raise UserError(
                f'{path}: onnxruntime cannot load it ({short(" ".join(str(error).split()), 200)}); '
                'export the model again'
            ) from error
        self.path = path
        self._outputs = [output.name for output in self._session.get_outputs()]

    def __call__(self, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        """Outputs by name; inputs with a default need not be given."""
        outputs = self._session.run(self._outputs, inputs)
        return dict(zip(self._outputs, outputs, strict=True))

    @property
    def manifest(self) -> Manifest:
        """The description that the file carries.

        Raises:
            UserError: there is none.
        """
        text = self._notes.get(METADATA_KEY)
        if text is None:
            raise UserError(
                f'{self.path}: was not written by mmvseg export, or lost its metadata '
                f'{METADATA_KEY!r} since; give the file that mmvseg export wrote'
            )
        return decode(text, str(self.path))

    def require_name(self, name: str) -> None:
        """Make sure that this is the network that its file is named after.

        Raises:
            UserError: it is another one, or none of ours.
        """
        if self._notes.get(NAME_KEY) != name:
            raise UserError(
                f'{self.path}: is not the network {name!r} that mmvseg export wrote; export the '
                'model again'
            )

    @property
    def _notes(self) -> dict[str, str]:
        return self._session.get_modelmeta().custom_metadata_map
