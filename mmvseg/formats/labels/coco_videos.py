"""Which images of a COCO file are a video: by a table of videos, or by folders."""

from msgspec import Struct

from mmvseg.errors import UserError
from mmvseg.formats.json_files import Id, Side, Text

from .coco_file import Exhaustiveness, decoded, exhaustiveness, folder_of
from .coco_images import FilePart, Image, ImageVideo
from .report import ImportReport
from .sources import nfc


class VideoEntry(Exhaustiveness, kw_only=True):
    """An entry of ``videos`` where frames are ``images``."""

    id: Id
    name: Text | None = None
    height: Side | None = None
    width: Side | None = None


class TrackEntry(Struct):
    """An entry of TAO's ``tracks``."""

    id: Id
    category_id: Id
    video_id: Id


def by_table(
    part: FilePart,
    images: dict[int, Image],
    ids: dict[str, int],
    report: ImportReport,
) -> list[ImageVideo]:
    """The videos that a file lists, with their images.

    Args:
        part: the file.
        images: its images by id.
        ids: of the classes in the result, by name.
        report: is told what is broken.
    """
    coco = part.coco
    videos: dict[int, ImageVideo] = {}
    for position, raw in enumerate(coco['videos']):
        place = f'videos[{position}]'
        entry = decoded(raw, VideoEntry, coco.file, place, report)
        if entry is None:
            continue
        if entry.id in videos:
            report.bad(coco.file, f'{place}: the id {entry.id} is there twice')
            continue
        name = nfc(entry.name or str(entry.id))
        known = entry.height is not None and entry.width is not None
        videos[entry.id] = ImageVideo(
            name,
            coco.file,
            size=(entry.height, entry.width) if known else None,
            tracks={} if 'tracks' in coco else None,
            extra=exhaustiveness(entry, name, coco.file, part.classes, ids, report),
        )
    _declare_tracks(part, videos, report)
    for image in images.values():
        video = videos.get(image.entry.video_id)
        if video is None:
            rule = f'image {image.entry.file_name}: there is no video {image.entry.video_id}'
            report.bad(coco.file, rule)
        else:
            video.images.append(image)
    return list(videos.values())


def _declare_tracks(part: FilePart, videos: dict[int, ImageVideo], report: ImportReport) -> None:
    file = part.coco.file
    for position, raw in enumerate(part.coco['tracks']):
        place = f'tracks[{position}]'
        entry = decoded(raw, TrackEntry, file, place, report)
        if entry is None:
            continue
        video, one = videos.get(entry.video_id), part.classes.get(entry.category_id)
        if video is None:
            report.bad(file, f'{place}: there is no video {entry.video_id}', track=entry.id)
        elif one is None:
            report.bad(file, f'{place}: there is no category {entry.category_id}', track=entry.id)
        elif str(entry.id) in video.tracks:
            report.bad(file, f'{place}: it is there twice', video=video.name, track=entry.id)
        else:
            video.tracks[str(entry.id)] = one.name


def by_folder(
    part: FilePart, images: dict[int, Image], name: str, report: ImportReport
) -> list[ImageVideo]:
    """A video for each folder that the names of images have.

    Args:
        part: the file.
        images: its images by id.
        name: of the video whose images have no folder.
        report: is told of images that are left out.

    Raises:
        UserError: images have no folder, and no object is followed over them.
    """
    videos: dict[str, ImageVideo] = {}
    for image in images.values():
        folder = nfc(folder_of(image.entry.file_name))
        if folder not in videos:
            videos[folder] = ImageVideo(folder or name, part.coco.file)
        videos[folder].images.append(image)
    if '' in videos and not part.coco['annotations']:
        del videos['']  # images that may have nothing to do with each other
        report.note(f'{part.coco.file}: no annotations; images without a folder are left out')
    elif '' in videos and part.identity.field is None:
        raise UserError(
            f'{part.coco.file}: not of videos: it has no list videos, its images lie in no '
            'folders, and no annotation says which object it is of (instance_id, track_id or an '
            'attribute track_id); put the images of each video into a folder of its own, or give '
            'the objects a track_id'
        )
    return list(videos.values())
