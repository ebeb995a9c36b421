"""From a trained model to ONNX files. Needs torch, onnx and onnxscript."""

from .exporting import Exported, export_model

__all__ = ['Exported', 'export_model']
