"""Sweeps of training: a cell is a run, known by its whole Config."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from ...sweeps.cells import Cell, key_of, make_cells, said
from ...sweeps.results import Results, Summary, names_of
from ...sweeps.sweep import OnProgress, compute
from ...sweeps.work import Function
from ...wording import count, quoted
from ..data import Dataset
from ..precision import Policy
from ..records import Converted, from_plain, refuse_unknown
from .config import Config
from .engine import check_run
from .recipes import OPTIONS, make_config, with_unscale, without_recipe
from .train import json_safe, load_data, train
from .unused import refuse_unused, unused


def sweep(
    axes: Mapping[str, Any] | None = None,
    *,
    cells: Sequence[Mapping[str, Any]] = (),
    table: str | Path | None = None,
    workers: int = 0,
    scheduler: str | None = None,
    retry: bool = False,
    most: int | None = None,
    over: str | None = None,
    show: Sequence[str] = (),
    on_progress: OnProgress | None = None,
    on_note: Callable[[str], None] | None = None,
    **options: Any,
) -> Results:
    """Train with every combination of options; runs that are in the table already are not repeated.

    The results have the same bits wherever and in whatever order the cells run, except that sums by BLAS depend on the
    processor and, with workers=0, on the number of its threads.

    Parameters
    ----------
    axes : mapping of str to list
        The values of fields of `Config`, of their parts, as "gpt.width" and "policy.state", and of "accumulator"; the
        runs are all combinations. What a run has by default is what `fp16sim train` has.
    cells : sequence of mappings, optional
        A list of runs instead; with axes, each is combined with all their values.
    table, workers, scheduler, retry, most, over, show, on_progress
        See `fp16sim.sweeps.run`. Each process loads the data once, by their name.
    on_note : callable, optional
        Called with a sentence for each option that has no effect on some of the runs.
    **options
        Options of all runs, as "data" and "epochs".

    Returns
    -------
    Results
        Of each run what `History.totals` has, the loss of the test samples, and how it died.

    Raises
    ------
    ValueError, TypeError
        For options that training does not have or that have no effect on any run, and as `fp16sim.sweeps.run`.

    Examples
    --------
    >>> import fp16sim as fs
    >>> axes = {"policy": ["binary16", "bfloat16"], "rng": [0, 1, 2]}
    >>> found = fs.learn.sweep(axes, epochs=1, layers=(8,), batch=256, show=["test_accuracy"])
    >>> print(found)
    policy    seeds  test accuracy
    binary16      3  0.205 ± 0.047
    bfloat16      3  0.205 ± 0.046
    Means over rng, ± half their 95 % intervals by Student's t.
    """
    configs: dict[str, Config] = {}

    def whole(given: dict[str, Any]) -> dict[str, Any]:
        config = _config(given)
        plain = _stored(config)
        configs[key_of(plain)] = config
        return plain

    made = make_cells(axes or {}, cells, options, whole)
    for note in _without_effect(made, configs, options):
        if on_note:
            on_note(note)
    return compute(
        Function("train", train_cell),
        made,
        options,
        table=table,
        workers=workers,
        scheduler=scheduler,
        retry=retry,
        most=most,
        on_progress=on_progress,
        summary=Summary(over, names_of(show), usual=("test_accuracy", "bits_per_character", "test_loss", "loss")),
        check=None if scheduler else lambda left: _check([configs[cell.key] for cell in left]),
    )


def train_cell(**config: Any) -> dict[str, Any]:
    """The run of a cell: its results as plain data."""
    known = Config.from_dict(config)
    history = train(known, _data(known))
    end, totals = history.epochs[-1], history.totals()
    found = {name: value for name, value in totals.items() if name not in ("recipe", "policy", "interval")}
    return json_safe({**found, "test_loss": end.test_loss, "validation_accuracy": end.validation_accuracy})


def _data(config: Config) -> Dataset:
    """The data of a run, loaded once in each process: those of the last two kinds of run are kept."""
    kind = config.data, config.normalisation, config.gpt.context
    if kind not in _LOADED:
        while len(_LOADED) > 1:
            del _LOADED[next(iter(_LOADED))]
        _LOADED[kind] = load_data(config)
    return _LOADED[kind]


_LOADED: dict[tuple[str, str, int], Dataset] = {}


def _without_effect(cells: Sequence[Cell], configs: Mapping[str, Config], options: Mapping[str, Any]) -> Iterator[str]:
    """What to say about options without effect on some runs; ValueError for one that has none on any."""
    reasons = {key: unused(config) for key, config in configs.items()}
    for name in sorted({*options, *(name for cell in cells for name in cell.place)} - {"recipe", "accumulator"}):
        without = [cell for cell in cells if name in reasons[cell.key] and name in {**options, **cell.place}]
        if len(without) == len(cells):
            refuse_unused(list(configs.values()), [name])
        elif without:
            why, first = reasons[without[0].key][name], said(without[0].place)
            yield f"{name} has no effect on {len(without):,} of {count(len(cells), 'run')}, as where {first}: {why}"


def _check(configs: Sequence[Config]) -> None:
    """Refuse what cannot be trained before anything starts; on a cluster its workers do, who have the data."""
    for config in configs:
        check_run(config, _data(config))


# --- from options to a Config ---------------------------------------------------------------------------------------


SAME_AS = {"format": "policy", "formats": "policy", "seed": "rng", "learning_rate": "lr"}
"""Names that Config does not have, and what they are called there."""


def _config(given: Mapping[str, Any]) -> Config:
    """The Config of a run, as `fp16sim train` would make it from the same options."""
    for name in given:
        if name in SAME_AS:
            meant = quoted(SAME_AS[name])
            raise TypeError(f"{name}={quoted(given[name])} is not an option of Config; did you mean {meant}?")
    whole = _nested(given)
    refuse_unknown("Config", whole, OPTIONS)
    options = {name: _of_its_kind(name, value) for name, value in whole.items()}
    recipe = options.pop("recipe", "")
    if recipe:
        return make_config(recipe, **with_unscale(options))
    return without_recipe(options.pop("policy", "binary16"), options)


def _nested(given: Mapping[str, Any]) -> dict[str, Any]:
    """Options of which some are parts of others: "gpt.width" is the part width of gpt, "policy.state" of policy."""
    whole = {name: value for name, value in given.items() if "." not in name}
    for name, value in given.items():
        owner, dot, part = name.partition(".")
        if dot:
            others = whole.get(owner, {})
            if not isinstance(others, Mapping):
                raise ValueError(f"{name}={quoted(value)} beside {owner}={quoted(others)}: give the parts of one only")
            whole[owner] = {**others, part: value}
    if isinstance(whole.get("policy"), Mapping):
        whole["policy"] = Policy(**whole["policy"])
    return whole


def _of_its_kind(name: str, value: Any) -> Any:
    """A value of a field, checked where the field is plain; numbers are floats where the field is one."""
    hint = get_type_hints(Config).get(name, str)
    if get_origin(hint) is Converted:
        return value
    checked = from_plain(hint, list(value) if isinstance(value, tuple) else value, name)
    return float(checked) if type(checked) is int and float in (hint, *get_args(hint)) else checked


def _stored(config: Config) -> dict[str, Any]:
    """A Config as plain data; ValueError if that does not say all of it, as of a model of one's own."""
    plain = json_safe(config.to_dict())
    try:
        complete = Config.from_dict(plain) == config
    except ValueError:
        complete = False
    if not complete:
        raise ValueError(
            f"model={quoted(str(config.model))} with loss={quoted(str(config.loss))} is no plain data, by which a "
            "sweep knows its runs; write a function that trains it, and give it to fp16sim.sweeps.run (function = "
            '"module:function")'
        )
    return plain
