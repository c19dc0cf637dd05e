"""FloatArray: values, format, mode and random numbers that stay together in Python's operators and in NumPy.

`floatarray` is the class, made of `operators` and `methods`. `ufuncs` and `numpy_functions` are the tables of supported
functions, which NumPy calls by `__array_ufunc__` and `__array_function__`; `printing` is its text.
"""

from .floatarray import FloatArray, array

__all__ = ["FloatArray", "array"]
