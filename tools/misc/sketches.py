"""Draw the sketches of the docs, docs/images/*.svg: boxes and arrows on a background of their own.

Example:
    python tools/misc/sketches.py docs/images
"""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from mmvseg.commands.parser import Parser
from mmvseg.errors import command_line
from mmvseg.files import file_errors, write_bytes

INK, FAINT, BACKGROUND = '#24292f', '#57606a', '#ffffff'
#: Fill and border of a box, by what it is.
KINDS = dict(
    data=('#f3f4f6', '#8c959f'),
    network=('#dbeafe', '#2563eb'),
    new=('#ffedd5', '#c2410c'),
    result=('#dcfce7', '#15803d'),
)
LINE = 16
Point = tuple[float, float]


class Sketch:
    """An SVG with a background of its own.

    Args:
        width: in pixels.
        height: in pixels.
        title: what readers of the screen say.
    """

    def __init__(self, width: int, height: int, title: str) -> None:
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img" font-size="12.5" '
            f'font-family="system-ui, \'DejaVu Sans\', Arial, sans-serif">',
            f'<title>{escape(title)}</title>',
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
            f'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="{FAINT}"/></marker>'
            '</defs>',
            f'<rect width="{width}" height="{height}" rx="8" fill="{BACKGROUND}"/>',
        ]

    def box(self, x: float, y: float, width: float, text: str, kind: str = 'network') -> 'Box':
        """A box with lines of text, the first of them bold; as high as they need."""
        fill, border = KINDS[kind]
        lines = text.split('\n')
        height = LINE * len(lines) + 14
        self._parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="5" '
            f'fill="{fill}" stroke="{border}"/>'
        )
        for number, line in enumerate(lines):
            self.text(x + width / 2, y + 19 + LINE * number, line, bold=number == 0)
        return Box(x, y, width, height)

    def text(self, x: float, y: float, text: str, bold: bool = False, color: str = INK) -> None:
        """A line of text, centred at x."""
        weight = 600 if bold else 400
        self._parts.append(
            f'<text x="{x:g}" y="{y:g}" text-anchor="middle" font-weight="{weight}" '
            f'fill="{color}">{escape(text)}</text>'
        )

    def note(self, x: float, y: float, text: str) -> None:
        """Lines of fainter text, centred at x."""
        for number, line in enumerate(text.split('\n')):
            self.text(x, y + LINE * number, line, color=FAINT)

    def arrow(self, *points: Point, dashed: bool = False) -> None:
        """A line with a tip, through points."""
        path = ' '.join(f'{x:g},{y:g}' for x, y in points)
        dash = ' stroke-dasharray="5 4"' if dashed else ''
        self._parts.append(
            f'<polyline points="{path}" fill="none" stroke="{FAINT}" stroke-width="1.5"{dash} '
            'marker-end="url(#tip)"/>'
        )

    def rectangle(self, x: float, y: float, width: float, height: float, style: str) -> None:
        """A rectangle without text; ``style`` are its attributes."""
        self._parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" {style}/>'
        )

    def svg(self) -> bytes:
        """The file."""
        return '\n'.join([*self._parts, '</svg>', '']).encode()


class Box:
    """Where a box is: the middles of its sides."""

    def __init__(self, x: float, y: float, width: float, height: float) -> None:
        self.left, self.right = (x, y + height / 2), (x + width, y + height / 2)
        self.top, self.bottom = (x + width / 2, y), (x + width / 2, y + height)


def tevit() -> Sketch:
    """TeViT: a clip at once."""
    sketch = Sketch(760, 240, 'TeViT: a clip of T frames passes a backbone and six stages')
    clip = sketch.box(14, 40, 120, 'clip\nT x 3 x H x W', 'data')
    sketch.box(160, 32, 172, 'MsgShifT\nPVTv2; 32 messengers a\nframe, shifted along T')
    maps = sketch.box(362, 32, 142, 'FPN\nT x 256 x H/s x W/s\ns = 4, 8, 16, 32')
    queries = sketch.box(14, 162, 120, 'learned queries\n100 x 256', 'data')
    stage = 'attention over the queries of a frame\nattention of a query to itself over T (STQI)'
    sketch.box(160, 146, 344, f'one of six stages\n{stage}\nfeatures inside its box: 7 x 7', 'new')
    sketch.box(536, 154, 210, 'T x 100\nclass, box, mask\nquery p is one object', 'result')
    sketch.arrow(clip.right, (160, clip.right[1]))
    sketch.arrow((332, maps.left[1]), maps.left)
    sketch.arrow(maps.bottom, (maps.bottom[0], 146))
    sketch.arrow(queries.right, (160, queries.right[1]))
    sketch.arrow((504, 185), (536, 185))
    sketch.arrow((620, 154), (620, 126), (470, 126), (470, 146), dashed=True)
    sketch.note(632, 120, 'queries and boxes of the next stage')
    return sketch


def dvis() -> Sketch:
    """MinVIS, DVIS online and DVIS offline: three models that grow out of each other."""
    sketch = Sketch(760, 390, 'MinVIS, DVIS online and DVIS offline on one segmenter')
    sketch.text(380, 22, 'Mask2Former, frame by frame', bold=True)
    frame = sketch.box(14, 62, 96, 'frame t\n3 x H x W', 'data')
    backbone = sketch.box(136, 62, 104, 'backbone\nstrides 4 ... 32')
    pixels = sketch.box(266, 62, 116, 'pixel decoder\n4 maps of 256')
    decoder = sketch.box(408, 38, 126, 'decoder\nQ learned queries\nread the maps')
    queries = sketch.box(564, 38, 182, 'queries of frame t\nQ x 256', 'data')
    features = sketch.box(564, 100, 182, 'mask features\n256 x H/4 x W/4', 'data')
    for one, other in ((frame, backbone), (backbone, pixels)):
        sketch.arrow(one.right, other.left)
    sketch.arrow((382, 80), (408, 80))
    sketch.arrow((decoder.right[0], queries.left[1]), queries.left)
    sketch.arrow(pixels.bottom, (pixels.bottom[0], features.left[1]), features.left)
    sketch.arrow((655, 84), (655, 92), (552, 92), (552, 160), (301, 160), (301, 176))
    order = 'Q queries in the order of frame t - 1\nby cosine, one to one; no weights'
    tracker = 'tracker: 6 layers\nthe state of t - 1 asks the queries of t'
    refiner = 'refiner: 6 layers\nattention, convolution over all T frames'
    rows = (
        ('MinVIS', 'segmenter', order, 'Q x 256, now in order'),
        ('DVIS online', '+ tracker', tracker, 'Q x 256 of each frame'),
        ('DVIS offline', '+ refiner', refiner, 'T x Q x 256'),
    )
    for number, (name, parts, new, result) in enumerate(rows):
        y = 176 + 72 * number
        sketch.text(74, y + 20, name, bold=True)
        sketch.note(74, y + 36, parts)
        box = sketch.box(136, y, 330, new, 'new')
        sketch.box(506, y, 240, f'{result}\nclasses; times features: masks', 'result')
        sketch.arrow(box.right, (506, box.right[1]))
        if number:
            sketch.arrow((301, y - 26), (301, y))
            sketch.note(384, y - 9, 'what is above is frozen')
    return sketch


def videomt() -> Sketch:
    """EoMT, VidEoMT and PMT: queries among the tokens of a plain transformer."""
    sketch = Sketch(760, 330, 'VidEoMT: queries join the last blocks of a Vision Transformer')
    frame = sketch.box(14, 40, 96, 'frame t\n3 x H x W', 'data')
    patches = sketch.box(136, 40, 128, 'patches of 16\nS = H/16 x W/16')
    early = sketch.box(290, 40, 150, 'first blocks of a ViT\nS x C')
    late = sketch.box(290, 132, 150, 'last 3 or 4 blocks\n(Q + S) x C', 'new')
    queries = sketch.box(60, 132, 200, 'queries of frame t\nQ x C, Q = 200', 'data')
    heads = sketch.box(496, 150, 132, 'heads\nclass\nmask vector')
    up = sketch.box(496, 40, 132, 'upscaled patches\nC x H/4 x W/4')
    result = sketch.box(650, 88, 96, 'result\nQ classes\nQ masks', 'result')
    update = sketch.box(290, 226, 150, 'linear layer', 'new')
    plus = sketch.box(60, 226, 200, '+ learned queries', 'data')
    for one, other in ((frame, patches), (patches, early), (queries, late)):
        sketch.arrow(one.right, other.left)
    sketch.arrow(early.bottom, late.top)
    sketch.arrow(late.right, (468, late.right[1]), (468, up.left[1]), up.left)
    sketch.arrow(late.right, (468, late.right[1]), (468, heads.left[1]), heads.left)
    sketch.arrow(up.right, (result.top[0], up.right[1]), result.top)
    sketch.arrow(heads.right, (result.top[0], heads.right[1]), result.bottom)
    sketch.arrow(late.bottom, update.top)
    sketch.arrow(update.left, plus.right)
    sketch.arrow(plus.top, queries.bottom, dashed=True)
    sketch.note(103, 214, 'frame t + 1')
    alone = 'EoMT and the\nsegmenter: learned queries\nin every frame.'
    sketch.note(606, 246, f'VidEoMT: query q is one object\nin all frames. {alone}')
    frozen = 'PMT: the ViT is frozen, all of it without queries; four of its'
    sketch.note(250, 292, f'{frozen}\nblocks, summed, and the queries pass 6 blocks of a decoder.')
    return sketch


def deployment() -> Sketch:
    """From a checkpoint to tracks without torch."""
    sketch = Sketch(760, 184, 'From config and checkpoint to ONNX files to tracks')
    trained = sketch.box(14, 58, 124, 'config\ncheckpoint', 'data')
    export = sketch.box(168, 58, 150, 'mmvseg export\ntorch, once')
    about = 'sizes, classes,\nthresholds as json'
    files = sketch.box(348, 42, 156, f'ONNX\nframe, tracker, ...\n{about}', 'data')
    program = sketch.box(534, 22, 212, 'mmvseg.deploy\nnumpy, onnxruntime\nno torch', 'new')
    own = sketch.box(534, 108, 212, 'your program\nany runtime of ONNX')
    sketch.arrow(trained.right, export.left)
    sketch.arrow(export.right, (files.left[0], export.right[1]))
    for box in (program, own):
        sketch.arrow(files.right, (519, files.right[1]), (519, box.left[1]), box.left)
    sketch.note(243, 124, 'each network is compared\nwith torch')
    sketch.note(640, 172, 'video in, tracks out')
    return sketch


def testing() -> Sketch:
    """What mmvseg test reads and writes, and what reads it."""
    sketch = Sketch(760, 192, 'What mmvseg test writes and what reads it')
    given = sketch.box(14, 74, 142, 'config, checkpoint\nframes of videos', 'data')
    test = sketch.box(184, 74, 136, 'mmvseg test\nvideo by video')
    results = sketch.box(354, 14, 176, 'results.json, or PNGs\neach video as it is done', 'result')
    archive = sketch.box(354, 74, 176, 'submission.zip\nfor the server', 'result')
    numbers = sketch.box(354, 134, 176, 'metrics.json\nif there are annotations', 'result')
    read = sketch.box(572, 14, 174, 'evaluate, analyze\ndraw, show')
    sketch.arrow(given.right, test.left)
    for box in (results, archive, numbers):
        sketch.arrow(test.right, (337, test.right[1]), (337, box.left[1]), box.left)
    sketch.arrow(results.right, read.left)
    sketch.note(659, 84, 'as often as you like,\nwithout the model')
    return sketch


#: Left, top, width and height of an object and of what was found of it, by frame.
TUBE = (
    ((10, 20, 50, 40), (12, 22, 50, 40)),
    ((18, 20, 50, 40), (20, 20, 50, 40)),
    ((26, 22, 50, 40), (30, 22, 50, 40)),
    ((34, 22, 50, 40), None),
    ((42, 24, 50, 40), (44, 24, 46, 40)),
)


def tube_iou() -> Sketch:
    """How the IoU of two tubes is computed; the numbers are of the rectangles drawn."""
    sketch = Sketch(760, 222, 'IoU of two tubes: sums over the frames')
    both, either = 0, 0
    for number, (truth, found) in enumerate(TUBE):
        left = 20 + 122 * number
        sketch.rectangle(left, 34, 112, 84, f'fill="#f3f4f6" stroke="{KINDS["data"][1]}"')
        sketch.note(left + 56, 24, f'frame {number}')
        for rectangle, color in ((truth, '#2563eb'), (found, '#c2410c')):
            if rectangle:
                x, y, width, height = rectangle
                style = f'fill="{color}" fill-opacity="0.25" stroke="{color}" stroke-width="2"'
                sketch.rectangle(left + x, 34 + y, width, height, style)
        shared = overlap(truth, found) if found else 0
        union = area(truth) + (area(found) if found else 0) - shared
        sketch.text(left + 56, 138, f'{shared} of {union}')
        both, either = both + shared, either + union
    sketch.note(690, 64, 'annotated: blue\nfound: orange')
    sketch.text(690, 138, f'{both} of {either}', bold=True)
    sketch.text(380, 166, f'IoU = {both} / {either} = {both / either:.2f}', bold=True)
    match = 'A match at the thresholds 0.50 to 0.70. At 0.75 and above the same tube is a'
    sketch.note(380, 190, f'{match}\nfalse positive, and its object is missed.')
    return sketch


def area(rectangle: Sequence[int]) -> int:
    """Pixels of (left, top, width, height)."""
    return rectangle[2] * rectangle[3]


def overlap(one: Sequence[int], other: Sequence[int]) -> int:
    """Pixels that two rectangles share."""
    sides = [
        min(one[k] + one[k + 2], other[k] + other[k + 2]) - max(one[k], other[k]) for k in (0, 1)
    ]
    return max(sides[0], 0) * max(sides[1], 0)


#: The id that a perfect mask of one object has in each frame.
IDS = (4, 4, 4, 7, 7, 7)


def vpq_windows() -> Sketch:
    """What a change of the id costs in windows of 1, 2, 4 and 6 frames."""
    sketch = Sketch(760, 284, 'VPQ of an object whose id changes, by window')
    for frame, number in enumerate(IDS):
        x = 150 + 70 * frame
        sketch.box(x, 16, 62, f'id {number}\nframe {frame}', ('new', 'network')[number == IDS[-1]])
    sketch.note(76, 34, 'the same object,\nwhole in each frame')
    qualities = []
    for row, length in enumerate((1, 2, 4, 6)):
        y = 84 + 44 * row
        sketch.text(76, y + 16, f'{length} frame{"s"[: length > 1]}', bold=True)
        windows = [IDS[start : start + length] for start in range(len(IDS) - length + 1)]
        height = min(22, 34 / len(windows))
        for start, window in enumerate(windows):
            color = KINDS['result'] if best_overlap(window) else ('#fee2e2', '#b91c1c')
            style = f'rx="2" fill="{color[0]}" stroke="{color[1]}"'
            top = y + start * height
            sketch.rectangle(150 + 70 * start, top, 70 * length - 8, height - 1.5, style)
        qualities.append(quality(windows))
        matched = sum(best_overlap(window) > 0 for window in windows)
        sketch.text(662, y + 16, f'{matched} of {len(windows)} match: PQ {qualities[-1]:.2f}')
    sketch.text(662, 44, 'green: a match, IoU above 0.5', color=FAINT)
    sketch.text(380, 270, f'VPQ = their mean = {sum(qualities) / 4:.2f}', bold=True)
    return sketch


def best_overlap(window: Sequence[int]) -> float:
    """IoU of the object in a window with the id that matches it; 0 where none has more than 0.5."""
    best = max(window.count(number) for number in set(window)) / len(window)
    return best if best > 0.5 else 0


def quality(windows: Sequence[Sequence[int]]) -> float:
    """PQ: sum of the IoUs over matches plus half of the false and of the missed segments."""
    overlaps = [best_overlap(window) for window in windows]
    matched = sum(overlap > 0 for overlap in overlaps)
    found = sum(len(set(window)) for window in windows)
    return sum(overlaps) / (matched + (found - matched) / 2 + (len(windows) - matched) / 2)


SKETCHES = (tevit, dvis, videomt, deployment, testing, tube_iou, vpq_windows)


@command_line
def main() -> None:
    parser = Parser(description=__doc__)
    parser.add_argument('out', type=Path, help='folder to write to')
    out = parser.parse_args().out
    with file_errors(out):
        for sketch in SKETCHES:
            write_bytes(out / f'{sketch.__name__}.svg', sketch().svg())


if __name__ == '__main__':
    main()
