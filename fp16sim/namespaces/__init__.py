"""The Python array API standard: other people's functions, computed in any format.

`namespace` makes a namespace, and `arrays` are its arrays: FloatArrays that know their namespace, with booleans
and integers beside them. `dtypes` says which of them meet, and `operands` checks arguments. The functions stand in
`creation`, `elementwise`, `statistics`, `places` (shapes, searching, sorting, sets, indexing), `products`,
`factorizations` and `fourier`. None computes by itself: they call FloatArray, the reductions and `linalg`.
"""

from .arrays import PlainArray
from .namespace import Namespace, array_api, namespace_of

__all__ = ["Namespace", "PlainArray", "array_api", "namespace_of"]
