"""EoMT, VidEoMT and PMT keep patches, and make the masks of what is reported at the end."""

import numpy as np
import pytest
import token_models
import torch
from dvis_models import assert_equal_instances, sample, video, windows
from token_models import KINDS, QUERIES, WIDTH

from mmvseg.errors import UserError
from mmvseg.models.heads import token_query_head
from mmvseg.models.heads.token_query_head import TokenQueryHead, UpscaleBlock
from mmvseg.models.postprocess.frame_store import FrameStore
from mmvseg.models.segmentors.token_codec import TokenCodec
from mmvseg.structures import FrameQueries

GRID = (3, 5)
TASKS = dict(
    vis=dict(max_per_video=4),
    stretches=dict(max_per_stretch=4, stretch_frames=2),
    vps=dict(task='vps', num_things=3, object_mask_threshold=0.0, overlap_threshold=0.0),
    vss=dict(task='vss'),
)


@pytest.fixture
def tiny_strips(monkeypatch):
    """Strips of two rows of the patches of this test."""
    monkeypatch.setattr(token_query_head, 'STRIP_BYTES', dict(cpu=2 * 4 * 4 * WIDTH * GRID[1]))


def head(num_upscales=2):
    torch.manual_seed(0)
    made = TokenQueryHead(4, QUERIES, WIDTH, num_upscales)
    return token_models.randomise(made).requires_grad_(False)


def found(num_frames=3):
    """Queries of frames with other patches each."""
    torch.manual_seed(1)
    embeds = torch.randn(num_frames, QUERIES, WIDTH)
    return FrameQueries(
        torch.randn(num_frames, QUERIES, 5), embeds, embeds, torch.randn(num_frames, WIDTH, *GRID)
    )


@pytest.mark.parametrize('height', [1, 2, 3, 4, 7])
@pytest.mark.parametrize('rows', [1, 2, 3, 100])
def test_strips_are_the_rows_of_the_whole(height, rows, monkeypatch):
    monkeypatch.setattr(token_query_head, 'STRIP_BYTES', dict(cpu=rows * 2 * 4 * 4 * WIDTH * 5))
    block = token_models.randomise(UpscaleBlock(WIDTH)).requires_grad_(False)
    features = torch.randn(2, WIDTH, height, 5)
    strips = list(block.strips(features))
    assert len(strips) == -(-height // rows)
    assert max(strip.shape[2] for strip in strips) <= 2 * rows + 1
    torch.testing.assert_close(torch.cat(strips, 2), block(features), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize('num_upscales', [0, 1, 2, 3])
def test_masks_are_those_of_the_upscaled_features(num_upscales, tiny_strips):
    upscaler, queries = head(num_upscales), found()
    upscaled = upscaler.upscale(queries.mask_features)
    expected = torch.einsum('nqc,nchw->nqhw', queries.mask_embeds, upscaled)
    codec = TokenCodec(upscaler, GRID, 'name')
    some = torch.tensor([5, 0, 5])
    for number, kept in enumerate(TokenCodec.join(queries)):
        assert kept.shape == (QUERIES + 15, WIDTH)
        torch.testing.assert_close(codec.select(kept, None), expected[number])
        torch.testing.assert_close(codec.select(kept, some), expected[number, some])


@pytest.mark.parametrize('memory_frames', [0, 1, 3])
def test_masks_from_disk_equal_those_from_memory(memory_frames):
    kept = TokenCodec.join(found())
    codec = TokenCodec(head(), GRID, 'name')
    store = FrameStore(memory_frames * kept[0].nbytes, codec)
    for frame in kept:
        store.append(frame)
    some = torch.tensor([2, 7])
    for frame, masks in zip(kept, store.frames(some), strict=True):
        assert masks.equal(codec.select(frame, some))


def test_without_queries_nothing_is_upscaled(monkeypatch):
    monkeypatch.setattr(UpscaleBlock, 'strips', None)
    nothing = torch.zeros(0, dtype=torch.long)
    masks = TokenCodec(head(), GRID, 'name').select(TokenCodec.join(found())[0], nothing)
    assert masks.shape == (0, 12, 20)


@pytest.mark.parametrize('kind', KINDS)
def test_only_what_is_reported_is_made_one_frame_at_a_time(kind, monkeypatch):
    model = token_models.build(kind, test_cfg=dict(max_per_video=2))
    decoded, upscaled = [], []
    strips = model.panoptic_head.strips
    monkeypatch.setattr(
        model.panoptic_head, 'strips', lambda x: upscaled.append(x.shape) or strips(x)
    )
    monkeypatch.setattr(
        'mmvseg.models.segmentors.token_codec.decode_masks',
        lambda embeds, features: (
            decoded.append(len(embeds)) or torch.einsum('nc,chw->nhw', embeds, features)
        ),
    )
    state = None
    for window in windows(video(5), 2):
        state = state or model.begin(window.sample)
        model.advance(state, window)
    assert not upscaled
    model.finish(state)
    assert upscaled == [(1, WIDTH, 4, 4)] * 5
    assert set(decoded) == {2}


def same_results(first, second, task):
    if task in ('vis', 'stretches'):
        assert_equal_instances(first, second)
        return
    assert all((one == two).all() for one, two in zip(first.maps, second.maps, strict=True))
    if task == 'vps':
        assert [(s.id, s.label) for s in first.segments] == [
            (s.id, s.label) for s in second.segments
        ]


@pytest.mark.parametrize('task', TASKS)
@pytest.mark.parametrize('kind', KINDS)
def test_results_do_not_depend_on_windows_or_memory(kind, task):
    usual = token_models.build(kind, test_cfg=TASKS[task] | dict(frame_chunk=1))
    frames = video(5)
    (expected,) = usual.predict(windows(frames, 5))
    for memory_mb in (256, 0.004):
        settings = TASKS[task] | dict(mask_memory_mb=memory_mb, frame_chunk=1)
        model = token_models.build(kind, test_cfg=settings)
        for size in (1, 3, 4, 5):
            (actual,) = model.predict(windows(frames, size))
            same_results(actual.pred, expected.pred, task)


@pytest.mark.parametrize('task', TASKS)
@pytest.mark.parametrize('kind', KINDS)
def test_live_results_do_not_depend_on_windows(kind, task, tiny_strips):
    model = token_models.build(kind, test_cfg=TASKS[task] | dict(frame_chunk=1))
    frames = video(5)
    expected = list(model.live(windows(frames, 5)))
    assert [index for index, _ in expected] == list(range(5))
    for size in (1, 3, 4):
        for (_, actual), (_, other) in zip(
            model.live(windows(frames, size)), expected, strict=True
        ):
            same_results(actual, other, task)


def test_a_live_frame_has_the_masks_of_a_video_of_one():
    model = token_models.build('VidEoMT', test_cfg=dict(max_per_video=4))
    ((_, live),) = model.live(windows(video(1), 1))
    (whole,) = model.predict(windows(video(1), 1))
    assert_equal_instances(live, whole.pred)
    assert any(mask[0]['counts'] for mask in live.masks)


def test_broken_upscaling_names_the_video():
    model = token_models.build('VidEoMT')
    model.panoptic_head.upscale[1].deconv.bias.data[0] = float('nan')
    with pytest.raises(UserError, match=r"video 'video 1': the masks .* not finite"):
        model.predict(windows(video(2), 2))


def test_half_precision_keeps_what_the_heads_gave():
    model = token_models.build('VidEoMT', test_cfg=dict(mask_memory_mb=0))
    with torch.autocast('cpu', torch.bfloat16):
        (disk,) = model.predict(windows(video(3), 3))
        object.__setattr__(model.test_cfg, 'mask_memory_mb', 256)
        (memory,) = model.predict(windows(video(3), 3))
    assert_equal_instances(disk.pred, memory.pred)
    assert np.isfinite(disk.pred.scores).all()


@pytest.mark.parametrize('task', TASKS)
def test_a_long_video_is_announced_with_its_patches(task, monkeypatch):
    messages = []
    monkeypatch.setattr(
        'mmvseg.models.segmentors.memory_notice.print_log', lambda text, **_: messages.append(text)
    )
    model = token_models.build('VidEoMT', test_cfg=TASKS[task])
    # 9 queries and 16 patches of 16 channels: 1600 bytes a frame
    model.begin(sample(600_000))
    assert not messages
    model.begin(sample(700_000))
    if task == 'stretches':  # which keeps those of a stretch alone
        assert not messages
    else:
        assert '700000 frames keep 1.0 GiB of patches, 0.2 GiB of them in memory' in messages[0]
