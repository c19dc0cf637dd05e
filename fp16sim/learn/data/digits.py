"""The bundled digits.

Optical Recognition of Handwritten Digits, by E. Alpaydin and C. Kaynak (1998), UCI Machine Learning Repository,
https://doi.org/10.24432/C50P49, licensed CC BY 4.0: 1,797 images of 8 x 8 pixels with 17 grey levels (the original's
test set), bundled unchanged but for the file format.
"""

from __future__ import annotations

from importlib.resources import files

import numpy as np

from .dataset import Dataset


def load_digits(test_share: float = 0.2, *, rng: int = 0) -> Dataset:
    """The bundled 8 x 8 digits: 1,797 real images in ten classes.

    The original order is by writer, so they are shuffled, by a fixed seed.

    Parameters
    ----------
    test_share : float
        The part to test on.
    rng : int
        The seed of the shuffle.

    Returns
    -------
    Dataset

    Examples
    --------
    >>> digits = load_digits()
    >>> digits.train_images.shape, digits.test_images.shape, digits.image_shape
    ((1438, 64), (359, 64), (8, 8))
    """
    if not 0 < test_share < 1:
        raise ValueError(f"test_share={test_share} leaves nothing to test on or to learn from; use 0.2")
    with (files(__package__) / "digits.npz").open("rb") as file, np.load(file) as stored:
        images, labels = stored["images"], stored["labels"].astype(np.int64)
    order = np.random.default_rng(rng).permutation(len(labels))
    images, labels = images[order].reshape(len(labels), -1) / 16.0, labels[order]
    cut = round(len(labels) * (1 - test_share))
    return Dataset("digits", images[:cut], labels[:cut], images[cut:], labels[cut:], image_shape=(8, 8))
