"""The parameters of VidEoMT, EoMT and PMT under their names, each of a few numbers."""

import torch
from torch import nn


def _parameter(*shape):
    return nn.Parameter(torch.zeros(shape or (2,)))


class Attention(nn.Module):
    def __init__(self, key_bias):
        super().__init__()
        self.qkv = nn.Linear(2, 6, bias=key_bias)
        if not key_bias:
            self.q_bias, self.v_bias = _parameter(), _parameter()
        self.proj = nn.Linear(2, 2)


class Block(nn.Module):
    def __init__(self, key_bias):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(2), nn.LayerNorm(2)
        self.attn = Attention(key_bias)
        self.ls1, self.ls2 = _parameter(), _parameter()
        self.mlp = nn.ModuleDict(dict(fc1=nn.Linear(2, 2), fc2=nn.Linear(2, 2)))


class ViT(nn.Module):
    def __init__(self, depth, dinov3):
        super().__init__()
        self.cls_token, self.register_tokens = _parameter(1, 1, 2), _parameter(1, 4, 2)
        if not dinov3:
            self.pos_embed = _parameter(1, 4, 2)
        self.patch_embed = nn.Conv2d(3, 2, 1)
        self.blocks = nn.ModuleList(Block(not dinov3) for _ in range(depth))
        self.norm = nn.LayerNorm(2)


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.query_feat = nn.Embedding(3, 2)
        self.cls_embed = nn.Linear(2, 2)
        self.mask_embed = nn.Sequential(
            nn.Linear(2, 2), nn.GELU(), nn.Linear(2, 2), nn.GELU(), nn.Linear(2, 2)
        )
        self.upscale = nn.ModuleList(
            nn.ModuleDict(
                dict(
                    deconv=nn.ConvTranspose2d(2, 2, 2),
                    conv=nn.Conv2d(2, 2, 3, bias=False),
                    norm=nn.LayerNorm(2),
                )
            )
            for _ in range(2)
        )


class EoMT(nn.Module):
    def __init__(self, depth=2, dinov3=False, num_query_blocks=1):
        super().__init__()
        self.backbone = ViT(depth, dinov3)
        self.panoptic_head = Head()
        self.num_query_blocks = num_query_blocks
        self.register_buffer('mask_probabilities', torch.ones(num_query_blocks))


class VidEoMT(nn.Module):
    def __init__(self, depth=2, dinov3=False):
        super().__init__()
        self.backbone = ViT(depth, dinov3)
        self.panoptic_head = Head()
        self.query_updater = nn.Linear(2, 2)


class Lateral(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(2)
        self.mlp = nn.Sequential(nn.Linear(2, 1), nn.GELU(), nn.Linear(1, 2))
        self.scale = _parameter()


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(Block(False) for _ in range(6))
        self.norm = nn.LayerNorm(2)


class PMT(VidEoMT):
    def __init__(self, depth=2, dinov3=False):
        super().__init__(depth, dinov3)
        self.backbone.requires_grad_(False)
        self.laterals = nn.ModuleList(Lateral() for _ in range(4))
        self.decoder = Decoder()
