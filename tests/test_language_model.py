"""The language model: its texts, a run from the first step to the report, and what cannot be trained."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from fp16sim import report
from fp16sim.cli import main
from fp16sim.learn import (
    RECIPES,
    Config,
    Embedding,
    FunctionModel,
    GPTConfig,
    Linear,
    MeanPool,
    Model,
    authors,
    check,
    costs,
    diagnose,
    evaluate,
    generate,
    get_config,
    load,
    load_digits,
    load_model,
    save_model,
    text_data,
    train,
)
from fp16sim.learn.data.text import MOST_CHARACTERS, bundled, read_text
from fp16sim.learn.model.autograd import consumers_first
from fp16sim.learn.observe.metrics import bits_per_character
from fp16sim.learn.run import train as training
from fp16sim.learn.run.engine import Engine, results
from fp16sim.learn.run.generate import write
from fp16sim.plots import training_figure

from .support import first

TEXT = bundled("alice")[:800]
SMALL = {"context": 8, "width": 8, "heads": 2, "blocks": 1}
DATA = text_data(TEXT, 8)


def run(recipe="bfloat16-plain", data=DATA, **options):
    gpt = {**SMALL, **options.pop("gpt", {})}
    return train(recipe, data, model="gpt", gpt=gpt, **{"batch": 32, "epochs": 2, "look_every": 3, **options})


@pytest.fixture(autouse=True)
def short_samples(monkeypatch):
    """What a model writes at the end of an epoch takes longer than the epoch of a small one."""
    monkeypatch.setattr(training, "write", partial(write, length=5))


def bits(history):
    return {name: x.codes.tolist() for name, x in history.params.items()}


# --- texts ----------------------------------------------------------------------------------------------------------


def test_each_character_is_the_target_of_the_one_before_it_once():
    data = text_data("0123456789" * 10, 8)
    assert data.vocabulary == "0123456789"
    joined = "".join(data.decode(row) for row in data.train_labels)
    assert joined == ("0123456789" * 10)[1:89]
    assert [data.decode(row) for row in (data.train_images[1], data.train_labels[1])] == ["89012345", "90123456"]
    assert data.decode(data.test_labels[0]) == "12345678"
    assert data.encode("907").tolist() == [9, 0, 7]
    assert (data.context, data.classes) == (8, 10)
    with pytest.raises(ValueError, match="'x' is not in own text, which has the characters '0123456789'"):
        data.encode("0x")


def test_the_bundled_texts_have_the_words_of_the_works_alone():
    alice, paradise = bundled("alice"), bundled("paradise")
    assert alice.startswith("CHAPTER I\n\nDown the Rabbit-Hole\n\nAlice was beginning to get very tired")
    assert alice.endswith("remembering her own child-life, and the happy summer days.\n")
    assert paradise.startswith("Of Man's first disobedience, and the fruit\n")
    assert paradise.endswith("the great consult began.\n")
    for text in (alice, paradise):
        assert text.isascii()
        assert not any(word in text.lower() for word in ("gutenberg", "e-text", "copyright", "http", "fulcrum"))
        assert not set(text) & set("`*_[]#@\t\r")


def test_passages_of_two_authors_are_no_data_for_images():
    data = authors(32)
    assert sorted(np.bincount(data.train_labels)) == [data.train_labels.sum()] * 2
    with pytest.raises(ValueError, match="data='authors' is text, and model='mlp' is for images"):
        train("bfloat16-kahan", "authors")


@pytest.mark.exhaustive
def test_authors_are_told_apart_by_an_embedding():
    data = authors(32)
    model = [Embedding(len(data.vocabulary), 8), MeanPool(), Linear(8, 2)]
    history = train("bfloat16-kahan", data, model=model, epochs=3, lr=0.03, look_every=0)
    assert history.epochs[-1].test_accuracy > 0.7


FILES = {
    "utf16": (
        "to be or not ".encode("utf-16"),
        "is not UTF-8: byte 0xff at 0; convert it, as with iconv -f utf-16 -t utf-8",
    ),
    "none": (None, r"text='.*none.txt' is not a file; give a text in UTF-8"),
    "latin1": ("café ".encode("latin1") * 100, r"is not UTF-8: byte 0xe9 at 3; convert it, as with iconv -f latin1"),
    "short": (b"short", r"text:.*short.txt has 5 characters, too few for windows of context=8"),
    "one": (b"a" * 1000, "has 1 distinct character, and a model takes 2 to 1024"),
    "many": ("".join(map(chr, range(0x4E00, 0x5300))).encode(), r"has 1,?280 distinct characters.*; leave out or rep"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_text_to_learn_from_is_refused_in_one_line(name, tmp_path, capsys):
    content, says = FILES[name]
    path = tmp_path / f"{name}.txt"
    if content is not None:
        path.write_bytes(content)
    assert main(["train", "--model", "gpt", "--text", str(path), "--context", "8", "-o", str(tmp_path / "a.png")]) == 2
    assert main(["train", "--model", "gpt", "--text", str(path), "--context", "8", "--costs"]) == 2
    with pytest.raises(ValueError, match=says):
        load(f"text:{path}") if name != "short" else train("bfloat16-plain", f"text:{path}", model="gpt", gpt=SMALL)
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 2
    assert [p.name for p in tmp_path.iterdir()] == ([] if content is None else [path.name])


def test_ends_of_lines_and_a_byte_order_mark_are_no_characters(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\rthree\n")
    assert read_text(path) == "one\ntwo\nthree\n"
    assert MOST_CHARACTERS >= 1000


# --- a run ----------------------------------------------------------------------------------------------------------


def test_bits_per_character_are_computed_in_binary64_from_the_logits():
    history = run("mixed-binary16", epochs=1)
    logits = Engine(history.config, DATA).predict(history.params, DATA.test_images).astype(np.float64)
    powers = np.exp(logits)
    p = np.take_along_axis(powers / powers.sum(-1, keepdims=True), DATA.test_labels[..., None], -1)
    assert history.epochs[-1].bits_per_character == pytest.approx(-np.log2(p).mean(), rel=1e-12)
    assert bits_per_character(np.zeros((2, 3, 4)), np.zeros((2, 3), int)) == 2.0
    assert bits_per_character(np.zeros((2, 4)), np.zeros((2, 3), int)) is None
    end = history.epochs[-1]
    assert (end.test_accuracy, end.test_loss, history.answers) == (None, None, None)
    assert history.totals()["bits_per_character"] == end.bits_per_character


def test_sizes_may_be_numbers_of_numpy_and_are_stored_as_those_of_python():
    given = GPTConfig(width=np.int64(32), dropout=np.float32(0.5), tie=np.True_)
    assert json.loads(json.dumps(given.to_dict())) == {**GPTConfig(width=32, dropout=0.5).to_dict()}
    for field in ({"dropout": "a"}, {"vocabulary": 3}, {"width": "a"}):
        with pytest.raises((ValueError, TypeError), match=f"^{next(iter(field))}="):
            GPTConfig(**field)


def test_a_file_whose_vocabulary_is_not_that_of_its_arrays_is_refused(tmp_path):
    path = tmp_path / "model.npz"
    history = run(epochs=1, look_every=0)
    model = Model(history.config, history.params, (8,), DATA.classes)
    save_model(path, model)
    assert load_model(path).config == history.config
    save_model(path, replace(model, config=replace(history.config, gpt={**SMALL, "vocabulary": "abc"})))
    with pytest.raises(ValueError, match="are not those of its language model, which knows 3 characters and sees 8"):
        load_model(path)


def test_a_language_model_of_ones_own_is_measured_on_a_text_in_bits():
    def bigram(params, ids):
        return params["table.rows"].take(ids) + params["place.rows"]  # needs windows of 8

    v = len(DATA.vocabulary)
    model = FunctionModel(bigram, {"table.rows": np.zeros((v, v)), "place.rows": np.zeros((8, 1))})
    history = train("pure-binary32", DATA, model=model, epochs=2, lr=0.1, look_every=0)
    first_one, last = (epoch.bits_per_character for epoch in history.epochs)
    assert last < first_one < np.log2(v)
    assert history.writes
    assert history.epochs[-1].sample == ""


class Stop(Exception):
    pass


WITH_CHANCE = {
    "dropout": ("bfloat16-plain", {"dropout": 0.2}),
    "dropout, and stochastic rounding": ("bfloat16-stochastic", {"dropout": 0.1, "positions": "rotary"}),
}


@pytest.mark.parametrize("name", first(1, list(WITH_CHANCE)))
def test_a_resumed_run_has_the_masks_the_text_and_the_bits_of_a_whole_one(tmp_path, name):
    recipe, gpt = WITH_CHANCE[name]
    whole, path = run(recipe, gpt=gpt), tmp_path / "run.npz"

    def stop(step, steps):
        if step == 4:
            raise Stop

    with pytest.raises(Stop):
        run(recipe, gpt=gpt, checkpoint_path=path, checkpoint_seconds=0, on_step=stop)
    resumed = run(recipe, gpt=gpt, checkpoint_path=path, resume=True)
    assert bits(resumed) == bits(whole)
    assert resumed.epochs == whole.epochs
    assert resumed.epochs[-1].sample
    others = text_data(TEXT.replace("e", "\u00e9"), 8)
    with pytest.raises(
        ValueError, match=r"start_from='.*run.npz' knows the characters .*; give a text of the same char"
    ):
        run(recipe, others, gpt=gpt, start_from=path)
    with pytest.raises(ValueError, match=r"other configuration \(characters .*e.* there and .*\xe9.* here\)"):
        run(recipe, others, gpt=gpt, checkpoint_path=path, resume=True)
    other = text_data(TEXT[::-1], 8)
    with pytest.raises(ValueError, match=r"was made with data='own text \(sha256 .*\)'"):
        run(recipe, other, gpt=gpt, checkpoint_path=path, resume=True)


def test_masks_of_dropout_belong_to_the_step_and_are_off_in_evaluation():
    config = get_config("pure-binary32", model="gpt", gpt={**SMALL, "dropout": 0.5}, batch=4, data=DATA)
    engine = Engine(config, DATA)
    start, chosen = engine.start(), np.arange(4)
    at = [float(engine.graph(replace(start, step=step), chosen)[0].value) for step in (0, 0, 1)]
    assert at[0] == at[1] != at[2]
    predicted = [engine.predict(start.params, DATA.test_images[:2]) for _ in range(2)]
    assert (predicted[0] == predicted[1]).all()


def test_a_model_writes_from_its_file_and_is_measured_in_other_formats(tmp_path):
    path = tmp_path / "model.npz"
    history = run(checkpoint_path=path)
    model = load_model(path)
    assert model.config.gpt.vocabulary == DATA.vocabulary
    assert generate(model, length=5) == history.epochs[-1].sample
    assert generate(model, "Alice", 3, rng=1).startswith("Alice")
    assert generate(model, "A", 5, temperature=0) == generate(history, "A", 5, temperature=0, rng=9)
    found = evaluate(model, DATA, ["binary32", "bfloat16", "e2m1fn"])
    assert found[1].trained_bits == history.epochs[-1].bits_per_character
    assert found[0].bits != found[1].bits
    assert found[2].bits > found[0].bits
    assert found[0].to_dict()["bits_per_character"] == found[0].bits
    with pytest.raises(ValueError, match=r"the model knows .* characters, and own text has .*; give the text of its"):
        evaluate(model, text_data(TEXT.replace("A", "#"), 8), ["binary16"])
    with pytest.raises(ValueError, match="model='mlp' writes no text"):
        generate(Model(Config(), {}, (8, 8), 10))
    with pytest.raises(ValueError, match="'#' is not in the text of the model, which has the characters"):
        generate(model, "#")


def test_the_report_the_picture_and_the_lines_of_a_run_say_bits_per_character(tmp_path):
    history, died = run(), run("pure-binary16")
    assert (
        str(history).splitlines()[1].startswith(f"bits per character {history.epochs[-1].bits_per_character:.4f}, loss")
    )
    page = report.html([history, died])
    for part in ("bits per character", "What bfloat16-plain writes", "block1.attention.query", "gpt: width"):
        assert part in page
    assert "a transformer: 1 block, width 8, 2 heads, context 8" in page
    assert "Test accuracy" not in page
    assert {ax.get_title(loc="left") for ax in training_figure([history]).axes} >= {"Bits per character"}
    assert died.death.tensor == "the step of embedding.weight"
    assert any("epsilon" in advice.change for advice in diagnose(died))
    seen = {layer for kind, layer in history.telemetry.surveys if kind == "activation"}
    assert {"embedding", "positions", "block1.attention.query", "block1.network.up", "block1", "norm", "head"} <= seen


def test_check_and_costs_know_the_model_from_its_text():
    given = {"model": "gpt", "gpt": {**SMALL, "dropout": 0.1}, "data": DATA, "batch": 16}
    assert [advice.topic for advice in check("pure-bfloat16", **given)] == ["beta2"]
    found, v = costs("mixed-binary16", **given), len(DATA.vocabulary)
    assert found.parameters == 12 * 8 * 8 + 3 * 8 + (v + 8) * 8
    assert found.multiply_adds == 128 * (12 * 64 * 3 + 2 * 8 * 8 * 3 + v * 8 * 3)
    named = costs("bfloat16-plain", model="gpt", gpt={"width": 8, "heads": 1, "blocks": 0})
    assert named.parameters == (65 + 64 + 1) * 8


def test_a_run_is_repeated_by_its_command():
    gpt = {**SMALL, "mask": "-1e9", "attention": "online", "tile": 4, "tie": False, "norm": "layernorm"}
    config = get_config("bfloat16-kahan", model="gpt", gpt=gpt, batch=32, epochs=2, data=DATA)
    command = report.command(replace(config, data="text:my novel.txt"))
    assert command == (
        "fp16sim train --text 'my novel.txt' --model gpt --recipe bfloat16-kahan --context 8 --width 8 --heads 2 "
        "--blocks 1 --norm layernorm --attention online --tile 4 --mask=-1e9 --no-tie --epochs 2 --batch 32"
    )


def test_the_command_line_trains_and_evaluates_a_text_of_ones_own(tmp_path, capsys):
    text, out = tmp_path / "text.txt", tmp_path / "run.png"
    text.write_text(TEXT, encoding="utf-8")
    sizes = [f"--{name}={value}" for name, value in SMALL.items()]
    words = ["train", "--model", "gpt", "--text", str(text), *sizes, "--batch", "64", "--epochs", "1", "-o", str(out)]
    assert main([*words, "--format", "bfloat16", "--look-every", "0"]) == 0
    printed = capsys.readouterr().out
    assert "What bfloat16 accumulator=blas writes:" in printed
    assert "bits per" in printed
    log = json.loads(out.with_suffix(".json").read_text())[0]
    assert log["result"]["bits_per_character"] > 0
    model = tmp_path / "run-bfloat16-accumulator-blas.npz"
    assert main(["evaluate", str(model), "--format", "binary16,e5m2", "--write", "20", "--prompt", "Alice"]) == 0
    printed = capsys.readouterr().out
    assert "What it writes in e5m2:\nAlice" in printed
    assert "more than" in printed
    moved = text.rename(tmp_path / "moved.txt")
    assert main(["evaluate", str(model), "--format", "binary16"]) == 2
    assert main(["evaluate", str(model), "--format", "binary16", "--text", str(moved)]) == 0
    assert main(["evaluate", str(model), "--text", str(moved), "--report"]) == 2
    assert main(["evaluate", str(model), "--text", str(moved), "--prompt", "Alice"]) == 2
    err = capsys.readouterr().err
    assert "--report has one row for each class" in err
    assert "--prompt is for --write" in err


REFUSED = {
    "images": (
        {"data": load_digits()},
        "model='gpt' needs a text, and data='digits' is none; use 'alice', 'text:FILE'",
    ),
    "other windows": (
        {"gpt": {"context": 16}},
        "the windows of 'own text' have 8 characters, and the model has context=16",
    ),
    "layers": ({"layers": (3,)}, r"layers=\(3,\) would have no effect: the language model has blocks"),
    "pixels": ({"normalisation": "standard"}, "normalisation='standard' would have no effect: a text has no pixels"),
    "a part": ({"validation": 0.1}, "validation=0.1 would have no effect: a text has no pixels, and its last tenth"),
    "memory": (
        {"gpt": {"context": 8, "width": 1 << 16}},
        r"a language model of 1 block, width 65536, .* GiB of memory",
    ),
    "a misspelt size": ({"gpt": {"widht": 4}}, "widht=4 is not an option of GPTConfig; did you mean 'width'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_language_model_is_refused_before_the_first_step(name):
    options, says = REFUSED[name]
    with pytest.raises((ValueError, TypeError), match=says):
        run(**{"max_bytes": 1 << 30, **options})


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--width", "32"], "--width is an option of the language model; add --model gpt"),
        (["--text", "a.txt"], "--text is an option of the language model; add --model gpt"),
        (["--model", "gpt", "--tile", "4"], "--tile beside another attention than online"),
        (["--model", "gpt", "--text", "a.txt", "--data", "alice"], "--text beside --data: both name the data"),
        (["--model", "gpt", "--data", "digits"], "model='gpt' needs a text, and data='digits' is none"),
        (["--data", "alice"], "data='alice' is text, and model='mlp' is for images"),
        (["--model", "gpt", "--heads", "5"], "width=64 is not a multiple of heads=5"),
    ],
)
def test_options_without_effect_and_data_of_the_wrong_kind_are_refused(words, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["train", *words]) == 2
    assert says in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_memory_is_estimated_from_the_numbers_that_a_window_has():
    config = get_config("bfloat16-plain", model="gpt", gpt=SMALL, batch=16, data=DATA)
    engine = Engine(config, DATA)
    loss, _ = engine.graph(engine.start(), np.arange(16))
    own = sum(x.size for x in consumers_first(loss)) / 16
    assert own / 2 < results(config.gpt, DATA.classes) < own * 2


@pytest.mark.exhaustive
@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_every_recipe_trains_a_language_model_or_dies_as_it_says(recipe):
    history = run(recipe, epochs=3)
    assert bool(history.death) == bool(RECIPES[recipe].fatal)
    if not history.death:
        ends = [epoch.bits_per_character for epoch in history.epochs]
        assert ends[-1] < ends[0] < 8
