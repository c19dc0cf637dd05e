"""SciPy's and scikit-learn's functions in a format, each beside the same formula written with `fs.*`.

As a program, `python -m tests.other_libraries scipy bfloat16`, it prints a line of JSON for each function: whether the
results have the same codes. SciPy reads SCIPY_ARRAY_API when it is imported, so this runs in a process of its own.
`python -m tests.other_libraries --write` writes the tables of tutorials/reference/array_api.md.
"""

import json
import math
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np

import fp16sim as fs
from fp16sim.namespaces import PlainArray

FORMATS = ("binary16", "bfloat16")
PAGE = Path(__file__).parent.parent / "tutorials" / "reference" / "array_api.md"
X = np.array([0.5, 1.25, 2.0, 3.5, 0.75, 1.5, 2.25, 0.25])
Y = np.array([1.0, 0.5, 2.5, 3.0, 1.25, 1.75, 2.0, 0.5])
ROWS = np.array(
    [[1.25, 0.5, 0.25], [-1, -0.75, -2], [-1.75, -2, 1.5], [1.25, 2, 0.5], [-0.5, 0.75, 1], [1, 1.5, -0.25]]
)
TARGET = np.array([0.5, -1.25, -1.0, 2.0, 0.25, 1.5])


class In:
    """The functions of `fs` in one format: `f.add(a, b)` is `fs.add(a, b, fmt)`."""

    def __init__(self, fmt):
        self.fmt = fs.get_format(fmt)

    def __getattr__(self, name):
        return partial(getattr(fs, name), fmt=self.fmt)

    def __call__(self, x):
        return fs.round_to(x, self.fmt)


# --- formulas, in the order in which the libraries write them ------------------------------------------------------


def logsumexp(f, x):
    """The largest term apart: log1p of the others' sum, the logarithm of how often it occurs, and itself."""
    largest = x.max()
    times = float((x == largest).sum())
    rest = f.sum(f.exp(f.subtract(np.where(x == largest, -np.inf, x), largest)))
    return f.add(f.add(f.log1p(f.divide(rest, times)), f.log(times)), largest)


def softmax(f, x):
    e = f.exp(f.subtract(x, x.max()))
    return f.divide(e, f.sum(e))


def log_softmax(f, x):
    shifted = f.subtract(x, x.max())
    return f.subtract(shifted, f.log(f.sum(f.exp(shifted))))


def variance(f, x, correction=0):
    """SciPy's: the mean of the squares, then a factor n / (n - correction)."""
    off = f.subtract(x, f.mean(x))
    y = f.mean(f.multiply(off, off))
    return f.multiply(y, f.divide(len(x), f.subtract(len(x), correction))) if correction else y


def deviation(f, x, axis=None, correction=0):
    """The standard's `std`: the sum of squares, divided by n - correction, and its root."""
    off = f.subtract(x, np.expand_dims(f.mean(x, axis=axis), axis) if axis is not None else f.mean(x))
    n = x.size if axis is None else x.shape[axis]
    return f.sqrt(f.divide(f.sum(f.multiply(off, off), axis=axis), n - correction))


def zmap(f, scores, compare):
    return f.divide(f.subtract(scores, f.mean(compare)), f.power(variance(f, compare), 0.5))


def moment(f, x, order):
    off = f.subtract(x, f.mean(x))
    square = f.multiply(off, off)
    return f.mean({2: square, 3: f.multiply(square, off), 4: f.multiply(square, square)}[order])


def skew(f, x):
    return f.divide(moment(f, x, 3), f.power(moment(f, x, 2), 1.5))


def kurtosis(f, x):
    m2 = moment(f, x, 2)
    return f.subtract(f.divide(moment(f, x, 4), f.multiply(m2, m2)), 3)


def kstat(f, x):
    n, s1, s2 = len(x), f.sum(x), f.sum(f.multiply(x, x))
    return f.divide(f.subtract(f.multiply(n, s2), f.multiply(s1, s1)), n * (n - 1.0))


def resultant(f, x):
    s, c = f.mean(f.sin(x)), f.mean(f.cos(x))
    return f.minimum(f.power(f.add(f.multiply(s, s), f.multiply(c, c)), 0.5), 1.0)


def circmean(f, x):
    y = f.arctan2(f.sum(f.sin(x)), f.sum(f.cos(x)))
    return (fs.array(y, f.fmt) % (2 * math.pi)).values


def circstd(f, x):
    return f.add(f.power(f.multiply(-2, f.log(resultant(f, x))), 0.5), 0.0)


def directional_stats(f, x):
    mean = f.mean(f.divide(x, f.norm(x, axis=-1)[:, None]), axis=0)
    return f.divide(mean, f.norm(mean))


def trapezoids(f, y):
    return f.divide(f.add(y[1:], y[:-1]), 2.0)


def romberg(f, y):
    """Four intervals: Richardson's table, row by row."""
    h = 4.0
    last = [f.multiply(f.divide(f.add(y[0], y[4]), 2.0), h)]
    for inner in ([2], [1, 3]):
        row = [f.multiply(0.5, f.add(last[0], f.multiply(h, f.sum(y[inner]))))]
        for j, before in enumerate(last, 1):
            row.append(f.add(row[-1], f.divide(f.subtract(row[-1], before), 4**j - 1)))
        last, h = row, h / 2
    return last[-1]


def rosen(f, x):
    off = f.subtract(x[1:], f.multiply(x[:-1], x[:-1]))
    from_one = f.subtract(1, x[:-1])
    return f.sum(f.add(f.multiply(100.0, f.multiply(off, off)), f.multiply(from_one, from_one)))


def rosen_der(f, x):
    last, here, after = x[:-2], x[1:-1], x[2:]
    inner = f.subtract(
        f.subtract(
            f.multiply(200, f.subtract(here, f.multiply(last, last))),
            f.multiply(f.multiply(400, f.subtract(after, f.multiply(here, here))), here),
        ),
        f.multiply(2, f.subtract(1, here)),
    )
    first = f.subtract(
        f.multiply(f.multiply(-400, x[0]), f.subtract(x[1], f.multiply(x[0], x[0]))), f.multiply(2, f.subtract(1, x[0]))
    )
    end = f.multiply(200, f.subtract(x[-1], f.multiply(x[-2], x[-2])))
    return np.concatenate([[first], inner, [end]])


def cosines(f, n, *weights):
    angles = f(np.asarray((fs.array_api(f.fmt)).linspace(-math.pi, math.pi, n).values))
    y = np.zeros(n)
    for k, weight in enumerate(weights):
        y = f.add(y, f.multiply(weight, f.cos(f.multiply(k, angles))))
    return y


def bartlett(f, n):
    k = np.arange(float(n))
    part = f.divide(f.multiply(2.0, k), n - 1)
    return np.where(k <= (n - 1) / 2, part, f.subtract(2.0, part))


def gaussian(f, n, std):
    k = f.subtract(np.arange(float(n)), (n - 1) / 2)
    return f.exp(f.divide(-f.multiply(k, k), 2 * std * std))


def triang(f, n):
    half = f.divide(f.subtract(f.multiply(2, np.arange(1.0, n // 2 + 1)), 1.0), n)
    return np.concatenate([half, half[::-1]])


def rel_entr(f, x, y):
    return f.multiply(x, f.subtract(f.log(x), f.log(y)))


def min_max(f, x):
    scale = f.divide(1, f.subtract(x.max(axis=0), x.min(axis=0)))
    return f.add(f.multiply(x, scale), f.subtract(0, f.multiply(x.min(axis=0), scale)))


def lengths(f, x):
    return f.sqrt(f.sum(f.multiply(x, x), axis=1))


def normalized(f, x):
    return f.divide(x, lengths(f, x)[:, None])


def gram(f, x):
    return f.matmul(x, x.T)


def distances(f, x):
    norms = f.sum(f.multiply(x, x), axis=1)
    y = f.add(f.add(f.multiply(-2, gram(f, x)), norms[:, None]), norms[None, :])
    y = np.maximum(y, 0)
    np.fill_diagonal(y, 0)
    return f.sqrt(y)


def polynomial(f, x):
    return f.power(f.add(f.multiply(gram(f, x), 1 / x.shape[1]), 1), 3)


def squares(f, a, b):
    off = f.subtract(a, b)
    return f.multiply(off, off)


def pinball(f, a, b):
    off = f.subtract(a, b)
    above = (off >= 0).astype(float)
    return f.mean(f.subtract(f.multiply(f.multiply(0.5, above), off), f.multiply(f.multiply(0.5, 1 - above), off)))


def poisson(f, a, b):
    term = f.multiply(a, f.log(f.divide(a, b)))
    return f.mean(f.multiply(2, f.add(f.subtract(term, a), b)))


def explained_variance(f, x):
    s = fs.linalg.svd(fs.array(f.subtract(x, f.mean(x, axis=0)), f.fmt)).s.values
    return f.divide(f.multiply(s, s), len(x) - 1)


def ridge(f, x, y):
    """Coefficients by singular values, for alpha = 1, from centred rows and targets."""
    rows, target = f.subtract(x, f.mean(x, axis=0)), f.subtract(y, f.mean(y))
    u, s, vh = (part.values for part in fs.linalg.svd(fs.array(rows, f.fmt)))
    shrunk = f.divide(s, f.add(f.multiply(s, s), 1.0))
    return f.matmul(vh.T, f.multiply(shrunk, f.matmul(u.T, target)))


# --- the table ------------------------------------------------------------------------------------------------------


def scipy_cases(xp, f):
    """name: (SciPy's result, ours)."""
    import scipy.cluster.vq as vq
    from scipy import integrate, optimize, signal, special, stats

    a, b, rows = xp.asarray(X), xp.asarray(Y), xp.asarray(ROWS)
    x, y, m = f(X), f(Y), f(ROWS)
    window = signal.windows
    return {
        "special.logsumexp": lambda: (special.logsumexp(a), logsumexp(f, x)),
        "special.softmax": lambda: (special.softmax(a), softmax(f, x)),
        "special.log_softmax": lambda: (special.log_softmax(a), log_softmax(f, x)),
        "special.rel_entr": lambda: (special.rel_entr(a, b), rel_entr(f, x, y)),
        "special.xlogy": lambda: (special.xlogy(a, b), f.multiply(x, f.log(y))),
        "stats.gmean": lambda: (stats.gmean(a), f.exp(f.mean(f.log(x)))),
        "stats.hmean": lambda: (stats.hmean(a), f.divide(1.0, f.mean(f.divide(1.0, x)))),
        "stats.pmean": lambda: (stats.pmean(a, 2), f.power(f.mean(f.multiply(x, x)), 0.5)),
        "stats.moment": lambda: (stats.moment(a, 3), moment(f, x, 3)),
        "stats.skew": lambda: (stats.skew(a), skew(f, x)),
        "stats.kurtosis": lambda: (stats.kurtosis(a), kurtosis(f, x)),
        "stats.variation": lambda: (stats.variation(a), f.divide(deviation(f, x), f.mean(x))),
        "stats.sem": lambda: (stats.sem(a), f.divide(deviation(f, x, correction=1), len(x) ** 0.5)),
        "stats.tmean": lambda: (stats.tmean(a, (0.5, 3)), f.divide(f.sum(np.where((x < 0.5) | (x > 3), 0, x)), 6)),
        "stats.tvar": lambda: (stats.tvar(a), variance(f, x, 1)),
        "stats.tstd": lambda: (stats.tstd(a), f.power(variance(f, x, 1), 0.5)),
        "stats.zscore": lambda: (stats.zscore(a), zmap(f, x, x)),
        "stats.zmap": lambda: (stats.zmap(a, b), zmap(f, x, y)),
        "stats.gzscore": lambda: (stats.gzscore(a), zmap(f, f.log(x), f.log(x))),
        "stats.gstd": lambda: (stats.gstd(a), f.exp(f.power(variance(f, f.log(x), 1), 0.5))),
        "stats.trim_mean": lambda: (stats.trim_mean(a, 0.25), f.mean(np.sort(x)[2:6])),
        "stats.kstat": lambda: (stats.kstat(a), kstat(f, x)),
        "stats.circmean": lambda: (stats.circmean(a), circmean(f, x)),
        "stats.circvar": lambda: (stats.circvar(a), f.subtract(1.0, resultant(f, x))),
        "stats.circstd": lambda: (stats.circstd(a), circstd(f, x)),
        "stats.directional_stats": lambda: (stats.directional_stats(rows).mean_direction, directional_stats(f, m)),
        "integrate.trapezoid": lambda: (integrate.trapezoid(a), f.sum(trapezoids(f, x))),
        "integrate.cumulative_trapezoid": lambda: (integrate.cumulative_trapezoid(a), f.cumsum(trapezoids(f, x))),
        "integrate.romb": lambda: (integrate.romb(a[:5]), romberg(f, x[:5])),
        "optimize.rosen": lambda: (optimize.rosen(a), rosen(f, x)),
        "optimize.rosen_der": lambda: (optimize.rosen_der(a / 4), rosen_der(f, f.divide(x, 4))),
        "cluster.vq.whiten": lambda: (vq.whiten(rows), f.divide(m, deviation(f, m, axis=0))),
        "signal.windows.hann": lambda: (window.hann(9, xp=xp), cosines(f, 9, 0.5, 0.5)),
        "signal.windows.blackman": lambda: (window.blackman(9, xp=xp), cosines(f, 9, 0.42, 0.5, 0.08)),
        "signal.windows.bartlett": lambda: (window.bartlett(9, xp=xp), bartlett(f, 9)),
        "signal.windows.gaussian": lambda: (window.gaussian(9, 1.5, xp=xp), gaussian(f, 9, 1.5)),
        "signal.windows.triang": lambda: (window.triang(8, xp=xp), triang(f, 8)),
    }


def iterative_cases(xp, f):
    """name: (SciPy's result, the exact answer): methods that stop when they are near enough in the format."""
    from scipy import differentiate, integrate
    from scipy.optimize import elementwise

    one = xp.asarray(1.0)

    def square(t):
        return t * t - 2

    def well(t):
        return (t - 1.25) * (t - 1.25)

    return {
        "integrate.tanhsinh (e^t from 0 to 1)": lambda: (
            integrate.tanhsinh(xp.exp, 0 * one, one).integral,
            math.e - 1,
        ),
        "integrate.tanhsinh (1/t from 1 to 2)": lambda: (
            integrate.tanhsinh(lambda t: 1 / t, one, 2 * one).integral,
            math.log(2),
        ),
        "optimize.elementwise.find_root (t^2 - 2)": lambda: (
            elementwise.find_root(square, (0 * one, 2 * one)).x,
            math.sqrt(2),
        ),
        "optimize.elementwise.bracket_root (t^2 - 2)": lambda: (
            xp.sign(square(elementwise.bracket_root(square, 0 * one, one).bracket[1])),
            1.0,
        ),
        "optimize.elementwise.find_minimum ((t - 1.25)^2)": lambda: (
            elementwise.find_minimum(well, (0 * one, one, 2 * one)).x,
            1.25,
        ),
        "differentiate.derivative (t^2 at 1)": lambda: (differentiate.derivative(lambda t: t * t, one).df, 2.0),
        "differentiate.jacobian (t^2 at 1)": lambda: (
            differentiate.jacobian(lambda t: t * t, xp.asarray([1.0])).df[0, 0],
            2.0,
        ),
    }


def sklearn_cases(xp, f):
    """name: (scikit-learn's result, ours)."""
    from sklearn import metrics, preprocessing
    from sklearn.decomposition import PCA
    from sklearn.linear_model import Ridge
    from sklearn.metrics import pairwise

    a, b, rows, target = xp.asarray(X), xp.asarray(Y), xp.asarray(ROWS), xp.asarray(TARGET)
    x, y, m, t = f(X), f(Y), f(ROWS), f(TARGET)
    largest = np.abs(m).max(axis=0)
    return {
        "MinMaxScaler": lambda: (preprocessing.MinMaxScaler().fit_transform(rows), min_max(f, m)),
        "MaxAbsScaler": lambda: (preprocessing.MaxAbsScaler().fit_transform(rows), f.divide(m, largest)),
        "Normalizer": lambda: (preprocessing.Normalizer().fit_transform(rows), normalized(f, m)),
        "PCA (explained_variance_)": lambda: (
            PCA(svd_solver="full").fit(rows).explained_variance_,
            explained_variance(f, m),
        ),
        "Ridge (coef_, solver='svd')": lambda: (Ridge(solver="svd").fit(rows, target).coef_, ridge(f, m, t)),
        "mean_squared_error": lambda: (metrics.mean_squared_error(a, b), f.mean(squares(f, x, y))),
        "root_mean_squared_error": lambda: (
            metrics.root_mean_squared_error(a, b),
            f.sqrt(f.mean(squares(f, x, y))),
        ),
        "mean_absolute_error": lambda: (metrics.mean_absolute_error(a, b), f.mean(np.abs(f.subtract(y, x)))),
        "mean_squared_log_error": lambda: (
            metrics.mean_squared_log_error(a, b),
            f.mean(squares(f, f.log1p(x), f.log1p(y))),
        ),
        "mean_absolute_percentage_error": lambda: (
            metrics.mean_absolute_percentage_error(a, b),
            f.mean(f.divide(np.abs(f.subtract(y, x)), x)),
        ),
        "max_error": lambda: (metrics.max_error(a, b), np.abs(f.subtract(x, y)).max()),
        "mean_pinball_loss": lambda: (metrics.mean_pinball_loss(a, b), pinball(f, x, y)),
        "mean_poisson_deviance": lambda: (metrics.mean_poisson_deviance(a, b), poisson(f, x, y)),
        "pairwise.linear_kernel": lambda: (pairwise.linear_kernel(rows), gram(f, m)),
        "pairwise.polynomial_kernel": lambda: (pairwise.polynomial_kernel(rows), polynomial(f, m)),
        "pairwise.sigmoid_kernel": lambda: (
            pairwise.sigmoid_kernel(rows),
            f.tanh(f.add(f.multiply(gram(f, m), 1 / 3), 1)),
        ),
        "pairwise.cosine_similarity": lambda: (pairwise.cosine_similarity(rows), gram(f, normalized(f, m))),
        "pairwise.euclidean_distances": lambda: (pairwise.euclidean_distances(rows), distances(f, m)),
        "pairwise.manhattan_distances": lambda: (
            pairwise.manhattan_distances(rows),
            f.sum(np.abs(f.subtract(m[:, None], m[None])), axis=2),
        ),
    }


CASES = {"scipy": scipy_cases, "sklearn": sklearn_cases, "iterative": iterative_cases}

# --- what runs too --------------------------------------------------------------------------------------------------


def further_cases(xp):
    """name: a call whose result has no formula here, but stays in the format."""
    from scipy import integrate, optimize, signal, spatial, stats
    from sklearn import decomposition, discriminant_analysis, kernel_approximation, metrics, mixture, preprocessing
    from sklearn.naive_bayes import GaussianNB

    a, b, rows = xp.asarray(X), xp.asarray(Y), xp.asarray(ROWS)
    labels = xp.asarray([0, 1, 1, 0, 1, 0])
    window, scaled = signal.windows, preprocessing
    return {
        "stats.describe": lambda: stats.describe(a),
        "stats.kstatvar": lambda: stats.kstatvar(a),
        "stats.quantile": lambda: stats.quantile(a, xp.asarray(0.25)),
        "stats.iqr": lambda: stats.iqr(a),
        "stats.tsem": lambda: stats.tsem(a),
        "stats.sigmaclip": lambda: stats.sigmaclip(a),
        "stats.rankdata": lambda: stats.rankdata(a),
        "stats.boxcox_llf": lambda: stats.boxcox_llf(1.0, a),
        "stats.yeojohnson_llf": lambda: stats.yeojohnson_llf(1.0, a),
        "stats.differential_entropy": lambda: stats.differential_entropy(a),
        "integrate.cumulative_simpson": lambda: integrate.cumulative_simpson(a),
        "optimize.rosen_hess": lambda: optimize.rosen_hess(a / 4),
        "signal.normalize": lambda: signal.normalize(a, b),
        "signal.windows.parzen": lambda: window.parzen(8, xp=xp),
        "signal.windows.bohman": lambda: window.bohman(8, xp=xp),
        "signal.windows.tukey": lambda: window.tukey(8, xp=xp),
        "signal.windows.exponential": lambda: window.exponential(8, xp=xp),
        "spatial.transform.Rotation": lambda: spatial.transform.Rotation.from_quat(a[:4]).as_matrix(),
        "StandardScaler": lambda: scaled.StandardScaler().fit_transform(rows),
        "PolynomialFeatures": lambda: scaled.PolynomialFeatures().fit_transform(rows),
        "KernelCenterer": lambda: scaled.KernelCenterer().fit_transform(rows @ rows.T),
        "PCA": lambda: decomposition.PCA(2, svd_solver="covariance_eigh").fit_transform(rows),
        "LinearDiscriminantAnalysis": lambda: (
            discriminant_analysis.LinearDiscriminantAnalysis().fit(rows, labels).decision_function(rows)
        ),
        "GaussianNB": lambda: GaussianNB().fit(rows, labels).predict_proba(rows),
        "GaussianMixture": lambda: (
            mixture.GaussianMixture(2, init_params="random", reg_covar=0.1, random_state=0).fit(rows).means_
        ),
        "Nystroem": lambda: kernel_approximation.Nystroem(n_components=2, random_state=0).fit_transform(rows),
        "r2_score": lambda: metrics.r2_score(a, b),
        "explained_variance_score": lambda: metrics.explained_variance_score(a, b),
        "mean_gamma_deviance": lambda: metrics.mean_gamma_deviance(a, b),
        "log_loss": lambda: metrics.log_loss(labels, b[:6] / 4),
        "average_precision_score": lambda: metrics.average_precision_score(labels, b[:6]),
        "pairwise.rbf_kernel": lambda: metrics.pairwise.rbf_kernel(rows),
        "pairwise.laplacian_kernel": lambda: metrics.pairwise.laplacian_kernel(rows),
        "pairwise.additive_chi2_kernel": lambda: metrics.pairwise.additive_chi2_kernel(abs(rows)),
    }


def stays(result, fmt):
    """Whether a result is of the format: arrays of it, integers, numbers, and tuples of those."""
    if isinstance(result, tuple):
        return all(stays(part, fmt) for part in result)
    return result.fmt == fmt if isinstance(result, fs.FloatArray) else isinstance(result, (float, PlainArray))


def staying(fmt):
    """The same kind of row for what has no formula: "in the format", or what is wrong."""
    xp = fs.array_api(fmt, strict=True)
    for name, call in further_cases(xp).items():
        try:
            result = call()
            says = "in the format" if stays(result, xp.fmt) else repr(result)
        except Exception as error:
            says = f"{type(error).__name__}: {error}"
        yield {"name": name, "says": says, "numbers": 0}


# --- running it -----------------------------------------------------------------------------------------------------


def compare(library, fmt):
    """A row for each function: its name, "same codes" or what differs, and the number of numbers compared."""
    xp, f = fs.array_api(fmt, strict=True), In(fmt)
    for name, both in CASES[library](xp, f).items():
        try:
            theirs, ours = both()
            own = theirs.fmt == f.fmt if isinstance(theirs, fs.FloatArray) else isinstance(theirs, float)
            found, expected = np.asarray(getattr(theirs, "values", theirs)), np.asarray(ours)
            same = own and found.shape == expected.shape and (fs.encode(found, fmt) == fs.encode(expected, fmt)).all()
            says = "same codes" if same else f"theirs: {theirs!r}; ours: {expected.tolist()}"
        except Exception as error:
            found, says = np.empty(0), f"{type(error).__name__}: {error}"
        yield {"name": name, "says": says, "numbers": found.size}


def distance_in_ulps(fmt):
    """The same for the iterative methods: how far the result is from the exact answer."""
    xp, f = fs.array_api(fmt, strict=True), In(fmt)
    for name, both in iterative_cases(xp, f).items():
        try:
            theirs, exact = both()
            away = abs(float(theirs) - float(f(exact))) / float(fs.ulp(exact, fmt))
            says = f"{away:g} ulp" if theirs.fmt == f.fmt else f"theirs: {theirs!r}"
        except Exception as error:
            says = f"{type(error).__name__}: {error}"
        yield {"name": name, "says": says, "numbers": 1}


def rows(library, fmt):
    """The same from a process of its own, in which SciPy is told to ask arrays for their namespace."""
    environment = {**os.environ, "SCIPY_ARRAY_API": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.other_libraries", library, fmt],
        cwd=PAGE.parent.parent.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def found(library):
    """What each function says, by format and name."""
    return {fmt: {row["name"]: row["says"] for row in rows(library, fmt)} for fmt in FORMATS}


def table(library, says):
    """The table of a library, in Markdown."""
    lines = [f"| function | {' | '.join(FORMATS)} |", f"|---|{'---|' * len(FORMATS)}"]
    return "\n".join(
        [*lines, *(f"| `{name}` | {' | '.join(says[fmt][name] for fmt in FORMATS)} |" for name in says[FORMATS[0]])]
    )


def main(arguments):
    if arguments == ["--write"]:
        text = PAGE.read_text(encoding="utf-8")
        for library in CASES:
            start, end = (f"<!-- {edge} of {library} -->" for edge in ("start", "end"))
            before, _, rest = text.partition(start)
            text = f"{before}{start}\n\n{table(library, found(library))}\n\n{end}{rest.partition(end)[2]}"
        PAGE.write_text(text, encoding="utf-8")
        return
    library, fmt = arguments
    if library in ("sklearn", "further"):
        import sklearn

        sklearn.set_config(array_api_dispatch=True)
    others = {"iterative": distance_in_ulps, "further": staying}
    for row in others[library](fmt) if library in others else compare(library, fmt):
        print(json.dumps(row))


if __name__ == "__main__":
    main(sys.argv[1:])
