"""The table of label formats, and which of them files are of."""

from importlib import import_module
from types import ModuleType

from mmvseg.errors import UserError
from mmvseg.extensions import LABEL_FORMATS, module_of_others, names_of_others

from .sources import Source

#: Names of the formats on the command line, and their modules here.
FORMATS = {
    'cvat': 'cvat',
    'mots': 'mots',
    'davis': 'davis',
    'coco': 'coco',
    'bdd100k': 'bdd100k',
    'labelme': 'labelme',
    'labelstudio': 'labelstudio',
    'supervisely': 'supervisely',
    'roboflow': 'roboflow',
    'yolo-seg': 'yolo_seg',
    'masks': 'id_masks',
    'sam': 'sam',
}


def format_names() -> list[str]:
    """All formats: mmvseg's own, and those that other packages add."""
    return [*FORMATS, *names_of_others(LABEL_FORMATS, FORMATS)]


def importer(name: str) -> ModuleType:
    """The module of a format; what it has to have says the package."""
    if name in FORMATS:
        return import_module(f'{__package__}.{FORMATS[name]}')
    return module_of_others(LABEL_FORMATS, name)


def describe(name: str) -> str:
    """What a format is, in a line."""
    return importer(name).__doc__.splitlines()[0].rstrip('.')


def recognise(source: Source) -> str:
    """The format of a source's files.

    Raises:
        UserError: they are of none of the formats, or could be of several.
    """
    names = [name for name in format_names() if importer(name).recognises(source)]
    if len(names) == 1:
        return names[0]
    if names:
        raise UserError(
            f'{source.path}: could be labels of {" or ".join(names)}; name the format before the '
            'path'
        )
    raise UserError(f'{source.path}: {_unknown(source)}')


def _unknown(source: Source) -> str:
    """What is wrong with a source of none of the formats."""
    files = list(source.files.values())
    if not files:
        return 'is empty; give the folder, zip archive or file that has the labels'
    if all(file.is_video for file in files):
        return 'videos without labels; give what the tool exported, and the videos with --video'
    if all(file.is_picture for file in files):
        return (
            'pictures without labels; give what the tool exported, and the pictures with --frames '
            '(if they are masks, docs/labels.md says how their folders have to be)'
        )
    if len(files) == 1 and files[0].suffix == '.zip':
        return 'no zip archive, or a damaged one; export or copy it again'
    shown = ', '.join(file.name for file in files[:5])
    more = ', ...' if len(files) > 5 else ''
    return (
        f'of no known format (found {shown}{more}); the formats are {", ".join(format_names())}; '
        'docs/labels.md says for each tool what to export'
    )
