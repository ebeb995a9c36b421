"""Broken annotations and results: json and lists of videos."""

import copy
import json
from pathlib import Path
from random import Random
from typing import Any

from fuzz_bytes import cut, damage
from fuzz_case import Case, Expect, kind
from fuzz_verdict import ESCAPE, FORMULA
from mutations import EXTREMES, VALUES, places

#: Files of the scene and the commands that read them.
FILES = {
    'data/train.json': (
        *('train', 'train_validate', 'test', 'test_vis', 'ytvis', 'ovis', 'hota'),
        *('davis', 'burst', 'check', 'check_json', 'draw'),
    ),
    'results.json': ('ytvis', 'ovis', 'hota', 'davis', 'burst', 'draw'),
    'data/coco.json': ('train_coco', 'check_coco'),
    'data/panoptic_gt_VIPSeg_train.json': ('train_vps',),
    'data/panoptic_gt_VIPSeg_val.json': (
        *('test_vps', 'test_vis_vps', 'vpq', 'stq', 'check_vps', 'draw_vps'),
    ),
    'results/pred.json': ('vpq', 'stq', 'draw_vps'),
    'gt/panoptic_gt_val.json': ('vpq_small', 'stq_small'),
    'pred/pred.json': ('vpq_small', 'stq_small'),
    'data/categories.json': ('train_vss', 'test_vss', 'test_vis_vss', 'vss', 'check_vss'),
    'release/panoptic_gt_VIPSeg_train.json': ('resize',),
    'release/panoptic_gt_VIPSeg_val.json': ('resize',),
}
#: As the annotations of the frames that a command opens.
GROUND_TRUTH = [name for name in FILES if 'result' not in name and 'pred' not in name]
RUN_LENGTHS = [
    *([], [0], [-1], [3072], [1.5], ['1'], [None], [True], [2**31], [2**32], [2**63], [10**400]),
    *([2**63 - 1, 2**63 - 1, 48 * 64 + 2], [0, 3072], [1] * 3072, [1] * 100000, [3071, 2], [3073]),
    *('', '0', 'PPPPPPP', 'oooooooooooooooo', '~' * 2000, '\x00', 'é', '1' * 10**6, 'Z`0' * 50),
    *(None, {}, 7, True, [[1, 2]]),
]
SIZES = [
    *([70000, 70000], [0, 0], [48], [48, 64, 3], [-48, -64], [64, 48], ['48', '64'], [48.0, 64.0]),
    *(None, 48, [2**31, 1], [10**9, 10**9], [2**63, 2], [True, True], []),
]
POLYGONS = [
    *([], [[]], [[1, 2]], [[1, 2, 3, 4]], [[1, 2, 3, 4, 5]], [[1, 2, 3, 4, 5, 6, 7]]),
    *([[1, 2, 3, 4, 5, 'x']], [[None] * 6], [1, 2, 3, 4, 5, 6], [[float('nan')] * 6], [{}], 'x'),
    *([[True] * 6], [[1, 2, 3, 4, 5, [6]]], [[0, 0, 10, 0, 10, 10]] * 2000, [[0.1] * 20000]),
]
FAR = [1e7, 1e9, -1e9, 1e18, 1e100, 1e308, -1e308, float('inf'), 10**30]
NAMES = [
    *('', '.', '..', '/', 'a\0b', '\ud800', 'x' * 5000, 'x/' * 3000, '²', 'v0', 'v0/', '~', '*'),
    *(f'{ESCAPE}.jpg', f'{FORMULA}1)', '\n', '\u202e', 'con', 'a\\b.jpg', 'file:///etc/passwd'),
    *('http://127.0.0.1:9/x.jpg', '%s%n', '-rf', '{x}', '🙂.jpg', '/dev/zero', '/dev/stdin'),
]
NO_IDS = [True, False, None, 1.5, [], [1], {}]


def load(case: Case, pattern: str) -> tuple[Path, Any]:
    path = case.folder / pattern
    return path, json.loads(path.read_text())


def save(case: Case, path: Path, content: Any) -> None:
    case.put(path, json.dumps(content).encode())


def holder(content: Any, path: tuple) -> Any:
    """What holds the value at a path."""
    for key in path[:-1]:
        content = content[key]
    return content


def choose(case: Case, names: list[str] | None = None) -> str:
    """Take a file and a command that reads it."""
    name = case.rng.choice(names or [*FILES])
    case.use(case.rng.choice(FILES[name]))
    return name


@kind
def json_values(case: Case) -> None:
    """Values are dropped, doubled, moved, of another type or size."""
    path, content = load(case, choose(case))
    for _ in range(case.rng.choice((1, 1, 2, 4))):
        if found := places(content):
            change(case.rng, content, case.rng.choice(found), VALUES + EXTREMES)
    case.note = path.name
    save(case, path, content)


def change(rng: Random, content: Any, place: tuple, values: list) -> None:
    """Change what stands at one place."""
    box, last = holder(content, place), place[-1]
    how = rng.choice(('drop', 'set', 'set', 'set', 'double', 'reorder', 'append', 'wrap'))
    if how == 'drop':
        del box[last]
    elif how == 'double' and isinstance(box, list):
        box.insert(last, copy.deepcopy(box[last]))
    elif how == 'reorder' and isinstance(box[last], list):
        rng.shuffle(box[last])
    elif how == 'append' and isinstance(box[last], list):
        box[last].append(copy.deepcopy(rng.choice(values)))
    elif how == 'wrap':
        box[last] = [box[last]]
    else:
        box[last] = copy.deepcopy(rng.choice(values))


@kind
def json_same_key(case: Case) -> None:
    """All values of one key are changed alike."""
    path, content = load(case, choose(case))
    keys = sorted({place[-1] for place in places(content) if isinstance(place[-1], str)})
    key = case.rng.choice(keys)
    value = case.rng.choice([*VALUES, *EXTREMES, *SIZES, *NAMES, KeyError])
    boxes = [holder(content, place) for place in places(content) if place[-1] == key]
    for box in boxes:
        if value is KeyError:
            del box[key]
        else:
            box[key] = copy.deepcopy(value)
    case.note = f'{path.name}: every {key} is {str(value)[:60]!r}'
    save(case, path, content)


@kind
def json_ids(case: Case) -> None:
    """An id is no id."""
    names = ['data/train.json', 'results.json', 'data/coco.json', 'gt/panoptic_gt_val.json']
    path, content = load(case, choose(case, [*names, 'data/panoptic_gt_VIPSeg_val.json']))
    found = [
        place
        for place in places(content)
        if place[-1] in ('id', 'video_id', 'category_id') and 'images' not in place
    ]
    place = case.rng.choice(found)
    value = case.rng.choice(NO_IDS)
    holder(content, place)[place[-1]] = value
    case.note = f'{path.name}: {place} is {value!r}'
    if case.tool == 'evaluate' or case.name in ('check', 'check_json', 'check_coco', 'check_vps'):
        case.expect = Expect.REFUSED
    save(case, path, content)


@kind
def json_scores(case: Case) -> None:
    """A score is no number."""
    case.use(case.rng.choice(FILES['results.json']))
    path, content = load(case, 'results.json')
    value = case.rng.choice([True, None, 'x', '0.5', [], float('nan'), float('inf'), 10**400])
    case.rng.choice(content)['score'] = value
    case.note, case.expect = f'score {str(value)[:20]}', Expect.REFUSED
    save(case, path, content)


@kind
def json_text(case: Case) -> None:
    """The text is no json, or hard to read."""
    name = choose(case)
    path = case.folder / name
    text = path.read_text()
    deep = case.rng.choice((500, 2000, 100000))
    inner = text.strip()[:-1].rstrip() + ', ' if text.strip()[0] == '{' else None
    broken = {
        'cut': cut(case.rng, text.strip().encode()),
        'deep': b'[' * deep + b']' * deep,
        'open': b'[' * deep,
        'objects': b'{"a":' * deep + b'1' + b'}' * deep,
        'twice': text.encode() * 2,
        'comment': b'// x\n' + text.encode(),
        'comma': text.strip()[:-1].encode() + b',' + text.strip()[-1:].encode(),
        'nothing': b'',
        'blank': b' \n',
        'zero': text.encode() + b'\0',
    }
    odd = {
        'utf-16': text.encode('utf-16'),
        'latin': text.encode().replace(b'a', b'\xe9', 1),
        'null': b'null',
        'number': b'1' * case.rng.choice((1, 400, 5000, 10**6)),
        'scalar': b'"x"',
        'surrogate': text.encode().replace(b'"', b'"\\ud800', 20),
        'nul': text.encode().replace(b'"', b'"\\u0000', 20),
        'exponent': text.encode().replace(b'1,', b'1e99999,', 1),
        'digits': text.encode().replace(b'1,', b'1' * 5000 + b',', 1),
    }
    if inner:
        odd['extra deep'] = (inner + '"extra": ' + '[' * deep + ']' * deep + '}').encode()
        odd['extra number'] = (inner + f'"extra": {"9" * 5000}' + '}').encode()
        odd['extra nan'] = (inner + '"extra": NaN}').encode()
    how = case.rng.choice([*broken, *odd])
    if how in broken:
        case.expect = Expect.REFUSED
    case.note = f'{path.name}: {how}'
    case.put(path, (broken | odd)[how])


@kind
def json_neutral(case: Case) -> None:
    """Another way to write the same."""
    name = choose(case)
    path, content = load(case, name)
    text = path.read_text()

    def reordered(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: reordered(child) for key, child in reversed(value.items())}
        return [reordered(child) for child in value] if isinstance(value, list) else value

    ways = {
        'byte order mark': b'\xef\xbb\xbf' + text.encode(),
        'indent': json.dumps(content, indent=3).encode(),
        'lines of DOS': json.dumps(content, indent=1).replace('\n', '\r\n').encode(),
        'key order': json.dumps(reordered(content)).encode(),
        'blanks': b' \n\t' + text.encode() + b'\r\n \n',
        'compact': json.dumps(content, separators=(',', ':')).encode(),
    }
    how = case.rng.choice([*ways])
    case.note, case.expect = f'{path.name}: {how}', Expect.SAME
    case.put(path, ways[how])


@kind
def json_bytes(case: Case) -> None:
    """Bits are flipped, blocks lost."""
    path = case.folder / choose(case)
    data, case.note = damage(case.rng, path.read_bytes())
    case.put(path, data)


@kind
def run_lengths(case: Case) -> None:
    """Codes of masks that say too much, too little or nonsense."""
    path, content = load(case, choose(case, ['data/train.json', 'results.json', 'data/coco.json']))
    found = [place for place in places(content) if place[-1] in ('counts', 'size')]
    place = case.rng.choice(found)
    values = RUN_LENGTHS if place[-1] == 'counts' else SIZES
    holder(content, place)[place[-1]] = value = case.rng.choice(values)
    case.note = f'{path.name}: {place[-1]} {str(value)[:40]}'
    save(case, path, content)


@kind
def polygons(case: Case) -> None:
    """Outlines that are none."""
    path, content = load(case, choose(case, ['data/train.json', 'results.json', 'data/coco.json']))
    box, key = a_segmentation(case, content)
    box[key] = value = copy.deepcopy(case.rng.choice(POLYGONS))
    case.note = f'{path.name}: {str(value)[:40]}'
    save(case, path, content)


@kind
def polygons_far_away(case: Case) -> None:
    """Outlines that reach far outside of the frame."""
    path, content = load(case, choose(case, ['data/train.json', 'results.json', 'data/coco.json']))
    box, key = a_segmentation(case, content)
    far = case.rng.choice(FAR)
    box[key] = [[4, 5, far, 5, far, case.rng.choice((17, far)), 4, 17]]
    case.note = f'{path.name}: {far}'
    strict = ('train', 'ytvis', 'ovis', 'hota', 'check', 'check_json', 'train_coco', 'check_coco')
    if case.name in strict:
        case.expect = Expect.REFUSED
    save(case, path, content)


def a_segmentation(case: Case, content: Any) -> tuple[Any, Any]:
    """Where the mask of some object and frame stands."""
    objects = content if isinstance(content, list) else content['annotations']
    chosen = case.rng.choice(objects)
    if 'segmentations' not in chosen:
        return chosen, 'segmentation'
    return chosen['segmentations'], case.rng.randrange(len(chosen['segmentations']))


@kind
def sizes(case: Case) -> None:
    """A video or picture is said to be of another size."""
    path, content = load(case, choose(case, GROUND_TRUTH[:5]))
    found = [place for place in places(content) if place[-1] in ('height', 'width', 'length')]
    if found:
        value = case.rng.choice([0, -1, 1, 47, 2**16, 70000, 10**6, 2**31, 2**63, 48.0, True, '48'])
        every = case.rng.random() < 0.5
        chosen = found if every else [case.rng.choice(found)]
        for place in chosen:
            holder(content, place)[place[-1]] = value
        case.note = f'{path.name}: {len(chosen)} x {value}'
    save(case, path, content)


@kind
def names(case: Case) -> None:
    """Names of videos, frames and classes that steer terminals, spreadsheets or paths."""
    path, content = load(case, choose(case))
    keys = ('file_names', 'file_name', 'name', 'video_id', 'image_id')
    found = [
        place
        for place in places(content)
        if place[-1] in keys or (place[-2:-1] and place[-2] == 'file_names')
    ]
    found = [p for p in found if isinstance(holder(content, p)[p[-1]], str)]
    if found:
        place = case.rng.choice(found)
        value = case.rng.choice(NAMES)
        old, box = holder(content, place)[place[-1]], place[-1]
        if case.rng.random() < 0.3:
            value = f'{value}{old}'
        if case.rng.random() < 0.3:  # wherever it is spoken of
            for other in found:
                if holder(content, other)[other[-1]] == old:
                    holder(content, other)[other[-1]] = value
        holder(content, place)[box] = value
        case.note = f'{path.name}: {place} {value[:30]!r}'
    save(case, path, content)


@kind
def names_outside(case: Case) -> None:
    """Names of frames that lead to a picture outside of the root."""
    names_ = ['data/train.json', 'data/coco.json']
    path, content = load(case, choose(case, names_))
    secret = case.folder / 'secret'
    (secret / 'v0').mkdir(parents=True)
    source = case.files('data/*/**/*.*g')[0]
    target = secret / f'v0/00001{source.suffix}'
    target.write_bytes(source.read_bytes())
    listed = content.get('videos') or content['images']
    first = listed[0]
    where = {
        'up': f'../../secret/v0/{target.name}',
        'absolute': str(target),
        'winding': f'v0/../../../secret/v0/{target.name}',
    }
    how = case.rng.choice([*where, 'link'])
    if how == 'link':
        root = case.folder / ('data/JPEGImages' if 'videos' in content else 'data/images')
        (root / 'link').symlink_to('../../secret/v0')
        where['link'] = f'link/{target.name}'
    if 'file_names' in first:
        first['file_names'][1] = where[how]
    else:
        first['file_name'] = where[how]
    case.note = how
    if case.name in ('train', 'train_validate', 'test', 'test_vis', 'check', 'draw', 'train_coco'):
        case.expect = Expect.ANYTHING if how == 'link' else Expect.REFUSED
    save(case, path, content)


@kind
def lists_of_videos(case: Case) -> None:
    """VSPW's lists: bytes, names, lengths."""
    name = case.rng.choice(('data/val.txt', 'data/val.txt', 'data/train.txt'))
    tools = ('test_vss', 'test_vis_vss', 'vss', 'check_vss', 'draw_vss')
    case.use('train_vss' if 'train' in name else case.rng.choice(tools))
    path = case.folder / name
    lines = path.read_text().splitlines()
    how = case.rng.choice(('name', 'name', 'bytes', 'long', 'neutral', 'neutral', 'double', 'many'))
    case.note = how
    if how == 'name':
        lines[case.rng.randrange(len(lines))] = value = case.rng.choice([*NAMES, '../x', '/etc'])
        case.note = repr(value[:30])
        data = '\n'.join(lines).encode(errors='surrogatepass')
    elif how == 'bytes':
        data, case.note = damage(case.rng, path.read_bytes())
    elif how == 'long':
        data = b'x' * case.rng.choice((300, 5000, 10**6)) + b'\n' + path.read_bytes()
    elif how == 'double':
        data = path.read_bytes() * 2
    elif how == 'many':
        data = b'\n'.join(b'v%d' % i for i in range(10**5))
    else:
        if case.name != 'check_vss':  # which says that official readers stumble on it
            case.expect = Expect.SAME
        data = case.rng.choice((b'\xef\xbb\xbf' + '\n'.join(lines).encode(), None))
        if data is None:
            data = '\r\n'.join(lines).encode() + case.rng.choice((b'', b'\r\n', b'\r\n\r\n'))
    case.put(path, data)
