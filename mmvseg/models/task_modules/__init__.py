from .tevit_hungarian_assigner import ClipAssignment, ClipInstances, TeViTHungarianAssigner

__all__ = ['ClipAssignment', 'ClipInstances', 'TeViTHungarianAssigner']
