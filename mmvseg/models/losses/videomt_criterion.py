"""The losses of VidEoMT and PMT, which are Mask2Former's but for one label."""

from torch import Tensor

from mmvseg.registry import MODELS

from .query_criterion import QueryCriterion


@MODELS.register_module()
class VidEoMTCriterion(QueryCriterion):
    """:class:`QueryCriterion` that trains objects labelled "no object" as the last class.

    Only the option ``absent_as_last_class`` of the models makes such labels. The published code
    did so by accident: the matching sees "no object", the cross entropy the last class.
    """

    def _query_classes(self, labels: Tensor, queries: Tensor, num_queries: int) -> Tensor:
        last_class = self.num_classes - 1
        return super()._query_classes(labels.clamp(max=last_class), queries, num_queries)
