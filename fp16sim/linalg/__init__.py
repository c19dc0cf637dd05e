"""Linear algebra with every operation rounded, in any format and mode, and sums of products by any accumulator.

    >>> import fp16sim as fs
    >>> fs.linalg.solve([[2.0, 1.0], [1.0, 3.0]], [3.0, 5.0], "binary16")
    array([0.79980469, 1.40039062])

`lu` and `triangular` are Gaussian elimination, `positive_definite` is Cholesky's method, `orthogonal` has QR and least
squares, `jacobi` eigenvalues and singular values, `norms` norms and condition numbers. `scaling` fits a matrix into a
narrow format, and `refinement` gets the digits of a wide format from factors in a narrow one, also by `gmres`.
`iterations` has conjugate gradients and the power method, `matrices` what to test with. `breakdown` says why an
algorithm cannot go on; `work` has the operations that all of them share.
"""

from . import matrices
from .breakdown import Breakdown
from .iterations import DominantEigen, Iterated, conjugate_gradients, power_iteration
from .jacobi import SVD, Eigen, eigh, svd
from .lu import LU, det, inv, lu, solve
from .norms import cond, matrix_norm
from .orthogonal import QR, lstsq, qr
from .positive_definite import ShiftedCholesky, cholesky, shifted_cholesky
from .refinement import Refinement, refine
from .scaling import Equilibrated, equilibrate
from .triangular import triangular_solve

__all__ = [
    "LU",
    "QR",
    "SVD",
    "Breakdown",
    "DominantEigen",
    "Eigen",
    "Equilibrated",
    "Iterated",
    "Refinement",
    "ShiftedCholesky",
    "cholesky",
    "cond",
    "conjugate_gradients",
    "det",
    "eigh",
    "equilibrate",
    "inv",
    "lstsq",
    "lu",
    "matrices",
    "matrix_norm",
    "power_iteration",
    "qr",
    "refine",
    "shifted_cholesky",
    "solve",
    "svd",
    "triangular_solve",
]
