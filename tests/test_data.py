"""Data in memory: checks that name what is wrong, batches that repeat, normalisations, seeded sets, the IDX format."""

import numpy as np
import pytest

from fp16sim.learn import (
    Dataset,
    Normalisation,
    batches,
    load,
    load_digits,
    normalise,
    one_hot,
    sequences,
    spirals,
    split_validation,
)
from fp16sim.learn.data.loaders import read_idx

from .tiny_mnist import idx

IMAGES, LABELS = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4), [0, 2, 1]


def toy(**changes):
    given = {"train_images": IMAGES, "train_labels": LABELS, "test_images": IMAGES[:1], "test_labels": [2]}
    return Dataset("toy", **(given | changes))


# --- Dataset --------------------------------------------------------------------------------------------------------


def test_a_dataset_keeps_the_arrays_that_it_is_given_and_shows_them_as_images():
    data = toy(image_shape=(2, 2))
    assert data.train_images is IMAGES
    assert data.images().shape == (3, 2, 2)
    assert np.shares_memory(data.images(), IMAGES)
    assert data.images("validation").shape == (0, 2, 2)
    assert toy().image_shape == (4,)
    assert data.classes == 3


with_nan, with_inf = IMAGES.copy(), IMAGES.copy()
with_nan[1, 2], with_inf[2, 0] = np.nan, -np.inf


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"train_images": IMAGES.reshape(3, 2, 2)}, r"train_images has shape=\(3, 2, 2\); give one row"),
        ({"train_images": with_nan}, r"train_images\[1\] has a NaN"),
        ({"train_images": with_inf}, r"train_images\[2\] has a NaN or an infinity"),
        ({"train_images": -with_inf}, r"train_images\[2\] has a NaN or an infinity"),
        ({"test_images": with_nan, "test_labels": LABELS}, r"test_images\[1\] has a NaN"),
        ({"train_images": np.array([["a"]])}, "give real numbers"),
        ({"train_images": IMAGES[:2]}, "2 train_images and 3 train_labels"),
        ({"test_labels": [1, 2]}, "1 test_images and 2 test_labels"),
        ({"test_labels": [3]}, r"test_labels\[0\]=3 is out of range; labels go from 0 to 2"),
        ({"train_labels": [0, -1, 2]}, r"train_labels\[1\]=-1 is out of range"),
        ({"train_labels": [0, 1.5, 2]}, "dtype=float64, not integers"),
        ({"train_labels": [0, np.nan, 2]}, "dtype=float64, not integers"),
        ({"train_labels": ["a", "b", "c"]}, "dtype=<U1, not integers"),
        ({"train_labels": np.eye(3)}, r"for one-hot labels: labels.argmax\(axis=1\)"),
        ({"test_images": IMAGES[:1, :3]}, "a row of test_images has 3 numbers, but a row of train_images has 4"),
        (
            {"image_shape": (2, 3)},
            r"image_shape=\(2, 3\) has 6 pixels, but a row of train_images has 4; give a shape with 4 pixels",
        ),
        ({"train_images": IMAGES[:0], "train_labels": []}, "train_images is empty; give at least one image"),
    ],
)
def test_a_dataset_refuses_what_cannot_be_trained_on(changes, says):
    with pytest.raises(ValueError, match=says):
        toy(**changes)


def test_labels_written_as_whole_floats_become_ints():
    assert toy(train_labels=[0.0, 2.0, 1.0]).train_labels.dtype == np.int64


def test_one_hot_rows_have_their_one_at_the_label():
    rows = one_hot([2, 0], 4)
    assert rows.dtype == np.float32
    assert rows.tolist() == [[0, 0, 1, 0], [1, 0, 0, 0]]
    with pytest.raises(ValueError, match=r"labels\[0\]=2 is out of range; labels go from 0 to 1"):
        one_hot([2, 0], 2)


# --- batches --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "size"), [(10, 3), (9, 3), (5, 8), (1, 1)])
def test_batches_hold_every_index_once(n, size):
    found = list(batches(n, size, rng=4))
    assert sorted(np.concatenate(found).tolist()) == list(range(n))
    assert [len(chosen) for chosen in found] == [size] * (n // size) + ([n % size] if n % size else [])


def test_an_order_depends_on_the_seed_and_the_epoch_and_on_nothing_else():
    def order(**how):
        return np.concatenate(list(batches(50, 7, **how))).tolist()

    seen = {(rng, epoch): order(rng=rng, epoch=epoch) for epoch in (0, 1, 2) for rng in (0, 1)}
    assert len({tuple(x) for x in seen.values()}) == 6
    assert seen[1, 2] == order(rng=1, epoch=2)
    assert order(shuffle=False) == list(range(50))


def test_batches_are_the_same_on_every_machine():
    assert next(batches(10, 4, rng=1, epoch=3)).tolist() == [2, 0, 8, 3]


@pytest.mark.parametrize(
    ("arguments", "how", "error", "says"),
    [
        ((10, 0), {}, ValueError, "size=0 must be 1 or more"),
        ((10, 2.5), {}, TypeError, "size=2.5 is not an integer"),
        ((10, 2), {"rng": np.random.default_rng(0)}, TypeError, "so that the order can be repeated"),
        ((10, 2), {"epoch": -1}, ValueError, "epoch=-1 must be 0 or more"),
    ],
)
def test_batches_refuse_at_once_what_cannot_be_repeated(arguments, how, error, says):
    with pytest.raises(error, match=says):
        batches(*arguments, **how)


def test_a_validation_part_is_taken_out_of_the_training_part_and_nothing_is_lost():
    digits = load_digits()
    parted = split_validation(digits, 0.25, rng=3)
    assert len(parted.validation_labels) == round(0.25 * 1438)
    both = np.concatenate([parted.train_images, parted.validation_images])
    assert sorted(map(bytes, both)) == sorted(map(bytes, digits.train_images))
    rows = {bytes(row): label for row, label in zip(digits.train_images, digits.train_labels, strict=True)}
    for part in ("train", "validation"):
        images, labels = getattr(parted, f"{part}_images"), getattr(parted, f"{part}_labels")
        assert all(rows[bytes(x)] == y for x, y in zip(images, labels, strict=True))
    assert parted.test_images is digits.test_images
    again = split_validation(digits, 0.25, rng=3)
    assert (again.validation_labels == parted.validation_labels).all()
    with pytest.raises(ValueError, match="split it only once"):
        split_validation(parted)
    with pytest.raises(ValueError, match="share=1"):
        split_validation(digits, 1)


# --- normalisation --------------------------------------------------------------------------------------------------


def test_normalisations_take_their_numbers_from_the_training_part_alone():
    far = toy(test_images=IMAGES[:1] + 100)
    for name in ("unit", "symmetric", "standard"):
        near, other = normalise(toy(), name), normalise(far, name)
        assert (near.train_images == other.train_images).all()
        assert near.train_images.dtype == np.float32
        assert float(other.test_images.min()) > 50
        assert near.image_shape == (4,)


def test_the_three_normalisations_reach_their_ranges():
    digits = split_validation(load_digits())
    assert normalise(digits, "unit") is digits
    symmetric, standard = normalise(digits, "symmetric"), normalise(digits, "standard")
    for data, low, high in ((symmetric, -1, 1), (normalise(toy(train_images=IMAGES * 255)), 0, 1)):
        assert (data.train_images.min(), data.train_images.max()) == (low, high)
    assert abs(standard.train_images.mean()) < 1e-12
    assert standard.train_images.std() == pytest.approx(1, abs=1e-12)
    mean, deviation = digits.train_images.mean(), digits.train_images.std()
    expected = (digits.validation_images - mean) / deviation
    assert standard.validation_images == pytest.approx(expected, abs=1e-12)


def test_the_deviation_of_float32_data_is_that_of_float64():
    rows = (1000 + np.random.default_rng(0).random((3000, 500))).astype(np.float32)
    from fp16sim.learn.data import standard

    found = standard(Dataset("wide", rows, np.arange(3000) % 2, rows[:1], [0]))
    assert found.shift == pytest.approx(rows.astype(np.float64).mean(), rel=1e-14)
    assert found.scale == pytest.approx(rows.astype(np.float64).std(), rel=1e-12)


def test_data_that_are_all_alike_cannot_be_normalised():
    with pytest.raises(ValueError, match="there is nothing to normalise"):
        normalise(toy(train_images=np.ones((3, 4))), "standard")
    with pytest.raises(ValueError, match="normalise='max' is unknown; use one of 'unit'"):
        normalise(toy(), "max")
    assert Normalisation("mine", 1.0, 2.0)(np.array([3, 5])).tolist() == [1, 2]


# --- seeded data ----------------------------------------------------------------------------------------------------


def test_spirals_are_seeded_and_each_arm_is_a_turned_copy():
    a, b, c = spirals(rng=1), spirals(rng=1), spirals(rng=2)
    assert (a.train_images == b.train_images).all()
    assert (a.train_images != c.train_images).any()
    smooth = spirals(4, 50, noise=0, rng=0)
    rows = np.concatenate([smooth.train_images, smooth.test_images]).astype(np.float64)
    labels = np.concatenate([smooth.train_labels, smooth.test_labels])
    radius = np.hypot(*rows.T)
    turn = np.angle(np.exp(1j * (np.arctan2(rows[:, 1], rows[:, 0]) - 4 * radius - np.pi / 2 * labels)))
    assert np.abs(turn).max() < 1e-5
    assert np.bincount(labels).tolist() == [50] * 4
    assert radius.max() == pytest.approx(1)


def test_the_label_of_first_is_the_first_symbol_and_no_later_one_tells_it():
    data = sequences("first", length=6, count=4000, rng=0)
    symbols = data.images().argmax(axis=2)
    assert (data.images().sum(axis=2) == 1).all()
    assert (symbols[:, 0] == data.train_labels).all()
    assert all(abs((symbols[:, k] == data.train_labels).mean() - 0.25) < 0.03 for k in range(1, 6))


def test_the_label_of_adding_is_whether_the_marked_numbers_exceed_1():
    data = sequences("adding", length=9, count=500, rng=0)
    numbers, marks = data.images()[:, :, 0], data.images()[:, :, 1]
    assert (marks[:, :4].sum(axis=1) == 1).all()
    assert (marks[:, 4:].sum(axis=1) == 1).all()
    assert (((numbers * marks).sum(axis=1, dtype=np.float64) > 1) == data.train_labels).all()
    assert 0.4 < data.train_labels.mean() < 0.6


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: spirals(1), "arms=1 is too few; use 2 or more"),
        (lambda: spirals(test_share=0), "test_share=0 leaves no rows"),
        (lambda: sequences("last"), "task='last' is unknown; use one of 'first', 'adding'"),
        (lambda: sequences(length=1), "length=1 is too few"),
        (lambda: load("cifar"), "data='cifar' is unknown; use one of digits, mnist"),
        (lambda: load("digits", "x"), "digits needs no files"),
    ],
)
def test_unknown_tasks_and_impossible_sizes_are_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()


# --- IDX ------------------------------------------------------------------------------------------------------------


def test_an_idx_file_is_read_as_it_was_written():
    for shape in ((3, 4, 5), (7,), (0, 2, 2)):
        array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
        assert (read_idx(idx(array), "file", array.ndim) == array).all()


WHOLE = idx(np.zeros((2, 3, 4)))


@pytest.mark.parametrize(
    ("content", "ndim", "says"),
    [
        (b"", 3, "file starts with nothing"),
        (b"\x89PNG\r\n", 3, "file starts with 89 50 4e 47; an IDX file of unsigned bytes starts with 00 00 08"),
        (idx(np.zeros(3), kind=13), 1, "starts with 00 00 0d 01"),
        (WHOLE, 1, "has 3 dimensions .magic 00 00 08 03., but labels have 1"),
        (WHOLE[:9], 3, "has 9 bytes, but its header needs 16"),
        (WHOLE[:-1], 3, "has 39 bytes, but a header of 16 and shape=.2, 3, 4. need 40; it was cut off"),
        (WHOLE + b"x", 3, "has 41 bytes"),
    ],
)
def test_a_wrong_idx_file_is_refused_with_what_is_wrong(content, ndim, says):
    with pytest.raises(ValueError, match=says):
        read_idx(content, "file", ndim)
