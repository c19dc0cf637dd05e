"""How each record is shown: importing this package registers a layout for every record with `document_of`."""

from . import dot, function, number, operation, parts

__all__ = ["dot", "function", "number", "operation", "parts"]
