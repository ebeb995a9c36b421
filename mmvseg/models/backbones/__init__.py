from .msgshift import MsgShifT

__all__ = ['MsgShifT']
