# %% [markdown]
# # Attention in 16 bits
#
# | | |
# |---|---|
# | **Question** | What can go wrong in the heart of a language model when every step of it is rounded? |
# | **Time** | 45 minutes |
# | **Needs** | [Rounding](rounding.ipynb) (ties), [At the edges](edges.ipynb) (infinity, NaN), [Sums](sums.ipynb) (the order of a sum), [Mixed precision](mixed_precision.ipynb) |
# | **You will be able to** | compute a head of attention by hand, name its failures in 16 bits with their cures, and write one that survives them |

# %%
import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs
from fp16sim.teach import guess, guesses

# %% [markdown]
# ## What you know already
#
# A puzzle from [Rounding](rounding.ipynb). Infinity will visit us often in this lesson. Where does it begin?


# %%
@fs.teach.puzzle
def overflows(x):
    """True if a float x from 1 on becomes infinity when it is rounded to binary16, else False."""
    return ...


# %% [markdown]
# ## Eight words
#
# "The cat that saw a dog was hungry." Who was hungry? You looked back at the other words, and most at "cat". A language
# model does the same by arithmetic, and calls it [**attention**](glossary.md#attention):
#
# - each word has a **key**, some numbers that say what it is;
# - the word "hungry" has a **query**, numbers that say what it looks for;
# - the dot product of both, divided by the root of their length, is the **score** of a word;
# - [**softmax**](glossary.md#softmax) makes weights of the scores: e^score, divided by the sum of all e^score;
# - each word has a **value**, and the result is the sum of weight × value.
#
# Here a key has four numbers: animal, action, small word, subject. The query looks for an animal and for the subject. By
# hand for "cat": 4·1 + 2·2 = 8, divided by the root of 4: the score is 4. "Dog" has (4·1 + 2·1) / 2 = 3. The values are
# kilograms. `fs.array(x, fmt)` rounds to a format, and rounds every operation with it:

# %%
words = ["the", "cat", "that", "saw", "a", "dog", "was", "hungry"]
keys = [[0, 0, 1, 0], [1, 0, 0, 2], [0, 0, 1, 0], [0, 2, 0, 0], [0, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 0], [0, 1, 0, 1]]
query, kilograms = [4, 0, 1, 2], [0, 4, 0, 0, 0, 20, 0, 0]


def head(fmt):
    """The scores, the weights, and the result."""
    q, k, v = (fs.array(x, fmt) for x in (query, keys, kilograms))
    scores = k @ (q * 0.5)
    e = np.exp(scores - scores.max())
    weights = e / e.sum()
    return scores, weights, weights @ v


found = {fmt: head(fmt) for fmt in ("binary64", "binary16", "bfloat16")}
print("word     score", *(f"{fmt:>9}" for fmt in found))
for k, word in enumerate(words):
    print(f"{word:8} {float(found['binary64'][0][k]):5}", *(f"{float(w[k]):9.5f}" for _, w, _ in found.values()))
print("result        ", *(f"{float(result):9.5f}" for *_, result in found.values()))

# %% [markdown]
# 64% of the weight is on the cat, and the hungry one weighs 7.3 kg, whatever the format. Eight weights in bfloat16 do not
# add up to 1 exactly; nobody notices. So far, 16 bits are enough. Now the numbers grow.
#
# ## The score is too large
#
# Real heads have 64 or 128 numbers, and training makes some of them large. Take a query and a key of 32 numbers, each 64.
# We divide the score by 8 at the end, as the formula says.

# %%
late = guess("A query and a key have 32 numbers, each 64: what is their product in binary16, divided by 8 afterwards?")

# %%
for fmt in ("bfloat16", "binary16"):
    q = k = fs.array(np.full(32, 64.0), fmt)
    with np.errstate(over="ignore"):
        product_first, query_first = float((q @ k) * 0.125), float((q * 0.125) @ k)
    print(f"{fmt}: product first {product_first}, query first {query_first}")
late.compare(product_first)

# %% [markdown]
# The score itself, 16384, is a number of binary16. The product before it is 131072, and that is none. **Scale the query
# first.** A factor of 1/8 is a power of two: it costs no digit, and it saves the range. bfloat16 reaches to 10^38 and does
# not care. That is one reason why language models are trained in bfloat16.
#
# ## e^score is too large
#
# A score of 16384 is fine as a score. Softmax wants e^score.

# %%
last = guess("What is the largest whole number n for which e^n is finite in binary16?")

# %%
with np.errstate(over="ignore"):
    for n in (10, 11, 12, 88, 89):
        print(f"e^{n}:  binary16 {float(fs.exp(n, 'binary16')):8}   bfloat16 {float(fs.exp(n, 'bfloat16')):.5g}")
    last.compare(max(n for n in range(100) if np.isfinite(fs.exp(n, "binary16"))))

# %% [markdown]
# bfloat16 fails too, from 89 on. The **stable softmax** subtracts the largest score from all: on paper numerator and
# denominator lose the same factor. Then no exponential is above 1, and the sum is at least 1. That is why `head` above
# has `scores - scores.max()`. `fs.explain.softmax` shows every step; first the formula as it is written:

# %%
naive = fs.explain.softmax([12, 11], "binary16", shift=False)
stable = fs.explain.softmax([12, 11], "binary16")
for name, why in (("as written", naive), ("stable", stable)):
    print(f"{name:10}", *(f"{step.formula} = {float(step.why.result.value):.5g}," for step in why.exponentials), end="")
    print("  weights", *(float(y.value) for y in why.results))

# %% [markdown]
# What is lost now is at the other end. A score far below the largest gets e^-gap, which is small. The picture compares
# the stored weight with the exact one:

# %%
fs.plots.attention()
plt.show()

# %% [markdown]
# Up to a gap of 9.7 the weight is a [normal number](glossary.md#normal-number). Then it is
# [subnormal](glossary.md#subnormal), and loses one bit after the other. From 17.33 on it is 0: the word is not seen at
# all. A puzzle: find that edge.


# %%
@fs.teach.puzzle
def weight_is_zero(gap):
    """True if e^-gap, rounded to binary16, is 0, for a float gap >= 0, else False. Half of 2^-24 is a tie."""
    return ...


# %% [markdown]
# ## The mask
#
# While a model learns, a word must not look at later words. And short sentences are filled up with empty words, which
# nobody may look at. A **mask** hides them. An old way to write it: `keep` is 1 or 0, and
#
#     scores + (1 - keep) * -1e9
#
# adds 0 to what is seen, and minus a billion to what is hidden. Below, one of our eight words is hidden.

# %%
nans = guess("In binary16, (1 - keep) * -1e9 is added to eight scores, one of them hidden: how many weights are NaN?")


# %%
def softmax(scores):
    """The stable softmax of a FloatArray."""
    e = np.exp(scores - scores.max())
    return e / e.sum()


keep = np.array([1, 1, 1, 1, 1, 0, 1, 1])
scores = found["binary16"][0]
with np.errstate(all="ignore"):
    print("the mask:", (1 - fs.array(keep)) * -1e9)
    masked = softmax(scores + (1 - fs.array(keep)) * -1e9)
print("the weights:", masked)
nans.compare(int(np.isnan(masked.values).sum()))

# %% [markdown]
# -1e9 is rounded to -infinity, and 0 times infinity is NaN. People replaced -1e9 by -65504, the most negative number, and
# added it. Take a query for which all words are hidden: the first word of a sentence that is filled up on the left.

# %%
all_hidden = guess(
    "In binary16, -65504 is added to all eight scores, which are 0 to 4: what is the weight of each word?"
)

# %%
print("-65504 + score:", (scores - 65504.0).values)
print("weights:", softmax(scores - 65504.0).values)
all_hidden.compare(float(softmax(scores - 65504.0).values[0]))

hidden = fs.array(np.full(8, -np.inf))
with np.errstate(invalid="ignore"):
    print("weights with -infinity:", softmax(hidden).values)

# %% [markdown]
# Near 65504 the numbers are 32 apart. The scores are [absorbed](glossary.md#absorption), all eight are equal, and the word
# looks at everything that it must not see, with 1/8 each. No warning, no NaN. With -infinity it is NaN: the largest score
# is -infinity, and infinity minus infinity has no value. NaN is the better failure, because you see it.
#
# The cure: **choose, do not add** (`np.where`, `masked_fill`), with -infinity, and give a query without keys zeros.
#
# ## Tile by tile
#
# A text of 100,000 words has 10 billion scores. **Flash attention** never stores them. It takes some keys at a time, a
# tile, and remembers three numbers: m, the largest score so far; the sum of e^(score - m); and the sum of
# e^(score - m) × value. When a tile has a larger score, both sums get the factor e^(old m - new m). At the end it divides
# once. This is called an **online** softmax.
#
# A puzzle, in powers of two instead of e, so that nothing is rounded: two tiles, each with its m and its sum.


# %%
@fs.teach.puzzle
def merge(m1, l1, m2, l2):
    """(m, l) of two tiles together: m the larger one, and l the sum of all 2^(score - m). l1 has 2^(score - m1)."""
    return ...


# %% [markdown]
# On paper the tiles change nothing. `fs.learn.attention(query, key, value, form=...)` has three forms: "naive" (as
# written), "stable" and "online". We give it 64 queries, keys and values of 16 random numbers, in binary16.

# %%
same = guess("Is attention tile by tile equal bit for bit to attention at once, in binary16 (yes or no)?")

# %%
given = np.random.default_rng(3).normal(size=(3, 64, 16))
results = {}
for form, tile in (("stable", 64), ("online", 32), ("online", 8), ("online", 1)):  # <- change: try a tile of 64
    q, k, v = (fs.learn.Tensor(fs.array(x, "binary16")) for x in given)
    results[form, tile] = fs.learn.attention(q, k, v, form=form, tile=tile).value.values
q, k, v = (fs.learn.Tensor(fs.array(np.float64(fs.round_to(x, "binary16")), "binary64")) for x in given)
exact = fs.learn.attention(q, k, v).value.values
first = results["stable", 64]
for (form, tile), y in results.items():
    print(f"{form}, tile {tile:2}: {np.mean(y != first):4.0%} differ from stable, error {np.abs(y - exact).mean():.6f}")
same.compare(bool((results["online", 8] == first).all()))

# %% [markdown]
# Most results differ, and none is clearly better: each is one of many good roundings. The same happens without flash
# attention. A library chooses the order of a sum by the size of the batch, so the answer to your question can change with
# how many others ask at the same time. Below all sums are in binary32, and yet a few results differ.
# `fs.learn.first_difference(a, b)` names the first operation in which two results part:

# %%
x, w = (fs.array(np.random.default_rng(k).normal(size=(64, 256)), "binary16") for k in (1, 2))
orders = [fs.accumulators.Blocked("binary32", block=block) for block in (64, 16)]  # for one text, and for many
one, many = (fs.learn.Tensor(x).matmul(fs.learn.Tensor(w.T), order).softmax() for order in orders)
print(fs.learn.first_difference(one, many))

# %% [markdown]
# ## Errors that point one way
#
# Rounding errors are harmless as long as they point both ways. Training with flash attention in bfloat16 failed now and
# then, and nobody knew why, until two people looked at the bits in 2025 (arXiv 2510.04212): the errors point one way.
#
# It begins with two words that have the same largest score. Both weights are exactly 1. Then the sum of weight × value is
# the sum of two values and of a small rest. If all values are negative, say -2.546875 and -2.46875, the sum is -5.015625.
# In bfloat16 the neighbours are -5 and -5.03125, and the sum is a tie. Then comes the rest, -0.0001, before anything is
# rounded.

# %%
tie = guess("bfloat16 has -5 and -5.03125 as neighbours: what does -5.015625 - 0.0001 become?")

# %%
pairs = np.array([[-2.546875, -2.46875], [-2.390625, -2.5], [-2.421875, -2.5], [-2.390625, -2.46875]])
for a, b in pairs:
    alone, with_rest = (float(fs.round_to(a + b + rest, "bfloat16")) for rest in (0, -0.0001))
    print(f"{a} {b} = {a + b}: alone {alone}, with the rest {with_rest}")
    if a == -2.546875:
        tie.compare(with_rest)

# %% [markdown]
# Alone, a tie goes to even: half of them up, half of them down. With the rest, every tie goes the same way, away from 0.
# And every second sum is a tie, because it needs just one bit more than bfloat16 has. `fs.demos.failure("one-sided")`
# runs a whole head of that kind, before and after the cure: subtract a little more than the largest score, so that no
# weight is exactly 1.

# %%
case = fs.demos.failure("one-sided")
print(f"{case.measure}: before {case.before().error:.2f}, after {case.after().error:.2f}")
print(case.before().said[0].partition(". ")[0] + ".")

# %% [markdown]
# It is one of a gallery of failures, each with its cure: `fs.demos.failures()`. `fs.learn.examine(result)` looks for them
# in a computation of your own. Two more belong to attention.
#
# ## Where am I?
#
# A model must know where a word stands. **Rotary positions** turn query and key by an angle: the position, in radians,
# times a frequency. The largest frequency is 1.

# %%
position = guess("What does position 1857 become in bfloat16?")

# %%
positions = np.arange(1851, 1863)
print("position:", *positions)
print("bfloat16:", *map(int, fs.round_to(positions, "bfloat16")))
print("cosine:  ", *(f"{float(y):.2f}" for y in np.cos(fs.round_to(positions, "bfloat16"))))
print("exact:   ", *(f"{y:.2f}" for y in np.cos(positions)))
position.compare(float(fs.round_to(1857, "bfloat16")))

# %% [markdown]
# From 1024 on, the numbers of bfloat16 are 8 apart ([see it in the explorer](explorer.html#number?x=1857&format=bfloat16)).
# Nine words stand at one place, because both ties, 1852 and 1860, go to 1856. Compute positions and angles in binary32,
# and round the cosine.
#
# ## The square is too large
#
# Before attention each word's numbers are divided by their **root mean square** (RMSNorm), so that they have size 1. Take
# 300, -300, 300, 300: the result is 1, -1, 1, 1 on paper.

# %%
norm = guess("RMSNorm divides 300, -300, 300, 300 by the root of their mean square: what is the first one in binary16?")

# %%
x = fs.learn.Tensor(fs.array([300.0, -300.0, 300.0, 300.0], "binary16"))
with np.errstate(over="ignore"):
    y = x / x.square().mean().sqrt()
print("all in binary16:", y.value)
print(fs.learn.examine(y)[0].text.partition(". ")[0] + ".")
norm.compare(float(y.value.values[0]))

with fs.learn.island("binary32"):
    root = x.square().mean().sqrt()
print("an island:      ", (x / root).value)

# %% [markdown]
# The square of 300 is infinite, and 300 / infinity is 0: the word is gone, without NaN. An [**island**](glossary.md#island)
# is a few steps in a wider format, with a cast before and a cast after. In a training run of the lab, a rule does it by
# name: `fs.learn.Policy("binary16", rules={"norm*": "binary32", "*/softmax": "binary32"})`.
#
# ## A whole model
#
# With these cures a language model trains in 16 bits. Here is a very small one: it reads 16 characters of *Alice's
# Adventures in Wonderland* and guesses the next one. **Bits per character** measure its surprise. Who knows nothing
# needs log2 of the number of characters. (For bfloat16, the recipe has Kahan's sums for the weights.)
#
# **Predict:** which number will be farthest from the first: bfloat16, binary16 with master weights, or binary32 that
# starts from other random weights?

# %%
alice = fs.learn.load("alice")
data = fs.learn.text_data(alice.decode(alice.train_labels.ravel()[:8_000]), 16)
small = {"context": 16, "width": 16, "heads": 2, "blocks": 1}
print(f"knows nothing:              {np.log2(data.classes):.3f} bits per character")
for recipe, seed in (("pure-binary32", 0), ("bfloat16-kahan", 0), ("mixed-binary16", 0), ("pure-binary32", 1)):
    run = fs.learn.train(recipe, data, model="gpt", gpt=small, batch=16, epochs=1, lr=0.005, look_every=0, rng=seed)
    print(f"{recipe:14} from seed {seed}: {run.epochs[-1].bits_per_character:.3f} bits per character")

# %% [markdown]
# All are within about a hundredth of a bit, and another seed changes as much as another format. `fp16sim train --model
# gpt` trains one that writes sentences, in some minutes.
#
# ## In short
#
# - Attention: scores are scaled dot products, softmax makes weights of them, and the result is a weighted sum.
# - Scale the query before the product, or a score of binary16 overflows on its way.
# - e^12 is infinite in binary16, and e^89 in bfloat16. Subtract the largest score first. Then a score 17.33 below it has
#   the weight 0 in binary16.
# - Mask by choosing -infinity, and treat a query without keys apart. A product with -1e9 gives NaN, and adding -65504
#   makes all hidden words equal.
# - Flash attention keeps a largest score and two sums, and rescales them. On paper it is the same; its bits are not. Nor
#   are those of another batch size.
# - Two weights that are exactly 1, and values of one sign, make rounding errors that all point one way.
# - Positions and squares need an island in binary32: 1857 is 1856 in bfloat16, and 300² is infinite in binary16.
#
# Your guesses in this lesson:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/attention.py`. Begin with the shortest, or write this one at once. The grader tries hidden
# keys, queries that see nothing, and products beyond the range, and it knows twenty wrong ways by name:


# %%
def my_attention(query, keys, values, seen, scale):
    """What one query gets: a list with a number for each column of values; all steps in binary16."""
    raise NotImplementedError


fs.teach.check(my_attention)  # fs.teach.hint() helps

# %% [markdown]
# 1. `my_softmax(values)`: the stable softmax of a list. `fs.subtract`, `fs.exp`, `fs.add` and `fs.divide` round once each.
# 2. `my_attention(query, keys, values, seen, scale)`: query and keys are lists of numbers and of lists, `values` has a
#    list for each key, `seen` says which keys count. Scale the query first.
# 3. For those who want more (10 minutes): `my_online(scores, values, tile)`, the weighted mean of `values`, `tile` scores
#    at a time, as flash attention does it. What happens in a tile without keys?
#
# In the terminal: `fp16sim grade exercises/attention.py`. An attention of your own, in another format, is graded alike:
# `fp16sim grade my.py:my_function --task attention --format bfloat16`.
#
# ## Read next
#
# - T. Dao et al., "FlashAttention: fast and memory-efficient exact attention with IO-awareness", NeurIPS 2022: tiles.
# - H. Qiu and Q. Yao, "Why low-precision transformer training fails", arXiv:2510.04212, 2025: errors that point one way.
# - P. Qi et al., "Defeating the training-inference mismatch via FP16", arXiv:2510.26788, 2025: when binary16 is better.
# - The page "Failures in 16 bits" of the documentation: all of them, and what names them in your own computation.
#
# Next lesson: [The article, claim by claim](the_article.ipynb). What is true in an article about all this?
