# %% [markdown]
# # Blocks
#
# | | |
# |---|---|
# | **Question** | How can four bits hold the weights of a network? |
# | **Time** | 45 minutes |
# | **Needs** | [Rounding](rounding.ipynb) (ties, `frexp`), [Formats](formats.ipynb) (the numbers of e2m1fn, shared scales) |
# | **You will be able to** | store a block in MXFP4 and NVFP4 by hand, say what an outlier does to the others, and write a quantizer that survives the grader |

# %%
import numpy as np

import fp16sim as fs
from fp16sim.teach import guess, guesses

# %% [markdown]
# ## What you know already
#
# A puzzle from [Formats](formats.ipynb), before anything new. NVFP4, which comes below, has blocks of 16 numbers, of 4
# bits each, and a scale of 8 bits for each block. What does a number cost?


# %%
@fs.teach.puzzle
def bits_each(element, scale, block):
    """Bits a number, if a block of numbers of `element` bits shares one `scale`. bits_each(4, 8, 32) is 4.25."""
    return ...


# %% [markdown]
# ## One exposure for the whole picture
#
# A camera chooses one exposure for a picture. It suits the brightest spot, and everything else gets the shades that are
# left. A [**block**](glossary.md#block) does the same with numbers: the largest one chooses the **scale**, and all are stored
# as
#
#     value = element × scale
#
# where the elements are numbers of e2m1fn: 0, 0.5, 1, 1.5, 2, 3, 4, 6, and their negatives. Its code is 4 bits: the
# sign, and three bits that count 0, 0.5, 1, ... 6 as 0 to 7. (In [Formats](formats.ipynb) we multiplied by a scale.
# Hardware stores the other way round: divide to store, multiply to read.)
#
# The first standard is **MXFP4**, of the Open Compute Project: 32 numbers share a scale that is a power of two. Its
# rule, which is called `floor`, has three steps. We do them by hand for a block of four weights: 0.33, -0.11, 0.04 and
# 0.08.
#
# 1. **amax**, the largest magnitude: 0.33. It lies between 1/4 and 1/2, in the [binade](glossary.md#binade) of 2^-2.
# 2. **The scale** moves this binade to the one of the largest element. 6 lies between 4 and 8, in the binade of 2^2. So
#    the exponent of the scale is that of amax, less 2.
# 3. **The elements**: divide each number by the scale, and round to the nearest element, ties to even.

# %%
scale = guess("What is the scale of 0.33, -0.11, 0.04 and 0.08 in MXFP4?")
element = guess("Which element does -0.11 become in that block?")

# %% [markdown]
# `fs.explain.block(x, block)` takes the numbers of one block, and the name of the kind of block. It shows each step:

# %%
weights = [0.33, -0.11, 0.04, 0.08]
mxfp4 = fs.explain.block(weights, "mxfp4")
print(mxfp4)
scale.compare(float(mxfp4.scale))
element.compare(float(mxfp4.elements[1].number))

# %% [markdown]
# The scale is stored as a **code** of 8 bits: its exponent plus 127, here -4 + 127 = 123. That is the format e8m0fnu:
# nothing but an exponent. -0.11 / (1/16) is -1.76, and the nearest element is -2. Its code is 8 for the sign, and 4,
# because 2 is number 4 in the list: 1100.
#
# See the same block [in the explorer](explorer.html#block?values=0.33,-0.11,0.04,0.08&block=mxfp4), and drag a number.
#
# The last table compares other rules; you need two of them below. A puzzle: write step 2 for any amax. Remember the
# trap of [Rounding](rounding.ipynb): a logarithm is rounded.


# %%
@fs.teach.puzzle
def scale_exponent(amax):
    """The exponent e of the MXFP4 scale 2^e, by the rule floor, for a float amax > 0. scale_exponent(0.33) is -4."""
    return ...


# %% [markdown]
# ## The number that is too large
#
# Now a block whose amax is 7. It lies between 4 and 8, so the scale is 1. But the largest element is 6.

# %%
seven = guess("What does 7 become in MXFP4, as the largest of its block?")

# %%
block = [7, 0.6, -3, 0.2]  # <- change: try 6.9 or 8 in place of 7
for rule in ("floor", "rceil"):
    found = fs.explain.block(block, "mxfp4", scale_rule=rule)
    print(f"{rule:6} scale {float(found.scale)}  values", [float(x.value) for x in found.elements])
    if rule == "floor":
        seven.compare(float(found.elements[0].value))

# %% [markdown]
# The rule floor [**saturates**](glossary.md#saturation): what is beyond the largest element becomes the largest. NVIDIA's rule `rceil` divides
# amax by 6 and rounds *up* to a power of two, 2 here. Nothing saturates. But 7 / 2 = 3.5 is a [tie](glossary.md#tie)
# between 3 and 4, and goes to 4, which means 8. And 0.6 is 0.3 of the scale now, and becomes 0.5 times 2. One rule
# loses at the top, the other at the bottom. Which is better?

# %%
better = guess(
    "On normal random numbers, how do the errors of floor and rceil compare in MXFP4?",
    choices=("floor's are less than half", "rceil's are less than half", "they are about equal"),
)

# %% [markdown]
# `fs.blocks.quantize(x, block)` does it for an array, and `fs.blocks.statistics` says what it did.

# %%
x = np.random.default_rng(0).normal(size=(64, 512)).astype(np.float32)
rms = {}
for rule in ("floor", "rceil"):
    q = fs.blocks.quantize(x, "mxfp4", scale_rule=rule)
    done = fs.blocks.statistics(x, q).summary()
    rms[rule] = done["rms_error"]
    print(f"{rule:6} error {rms[rule]:.3f}   saturated {done['saturated']:.1%}   became 0 {done['vanished']:.1%}")
ratio = rms["floor"] / rms["rceil"]
names = {True: "floor's are less than half", False: "rceil's are less than half"}
better.compare("they are about equal" if 0.5 < ratio < 2 else names[ratio <= 0.5])

# %% [markdown]
# So two machines can follow different rules, be equally good, and store different bytes. Say which rule you use.
#
# ## One lamp in the picture
#
# Point the camera at a lamp: the lamp is sharp, and the room is black. Take 31 numbers between -3 and 3, and one
# [**outlier**](glossary.md#outlier), 100. It is in the binade of 64, so the scale is 64 / 4 = 16.

# %%
black = guess("MXFP4 with an outlier of 100: how many of 31 numbers between -3 and 3 become 0?")

# %%
numbers = np.clip(np.random.default_rng(1).normal(size=32), -3, 3)
for outlier in (3, 6, 12, 25, 50, 100):
    numbers[0] = outlier
    q = fs.blocks.quantize(numbers, "mxfp4")
    print(f"outlier {outlier:3}: scale {q.scales[0]:4}, {np.sum(q.values == 0):2} of 31 became 0")
black.compare(int(np.sum(q.values[1:] == 0)))

# %% [markdown]
# All of them. Each doubling of the largest number takes a binary digit from every other number of the block. Drag the
# outlier down [in the explorer](explorer.html#block?block=mxfp4), and the others get their digits back.
#
# A quarter of the scale is in the middle between 0 and 0.5 times the scale. A puzzle: which numbers become 0? Where does
# the quarter itself go?


# %%
@fs.teach.puzzle
def becomes_zero(x, amax):
    """True if x becomes 0 or -0 in an MXFP4 block (rule floor) whose largest magnitude is amax > 0, else False."""
    return ...


# %% [markdown]
# ## Two levels: NVFP4
#
# **NVFP4** does two things against this. Its blocks have 16 numbers, so that an outlier spoils fewer. And its scale is
# no power of two, but a number of e4m3fn, with four binary digits of precision, so that amax comes close to 6 and no
# shade is wasted.
#
# e4m3fn reaches only from 2^-9 to 448. So there is a second scale, one for the whole tensor, a float32:
#
#     value = element × block scale × tensor scale
#
# 1. **The tensor scale** is the largest magnitude of the whole tensor, divided by 6 × 448 = 2688: with it the largest
#    block gets the scale 448. If the largest weight is 2.688, the tensor scale is 0.001.
# 2. **The block scale** is amax / 6, divided by the tensor scale, and rounded to e4m3fn. For our four weights that is
#    0.33 / 6 / 0.001 = 55. Between 32 and 64 the numbers of e4m3fn are 4 apart.
# 3. **The elements**: divide by both scales, and round.

# %%
two = guess("NVFP4: to which block scale is 55 rounded?")
smallest = guess("NVFP4: what does 0.04 become, as an element, if both scales together are 0.056?")

# %%
nvfp4 = fs.explain.block(weights, "nvfp4", tensor_amax=2.688)
for x, one, other in zip(weights, mxfp4.elements, nvfp4.elements, strict=True):
    print(f"{x:5}   mxfp4 {float(one.value):8.5f}   nvfp4 {float(other.value):8.5f}")
two.compare(float(nvfp4.scale))
smallest.compare(float(nvfp4.elements[2].number))

# %% [markdown]
# 0.33 was 0.375, and is 0.336 now. The same on the random numbers from above. The last column is what you found in the
# first puzzle.

# %%
x = np.random.default_rng(0).normal(size=(64, 512)).astype(np.float32)
for name, bits in (("mxfp4", 4 + 8 / 32), ("nvfp4", 4 + 8 / 16)):
    error = fs.blocks.statistics(x, fs.blocks.quantize(x, name)).summary()["rms_error"]
    print(f"{name}: error {error:.3f}, {bits} bits a number")

# %% [markdown]
# ## A cure for lamps
#
# A smaller block is not the only way. One can also spread the outlier before it is stored. The
# **Hadamard transform** of 16 numbers makes 16 sums: in each, every number occurs once, with the sign + or -. Each sum
# is divided by 4. No number is lost: the same transform again gives the 16 numbers back.
#
# Take 15 zeros and one 8. `fs.blocks.hadamard(x, signs)` is the transform, of as many numbers as there are signs.

# %%
spread = guess("After a Hadamard transform of 15 zeros and one 8, what is the largest magnitude?")

# %%
signs = fs.blocks.random_signs(16, rng=0)  # random signs, so that no regular pattern adds up
lamp = np.zeros(16)
lamp[3] = 8.0
print(fs.blocks.hadamard(lamp, signs))
spread.compare(float(np.abs(fs.blocks.hadamard(lamp, signs)).max()))

# %% [markdown]
# All are equally large now: nobody chooses the scale alone. Does it help? Each row below has 31 normal random numbers
# and an outlier of 8. We store them as they are; and transformed, and transform back what was stored.
#
# **Predict:** does it help more in MXFP4, or in NVFP4?

# %%
numbers = np.random.default_rng(2).normal(size=(512, 32))
numbers[:, 0] = 8.0
for name in ("mxfp4", "nvfp4"):
    plain = fs.blocks.quantize(numbers, name).values
    turned = fs.blocks.quantize(fs.blocks.hadamard(numbers, signs), name).values
    back = fs.blocks.hadamard(turned, signs, inverse=True)
    print(name, *(f"{how} {np.abs(y - numbers).mean():.2f}  " for how, y in (("plain", plain), ("transformed", back))))

# %% [markdown]
# In MXFP4 the mean error falls by a third. In NVFP4 it does not: small blocks with fine scales cope alone, and there the
# transform makes small numbers large. So measure before you use it. In a product of matrices both factors pass through
# the same transform, and the product stays the same; so nobody needs to transform back.
#
# ## What must be decided
#
# "Divide by the scale" is not the whole story. These cases are where programs differ, and where yours will be tested:
#
# | case | here |
# |---|---|
# | a block of zeros | scale code 0; the zeros keep their signs. (In NVFP4, a tensor of zeros has the tensor scale 1) |
# | NaN or infinity in a block | the scale is NaN: code 255 in MXFP4, 127 in NVFP4. The other blocks are as if it were not there |
# | a scale below the smallest | the smallest: 2^-127 in MXFP4; 2^-9, code 1, in NVFP4 |
# | a scale above the largest | the largest: 2^127, or 448; the elements saturate |
# | a number that becomes 0 | keeps its sign: -0 has the element code 8 |
# | two elements in a byte | the first in the low four bits: elements 6 and 1, with the codes 7 and 2, are 0x27 |
#
# ## In short
#
# - A block stores elements of few bits and one scale: value = element × scale. The largest magnitude, amax, finds it.
# - MXFP4: 32 elements, scale 2^(floor(log2 amax) - 2). What is above 6 times the scale saturates. The rule rceil rounds
#   the scale up instead. Neither is better; they store different bytes.
# - An outlier takes the digits of all others in its block. At a scale s, everything up to s / 4 becomes 0.
# - NVFP4: 16 elements, a scale in e4m3fn, and one in float32 for the tensor: amax / 2688. It costs 4.5 bits a number,
#   and errs less.
# - A random Hadamard transform spreads outliers before they are stored. It helps in MXFP4.
#
# Your guesses in this lesson:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/blocks.py`. Write them without `fs.blocks`. This is a quantizer as hardware courses ask for
# it. `size` is the number of elements of a block, so that you can try blocks of two. The grader knows more than twenty
# mistakes by name, and shows the smallest block that reveals yours:


# %%
def quantize_mxfp4(values, size):
    """(scale codes, bytes) of a list of floats, in MXFP4 blocks of `size` elements, by the rule floor."""
    raise NotImplementedError


fs.teach.check(quantize_mxfp4)  # fs.teach.hint() helps

# %% [markdown]
# 1. `read_mxfp4(scale_code, packed)`: the values of one block, a list of floats, from the code of its scale and its
#    bytes. It is the shortest, and a good start.
# 2. `quantize_mxfp4(values, size)`: the list of scale codes, and the bytes (a list of integers, or `bytes`). Write three
#    small functions: the scale of a block, the code of one number, two codes into a byte. `math.frexp`, `math.ldexp` and
#    `round` are all that you need.
# 3. For those who want more (20 minutes): `quantize_nvfp4(values, size)`: the tensor scale, the list of scale codes, and the bytes.
#    `np.float32(x)` rounds to float32. In which order do you divide? Each stored number is rounded once.
#
# In the terminal: `fp16sim grade exercises/blocks.py`. Your own quantizer of another course is graded alike, with
# `fp16sim grade my.py:my_function --task mxfp8`; `fp16sim grade --list` shows the kinds of blocks.
#
# ## Read next
#
# - B. D. Rouhani et al., "Microscaling data formats for deep learning", arXiv:2310.10537, 2023: MX, by its authors.
# - NVIDIA, "Pretraining large language models with NVFP4", arXiv:2509.25149, 2025: two levels, the transform, and what
#   stays in more bits.
# - The page "Blocks that share a scale" of the documentation: all blocks and rules of this library, and in which codes
#   other libraries differ.
#
# Next lesson: [Backpropagation](backpropagation.ipynb). We train a network ourselves, and round every step of it.
