"""What is wrong with a pickle."""

import pickle


class RefusedPickleError(pickle.UnpicklingError):
    """A pickle asks for something other than data; the message names it."""


class MalformedPickleError(pickle.UnpicklingError):
    """A pickle describes an array or tensor that cannot be, or is not where it says."""


class CompressedFileError(pickle.UnpicklingError):
    """A record of a file of ``torch.save``, which the message names, is compressed."""


class ChangedBytesError(pickle.UnpicklingError):
    """A record of a file of ``torch.save``, which the message names, has another checksum."""
