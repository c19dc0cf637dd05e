# %% [markdown]
# # Solving Ax = b in 16 bits
#
# | | |
# |---|---|
# | **Question** | Sixteen bits solve a linear system badly. How do three formats together get every digit of binary32? |
# | **Time** | 45 minutes |
# | **Needs** | [Sums](sums.ipynb) (every step rounded), [How wrong is it?](how_wrong.ipynb) (condition numbers), [Dot products](dot_products.ipynb) (wide sums) |
# | **You will be able to** | say why elimination fails in 16 bits, cure overflow by scaling, and refine a solution |

# %%
import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs
from fp16sim.teach import guess, guesses

# %% [markdown]
# ## What you know already
#
# A puzzle from [Dot products](dot_products.ipynb): one step of a dot product.


# %%
@fs.teach.puzzle
def add_product(total, x, y):
    """total + x * y in binary16: the product is rounded, and so is the sum. add_product(2048.0, 1.0, 1.0) is 2048.0."""
    return ...


# %% [markdown]
# ## Two bills
#
# Three coffees and a cake cost 9. One coffee and two cakes cost 8. What does a coffee cost, and what a cake? These are
# two equations for two unknowns, a **linear system**. We write it as A x = b: A has the counts, b the bills, x the
# prices.
#
# School solves it by **elimination**: subtract a third of the first bill from the second. The coffee is gone from the
# second bill, which then tells the price of a cake. `fs.linalg.solve(a, b, fmt)` does that, and rounds each step to the
# format.
#
# A third is no number of binary16. So the step is not exact.

# %%
exact_prices = guess("3 coffees + 1 cake = 9, 1 coffee + 2 cakes = 8: does binary16 find exactly 2 and 3? (yes or no)")

# %%
a = np.array([[3.0, 1.0], [1.0, 2.0]])
b = a @ [2.0, 3.0]  # <- change: try the prices 2.1 and 3.4
prices = fs.linalg.solve(a, b, "binary16")
print("a third in binary16:", fs.divide(1, 3, "binary16"))
print("prices:             ", prices)
exact_prices.compare(bool((prices == [2, 3]).all()))

# %% [markdown]
# Here we were lucky: the small errors were rounded away. A puzzle: write the step that all elimination is made of.
# `fs.multiply(x, y)` and `fs.subtract(x, y)` round to binary16.


# %%
@fs.teach.puzzle
def eliminated(x, factor, y):
    """x - factor * y in binary16: the product is rounded, and so is the difference. eliminated(9.0, 0.5, 4.0) is 7.0."""
    return ...


# %% [markdown]
# ## A pivot that is too small
#
# The number by which elimination divides is the **pivot**. Take these two equations:
#
#     0.0001 x + y = 1
#            x + y = 2
#
# On paper x and y are both almost 1. In binary16, the pivot 0.0001 makes the factor 1 / 0.0001 = 10000. Between 8192 and
# 16384 the numbers of binary16 are 8 apart ([see it](explorer.html#number?x=9999&format=binary16)). Do the steps on
# paper: the second equation, less 10000 times the first.

# %%
small_pivot = guess("In binary16, with the pivot 0.0001: 0.0001 x + y = 1 and x + y = 2. What does x become?")

# %%
factor = fs.divide(1, 0.0001, "binary16")
y = fs.divide(fs.subtract(2, factor, "binary16"), fs.subtract(1, factor, "binary16"), "binary16")
x = fs.divide(fs.subtract(1, y, "binary16"), 0.0001, "binary16")
print(
    "factor",
    factor,
    " 1 - factor:",
    fs.subtract(1, factor, "binary16"),
    " 2 - factor:",
    fs.subtract(2, factor, "binary16"),
)
print("x =", x, " y =", y)
print("with rows exchanged:", fs.linalg.solve([[0.0001, 1.0], [1.0, 1.0]], [1.0, 2.0], "binary16"))
small_pivot.compare(x)

# %% [markdown]
# The 1 and the 2 of the second equation were absorbed by 10000: two different equations became the same. So elimination
# exchanges rows, and takes the largest number of a column as its pivot. Then no factor is larger than 1. This is
# **partial pivoting**, and `fs.linalg.solve` always does it.
#
# ## The condition number decides
#
# Pivoting does not save everything. Some systems enlarge every error: their
# [**condition number**](glossary.md#condition-number) is large. `fs.linalg.matrices.with_condition(n, condition)` makes
# a random matrix that has the condition number you choose. We solve 20 equations whose solution is all ones.

# %%
worst = guess(
    "20 equations in binary16, condition number 10000: x should be all ones. Is an error above 10%? (yes or no)"
)
residual_small = guess(
    "And how well does that x fulfil the equations, b - A x: within 1% of the largest b? (yes or no)"
)

# %%
for condition in (1, 10, 100, 1000, 10000):
    a = fs.linalg.matrices.with_condition(20, condition)
    b = a @ np.ones(20)
    x = fs.linalg.solve(a, b, "binary16")
    error, residual = np.abs(x - 1).max(), np.abs(b - a @ x).max() / np.abs(b).max()
    print(f"condition {condition:5}: largest error {error:6.1%}, largest b - A x {residual:6.2%}")
worst.compare(bool(error > 0.1))
residual_small.compare(bool(residual < 0.01))

# %% [markdown]
# The equations are fulfilled about equally well each time. That is all that elimination promises: its x solves a system
# very near to yours (it is *backward stable*). How near x is to the truth depends on the condition number.
#
# ## Beyond 65504
#
# A bill in cents and one in millions: binary16 ends at 65504, and a matrix may not.

# %%
lost_digits = guess("A matrix is scaled by powers of two and back. How many digits does that cost, far from both ends?")

# %%
big, bills = [[1e6, 2e6], [3.0, 4.0]], [3e6, 7.0]
try:
    with np.errstate(over="ignore"):
        fs.linalg.solve(big, bills, "binary16")
except fs.linalg.Breakdown as breakdown:
    print(breakdown.cause)
scaled = fs.linalg.equilibrate(big, "binary16")
print("rows times", scaled.rows)
print(fs.linalg.solve(big, bills, "binary16", scaling="rows_columns"))
lost_digits.compare(0)

# %% [markdown]
# `fs.linalg.Breakdown` says what an algorithm met. Multiplying by a power of two changes the exponent only, so no digit
# is lost. `scaling="rows_columns"` scales each row and each column, solves, and scales back.
#
# ## Three formats
#
# Now the good idea. Elimination is the expensive part: do it in binary16, once. Its x has two or three digits. Then ask
# how wrong it is:
#
# 1. The **residual** r = b - A x, in binary64. It is a small difference of large numbers, so it needs a wide format.
# 2. Solve A d = r with the factors that we have already, in binary16. d has two or three right digits, too.
# 3. x + d, in binary32. Each round adds the digits that one solution has.
#
# A puzzle: the residual of one equation, in binary64. `fs.dot(row, x, "binary64")` is the left side.


# %%
@fs.teach.puzzle
def residual_of(row, x, b):
    """b - row . x: the dot product in binary64, and the difference too. residual_of([3.0, 1.0], [2.0, 2.5], 9.0) is 0.5."""
    return ...


# %% [markdown]
# `fs.linalg.refine(a, b)` is the whole loop: factors in binary16, x in binary32, residuals in binary64.

# %%
converges = guess("Factors in binary16, condition number 1000: does x get all digits of binary32? (yes or no)")
too_hard = guess("Factors in binary16, condition number 1,000,000: does x get all digits of binary32? (yes or no)")

# %%
a = fs.linalg.matrices.with_condition(20, 1000)  # <- change: try 10, or 10000
result = fs.linalg.refine(a, a @ np.ones(20))
print("correction, as a share of x:", *(f"{share:.0e}" for share in result.corrections))
harder = fs.linalg.matrices.with_condition(20, 1e6)
failed = fs.linalg.refine(harder, harder @ np.ones(20))
print("condition 1,000,000:", *(f"{share:.0e}" for share in failed.corrections), failed.cause)
converges.compare(result.converged)
too_hard.compare(failed.converged)

# %% [markdown]
# Each correction is about a tenth of the one before: the digits come one by one. With condition number 1,000,000 the
# first x has no right digit, and so has every correction.
#
# **GMRES** goes further. It is a method that solves A d = r by many products with A, and the factors only have to point
# roughly in the right direction. Here is every condition number, for both formats of 16 bits; the rows of these matrices
# have very different sizes, so that binary16 alone cannot even store them.

# %%
fs.plots.refinement()
plt.show()
by_gmres = fs.linalg.refine(harder, harder @ np.ones(20), method="gmres")
print("condition 1,000,000 by GMRES:", *(f"{share:.0e}" for share in by_gmres.corrections), by_gmres.converged)

# %% [markdown]
# bfloat16 needs no scaling, since it has the range of binary32. But it has 8 bits instead of 11, so its factors serve
# for smaller condition numbers only.
#
# ## In short
#
# - Elimination divides by pivots. A small pivot absorbs the other numbers, so rows are exchanged.
# - The computed x fulfils the equations well. Its error is that, times the condition number: in binary16 little is left
#   from 1000 on.
# - A matrix beyond 65504 is scaled by powers of two, which costs no digit.
# - Refinement: factors in 16 bits, x in 32, residuals in 64. It gets all digits of binary32 up to a condition number of
#   about 10^4, and with GMRES up to about 10^8.
#
# Your guesses in this lesson:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/linear_systems.py`. Write them without `fs.linalg`. Begin here:


# %%
def upper_solve(u, b):
    """x with u x = b in binary16, for an upper triangle (a list of rows) and a list b; the last unknown first."""
    raise NotImplementedError


fs.teach.check(upper_solve)  # fs.teach.hint() helps

# %% [markdown]
# 1. `upper_solve(u, b)`: back substitution. x[i] is b[i], less the products u[i][j] * x[j], each rounded and subtracted
#    in the order in which the unknowns were found (the last one first), divided by u[i][i].
# 2. `corrections(k, start, goal)`: an error of 2^-start becomes 2^-k times as large with each correction. How many
#    corrections until it is at most 2^-goal?
#
# ## Read next
#
# - E. Carson, N. J. Higham, "Accelerating the solution of linear systems by iterative refinement in three precisions",
#   SIAM Journal on Scientific Computing 40, 2018: which condition numbers converge, and why.
# - N. J. Higham, S. Pranesh, M. Zounon, "Squeezing a matrix into half precision", SIAM Journal on Scientific Computing
#   41, 2019: the scaling.
# - `help(fs.linalg.refine)` and its sisters: everything that `fs.linalg` can do, with the theorems behind it.
#
# Next lesson: [Formats](formats.ipynb). If factors may be narrow, how narrow may the numbers of a network be?
