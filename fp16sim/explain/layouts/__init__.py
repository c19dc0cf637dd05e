"""How each record is shown: importing this package registers a layout for every record with `document_of`."""

from . import block, dot, function, number, operation, parts

__all__ = ["block", "dot", "function", "number", "operation", "parts"]
