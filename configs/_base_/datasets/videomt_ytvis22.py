# YouTube-VIS 2022: trained on the videos of 2021, since it has none of its own for that; its
# classes are those of 2021, too. Published numbers are those of its long videos alone, which the
# evaluation server tells apart.
_base_ = './videomt_ytvis21.py'
data_root = 'data/youtube_vis_2022/'

test_dataloader = dict(dataset=dict(data_root=data_root))
test_evaluator = dict(ann_file=data_root + 'valid.json')
