import torch
import torch.nn.functional as F
from token_models import CLASSES, QUERIES, WIDTH, randomise

from mmvseg.models.heads import TokenQueryHead
from mmvseg.models.heads.token_query_head import UpscaleBlock


def build(**options):
    torch.manual_seed(0)
    return randomise(TokenQueryHead(CLASSES, QUERIES, WIDTH, **options)).eval()


def test_an_upscaling_block_pixel_by_pixel():
    torch.manual_seed(0)
    block, features = randomise(UpscaleBlock(4)), torch.randn(1, 4, 2, 3)
    weight, bias = block.deconv.weight, block.deconv.bias  # (in, out, 2, 2): no overlaps
    doubled = torch.zeros(4, 4 + 2, 6 + 2)  # with a border of zeros
    for y in range(4):
        for x in range(6):
            pixel = features[0, :, y // 2, x // 2] @ weight[:, :, y % 2, x % 2] + bias
            doubled[:, 1 + y, 1 + x] = F.gelu(pixel)
    output = block(features)
    assert output.shape == (1, 4, 4, 6)
    for y in range(4):
        for x in range(6):
            mixed = (doubled[:, y : y + 3, x : x + 3] * block.conv.weight[:, 0]).sum((1, 2))
            normal = (mixed - mixed.mean()) / (mixed.var(correction=0) + 1e-6).sqrt()
            expected = normal * block.norm.weight + block.norm.bias
            torch.testing.assert_close(output[0, :, y, x], expected)


def test_upscaling_doubles_so_many_times():
    for num_upscales in (0, 1, 2, 3):
        head = build(num_upscales=num_upscales)
        assert head.upscale(torch.rand(1, WIDTH, 2, 3)).shape[2:] == (
            2 * 2**num_upscales,
            3 * 2**num_upscales,
        )


def test_queries_come_first_and_patches_last():
    head = build()
    tokens = torch.arange(QUERIES + 5 + 6.0)[None, :, None].expand(2, -1, WIDTH)
    queries, patches = head.split(tokens, (2, 3))
    assert queries.shape == (2, QUERIES, WIDTH)
    assert queries[0, :, 0].tolist() == list(range(QUERIES))
    assert patches.shape == (2, WIDTH, 2, 3)
    first = QUERIES + 5
    assert patches[1, 3].tolist() == [
        [first, first + 1, first + 2],
        [first + 3, first + 4, first + 5],
    ]


def test_every_image_starts_with_the_same_queries():
    head = build()
    queries = head.learned_queries(3)
    assert queries.shape == (3, QUERIES, WIDTH)
    assert all(torch.equal(image, head.query_feat.weight) for image in queries)


def test_names_and_sizes_of_the_parameters():
    sizes = {name: tuple(value.shape) for name, value in build().state_dict().items()}
    linear = {}
    for layer in (0, 2, 4):
        linear[f'mask_embed.{layer}.weight'] = (WIDTH, WIDTH)
        linear[f'mask_embed.{layer}.bias'] = (WIDTH,)
    upscaling = {}
    for block in (0, 1):
        upscaling |= {
            f'upscale.{block}.deconv.weight': (WIDTH, WIDTH, 2, 2),
            f'upscale.{block}.deconv.bias': (WIDTH,),
            f'upscale.{block}.conv.weight': (WIDTH, 1, 3, 3),
            f'upscale.{block}.norm.weight': (WIDTH,),
            f'upscale.{block}.norm.bias': (WIDTH,),
        }
    assert sizes == linear | upscaling | {
        'query_feat.weight': (QUERIES, WIDTH),
        'cls_embed.weight': (CLASSES + 1, WIDTH),
        'cls_embed.bias': (CLASSES + 1,),
    }
