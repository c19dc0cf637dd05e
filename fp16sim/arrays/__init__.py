"""FloatArray: values, format, mode and random generator that travel together through Python's operators and NumPy.

`floatarray` is the class, made of `operators` and `methods`. `ufuncs` and `numpy_functions` are the tables of what
NumPy hands over (`__array_ufunc__`, `__array_function__`); `printing` is its text.
"""

from .floatarray import FloatArray, array

__all__ = ["FloatArray", "array"]
