"""The recorder, with a PyTorch of NumPy arrays and the real one; its logs, whole, cut and foreign, and their advice."""

import ast
import json
import math
import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.cli import main
from fp16sim.learn import diagnose, recorder
from fp16sim.learn.advise.logs import read_log
from fp16sim.learn.observe.exponents import survey

# --- as much of PyTorch as the recorder uses ------------------------------------------------------------------------


class FakeTensor(np.ndarray):
    """A tensor of NumPy numbers, with PyTorch's methods."""

    device, requires_grad, grad = "cpu", True, None

    def detach(self):
        return self

    def numel(self):
        return self.size

    def float(self):
        return self.astype(np.float32)

    def contiguous(self):
        return self

    def clone(self):
        return self.copy()

    @property
    def data(self):
        return self

    def register_hook(self, hook):
        self.hooks = [*getattr(self, "hooks", []), hook]


def tensor(x, dtype=np.float16):
    with np.errstate(over="ignore"):
        return np.asarray(x).astype(dtype).view(FakeTensor)


FAKE_TORCH = types.SimpleNamespace(
    __version__="0.fake",
    int32=np.int32,
    int64=np.int64,
    is_grad_enabled=lambda: True,
    aminmax=lambda x: tuple(np.asarray(end).view(FakeTensor) for end in (x.min(), x.max())),
    stack=lambda tensors: np.stack(tensors),
    bincount=lambda x, minlength: np.bincount(np.asarray(x), minlength=minlength),
    count_nonzero=np.count_nonzero,
    isinf=np.isinf,
)


class Scale:
    """A module that multiplies by its weight."""

    def __init__(self, weight):
        self.weight, self.hooks = tensor(weight), []

    def children(self):
        return iter(())

    def register_forward_hook(self, hook):
        self.hooks.append(hook)
        return types.SimpleNamespace(remove=lambda: self.hooks.remove(hook))

    def __call__(self, x):
        with np.errstate(all="ignore"):
            y = tensor(x * self.weight)
        for hook in self.hooks:
            hook(self, (x,), y)
        return y


class Chain(Scale):
    """Modules one after the other."""

    def __init__(self, *parts):
        super().__init__([1.0])
        self.parts = parts

    def children(self):
        return iter(self.parts)

    def named_modules(self):
        return [("", self), *((f"fc{k}", part) for k, part in enumerate(self.parts))]

    def named_parameters(self):
        return [(f"fc{k}.weight", part.weight) for k, part in enumerate(self.parts)]

    def __call__(self, x):
        for part in self.parts:
            x = part(x)
        for hook in self.hooks:
            hook(self, (x,), x)
        return x


@pytest.fixture
def torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", FAKE_TORCH)
    monkeypatch.delenv("RANK", raising=False)


def lines(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def backward(output, gradients):
    """Call the hooks of outputs with gradients, the last one first."""
    for x, g in zip(output, gradients, strict=True):
        for hook in x.hooks:
            hook(tensor(g))


# --- what is written ------------------------------------------------------------------------------------------------


def test_the_recorder_needs_the_standard_library_alone(tmp_path):
    ast.parse(Path(recorder.__file__).read_text(encoding="utf-8"), feature_version=(3, 8))
    copy = tmp_path / "recorder.py"
    assert main(["diagnose", "--script", "-o", str(copy)]) == 0
    code = (
        "import sys, recorder; r = recorder.Recorder('run.jsonl'); r.step(1.5, loss_scale=8.0); "
        "print(sorted({n.split('.')[0] for n in sys.modules} & {'numpy', 'torch', 'fp16sim'}))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert lines(tmp_path / "run.jsonl")[1] == {
        "step": 1,
        "loss": 1.5,
        "scale": 8.0,
        "skipped": False,
        "finite_weights": True,
    }


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_exponents_are_those_of_a_survey(tmp_path, dtype):
    x = np.random.default_rng(0).standard_normal((30, 40)) * np.exp(9 * np.random.default_rng(1).standard_normal(40))
    with np.errstate(over="ignore", under="ignore"):
        x = x.astype(dtype)
    x[0, :4] = 0.0, -0.0, np.inf, np.nan
    own = recorder.Recorder(tmp_path / "run.jsonl")
    own.record("w", x, "weight gradient")
    own.record("list", [0.5, 3.0])
    own.step()
    log = read_log(tmp_path / "run.jsonl")
    found, wanted = log.telemetry.surveys["weight gradient", "w"], survey(x, dtype)
    assert found.exponents == {e: n for e, n in wanted.exponents.items() if n or e in found.exponents}
    assert (found.fmt, found.total, found.zeros) == (wanted.fmt, wanted.total, wanted.zeros)
    assert (found.nans, found.infinities, found.fate()) == (1, wanted.infinities, wanted.fate())
    assert log.telemetry.surveys["activation", "list"].exponents == {-1: 1, 0: 0, 1: 1}


def test_only_every_nth_step_is_examined_and_a_change_of_the_scale_is_told(tmp_path):
    own = recorder.Recorder(tmp_path / "run.jsonl", every=10)
    for step in range(1, 25):
        own.record("g", np.float16([step]))
        own.step(1.0, loss_scale=8.0 if step < 15 else 4.0, skipped=step == 14)
    log = read_log(tmp_path / "run.jsonl")
    assert [line.step for line in log.steps] == [1, 11, 14, 15, 21]
    assert [row.step for row in log.counted["activation", "g"]] == [1, 11, 21]
    assert (log.telemetry.scales, log.telemetry.skipped) == ([(1, 8.0), (15, 4.0)], [14])


def test_the_hooks_see_outputs_gradients_and_parameters(tmp_path, torch):
    model = Chain(Scale([2.0, 4.0]), Scale([0.5]))
    own = recorder.Recorder(tmp_path / "run.jsonl").watch(model)
    hidden = model.parts[0](tensor([1.0, 2.0]))
    output = model.parts[1](hidden)
    model(tensor([1.0, 2.0]))  # a second forward pass in the same step
    backward([output, hidden], [[1.0, 1.0], [0.5, 0.5]])
    model.parts[0].weight.grad = tensor([0.25, 1.0])
    own.step(tensor(0.5))
    log = read_log(tmp_path / "run.jsonl")
    assert [key for key in log.counted if key[0] == "activation"] == [("activation", "fc0"), ("activation", "fc1")]
    assert log.counted["weight gradient", "fc0.weight"][0].amax == 1.0
    assert log.counted["activation gradient", "fc0"][0].amax == 0.5
    assert log.headers[0].parameters == {"fc0.weight": ("float16", 2), "fc1.weight": ("float16", 1)}
    own.close()
    assert not model.hooks
    assert not model.parts[0].hooks


def test_the_updates_that_change_nothing_are_counted(tmp_path, torch):
    model, hooks = Chain(Scale([1.0, 1.0, 1.0])), {}
    optimizer = types.SimpleNamespace(
        param_groups=[{"lr": 1e-4, "betas": (0.9, 0.999)}],
        register_step_pre_hook=lambda hook: hooks.setdefault("before", hook),
        register_step_post_hook=lambda hook: hooks.setdefault("after", hook),
    )
    own = recorder.Recorder(tmp_path / "run.jsonl").watch(model, optimizer)
    weight = model.parts[0].weight
    weight.grad = tensor([1.0, 0.0, -9.0])
    hooks["before"](optimizer)
    weight += tensor([1e-4, 0.0, 9e-3])
    hooks["after"](optimizer)
    own.step()
    (row,) = read_log(tmp_path / "run.jsonl").updates
    assert (row.moving, row.unchanged, row.total) == (2, 1, 3)
    (advice,) = diagnose(tmp_path / "run.jsonl")
    assert advice.text.startswith("50.0% of the weights with a gradient did not change")


def test_a_scaler_tells_the_scale_and_the_skipped_steps(tmp_path):
    scales = iter([65536.0, 32768.0, 32768.0, 65536.0])
    scaler = types.SimpleNamespace(get_scale=lambda: next(scales), _init_scale=65536.0)
    own = recorder.Recorder(tmp_path / "run.jsonl", every=1)
    for _ in range(4):
        own.step(1.0, scaler=scaler)
    steps = read_log(tmp_path / "run.jsonl").steps
    assert [(line.scale, line.skipped) for line in steps] == [
        (65536.0, False),
        (65536.0, True),
        (32768.0, False),
        (32768.0, False),
    ]


def test_a_recorder_that_cannot_write_stops_no_run(tmp_path, capsys):
    own = recorder.Recorder(tmp_path / "no" / "folder.jsonl")
    own.step(1.0)
    own.step(2.0)
    other = recorder.Recorder(tmp_path / "run.jsonl")
    other.record("x", object())
    assert capsys.readouterr().err.count("recorder: nothing more is recorded, because of") == 2


def test_a_log_is_appended_to_also_after_a_killed_run_and_is_rotated(tmp_path, monkeypatch):
    path = tmp_path / "run.jsonl"
    recorder.Recorder(path).step(1.0)
    path.write_bytes(path.read_bytes() + b'{"step": 2, "lo')
    recorder.Recorder(path, first_step=2).step(2.0)
    log = read_log(path)
    assert ([line.step for line in log.steps], log.cut) == ([1, 2], 1)
    assert "1 line that was cut off is left out" in log.summary

    own = recorder.Recorder(tmp_path / "long.jsonl", every=1, max_bytes=1 << 16)
    for _ in range(1000):
        own.step(1.0)
    assert (tmp_path / "long.jsonl.1").stat().st_size <= 1 << 16
    assert [line.step for line in read_log(tmp_path / "long.jsonl").steps] == list(range(1, 1001))
    monkeypatch.setenv("RANK", "3")
    assert recorder.Recorder("a/run.jsonl").path == "a/run.rank3.jsonl"


def test_wrong_options_are_refused():
    for options in ({"every": 0}, {"max_bytes": 10}):
        with pytest.raises(ValueError, match="every="):
            recorder.Recorder("run.jsonl", **options)


# --- what it says ---------------------------------------------------------------------------------------------------


def run_that_overflows(path):
    """Weights that grow until the output of fc1 is infinite, in step 3, and then the weights are infinite too."""
    model = Chain(Scale([2.0]), Scale([1.0]))
    own = recorder.Recorder(path, every=10).watch(model)
    for _ in range(6):
        model(tensor([100.0]))
        for part in model.parts:
            with np.errstate(over="ignore"):
                part.weight *= tensor(8.0)
        own.step(1.0)


def test_the_cause_the_step_and_the_tensor_of_a_death_are_named(tmp_path, torch):
    run_that_overflows(tmp_path / "run.jsonl")
    (advice,) = diagnose(tmp_path / "run.jsonl")
    assert (advice.topic, advice.evidence["step"]) == ("death", 3)
    assert advice.text == (
        "died at step 3: the output of module fc1 is not finite: Scale in the forward pass gave infinity in binary16, "
        "which ends at 65,504, from inputs up to 12,800 and fc1.weight up to 64. Before, its largest magnitude was 200 "
        "(step 1) and 12,800 (step 2). Its weights have grown by a factor of 8: the run diverges. Use a lower learning "
        "rate."
    )


def recorded(path, steps, every=1, **options):
    """A log of steps: each is a list of (kind, name, numbers), and what `step` is given."""
    own = recorder.Recorder(path, every=every)
    for tensors, given in steps:
        for kind, name, x in tensors:
            own.record(name, x, kind, "Linear" if kind == "activation" else "")
        own.step(**given)
    return diagnose(path)


def test_gradients_that_overflow_under_a_loss_scale_are_named(tmp_path):
    fine = ([("activation", "fc1", np.float16([1.0])), ("activation gradient", "fc1", np.float16([9e3]))],)
    gone = ([("activation", "fc1", np.float16([1.0])), ("activation gradient", "fc1", np.float16([np.inf]))],)
    given = {"loss": 1.0, "loss_scale": 2.0**16}
    (advice,) = recorded(tmp_path / "a.jsonl", [(*fine, given), (*gone, given)])
    assert advice.text.startswith(
        "died at step 2: the gradient of the output of module fc1 is not finite: the backward pass gave infinity in "
        "binary16, which ends at 65,504. The loss was scaled by 2^16"
    )
    skipped = recorded(tmp_path / "b.jsonl", [(*fine, given), (*gone, {**given, "skipped": True}), (*fine, given)])
    assert skipped == ()


def test_a_step_that_was_not_finite_and_left_no_trace_is_no_death(tmp_path):
    bad, good = ([("activation", "x", [np.nan])], {"loss": 1.0}), ([("activation", "x", [1.0])], {"loss": 1.0})
    assert recorded(tmp_path / "a.jsonl", [good, bad, good]) == ()
    (advice,) = recorded(tmp_path / "b.jsonl", [good, bad, good, bad, bad])
    assert advice.evidence["step"] == 4


def test_a_loss_that_is_not_finite_alone_is_named(tmp_path):
    (advice,) = recorded(tmp_path / "a.jsonl", [([("activation", "x", [1.0])], {"loss": math.inf})])
    assert "died at step 1: the loss is not finite, although the outputs of all modules are" in advice.text


def test_vanishing_gradients_are_named_with_the_scale_that_saves_them(tmp_path):
    rng = np.random.default_rng(0)
    tensors = [("activation gradient", "fc3", rng.standard_normal(900).astype(np.float16))]
    for k in (2, 1, 0):
        x = (rng.standard_normal(900) * 2.0 ** (-26 + 3 * k)).astype(np.float16)
        tensors.append(("activation gradient", f"fc{k}", x))
    tensors.append(("weight gradient", "fc0.weight", np.zeros(10, np.float16)))
    (advice,) = recorded(tmp_path / "a.jsonl", [(tensors, {"loss": 1.0})])
    share = np.count_nonzero(tensors[3][2] == 0) / 900
    assert advice.topic == "loss scale"
    assert advice.text.startswith(
        f"Gradients become 0 in binary16, from step 1 on: {share:.1%} of the gradients of the output of module fc0 are"
    )
    assert "fc0.weight are all 0: nothing is learned there" in advice.text
    assert "Multiply the loss by 2^12 (the largest gradient is below 2^2)" in advice.text
    relu = np.float16([0.0] * 50 + [0.5] * 50)  # zeros that are no underflow
    assert recorded(tmp_path / "b.jsonl", [([("activation gradient", "fc", relu)], {"loss": 1.0})]) == ()


def test_skipped_steps_are_counted(tmp_path):
    steps = [([], {"loss": 1.0, "loss_scale": 2.0**10, "skipped": k % 5 == 0}) for k in range(60)]
    (advice,) = recorded(tmp_path / "a.jsonl", steps)
    assert advice.text.startswith("20.0% of the steps were skipped")
    steps += [([("activation", "x", [np.inf])], {"loss": 1.0, "skipped": True})] * 30
    (advice,) = recorded(tmp_path / "b.jsonl", steps)
    assert advice.text.startswith(
        "The last 30 steps were all skipped: at no loss scale were the gradients finite. In step 61 the output of "
        "module x is not finite: Linear in the forward pass gave infinity in binary64"
    )


def test_a_module_whose_output_is_0_everywhere_is_named(tmp_path):
    x = np.float16([600.0, 1200.0])
    tensors = [("activation", "act", x), ("activation", "norm", x * 0), ("activation", "out", x * 0)]
    (advice,) = recorded(tmp_path / "a.jsonl", [(tensors, {"loss": 4.6})] * 2)
    assert advice.text.startswith(
        "The output of module norm is 0 everywhere, in all 2 steps that were examined, and that of module act before "
        "it is up to 1,200"
    )


def test_what_was_not_finite_between_modules_is_said_so(tmp_path, torch):
    model = Chain(Scale([2.0]), Scale([0.5]))
    own = recorder.Recorder(tmp_path / "run.jsonl").watch(model)
    model.parts[1](tensor(model.parts[0](tensor([100.0])) * np.float32(1000)))
    own.step(1.0)
    (advice,) = diagnose(tmp_path / "run.jsonl")
    assert advice.text.startswith(
        "died at step 1: the input of module fc1 is not finite: an operation after module fc0, whose output was up to "
        "200, gave infinity in binary16"
    )


# --- the command, and other files -----------------------------------------------------------------------------------


def test_the_command_says_what_was_read_and_what_is_wrong(tmp_path, torch, capsys):
    run_that_overflows(tmp_path / "run.jsonl")
    assert main(["diagnose", str(tmp_path / "run.jsonl")]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert "steps 1 to 6 of a run with PyTorch 0.fake, 1 of them examined" in shown[0]
    assert shown[1].startswith("- died at step 3")
    assert main(["diagnose", str(tmp_path / "run.jsonl"), "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["advice"][0]["topic"] == "death"
    recorder.Recorder(tmp_path / "good.jsonl").step(1.0)
    assert main(["diagnose", str(tmp_path)]) == 0
    assert "No number was lost in the steps that were examined." in capsys.readouterr().out
    np.savez(tmp_path / "grads.npz", w=np.ones(2))
    assert main(["diagnose", str(tmp_path)]) == 0
    assert "grads.npz is left out: " in capsys.readouterr().err
    (tmp_path / "grads.npz").unlink()
    with pytest.raises(ValueError, match=r"has 2 runs \(good\.jsonl, run\.jsonl\); give one of these files"):
        diagnose(tmp_path)


def test_the_script_is_the_module(capsys):
    assert main(["diagnose", "--script"]) == 0
    assert capsys.readouterr().out.rstrip("\n") == Path(recorder.__file__).read_text(encoding="utf-8").rstrip("\n")


def test_a_checkpoint_of_a_run_here_is_diagnosed_as_its_history(tmp_path, capsys):
    path = tmp_path / "run.npz"
    history = fs.learn.train("pure-binary16", epochs=1, checkpoint_path=path)
    assert [a.text for a in diagnose(path)] == [a.text for a in diagnose(history)]
    assert main(["diagnose", str(tmp_path)]) == 0
    assert "died at step 1: the step of layer1.weight is not finite" in capsys.readouterr().out
    fs.learn.save_model(path, fs.learn.load_model(path))
    assert main(["diagnose", str(path)]) == 2
    assert "it is a model alone, which does not tell how it was trained" in capsys.readouterr().err


def damaged(whole):
    """Logs that are no logs, by what is said of them."""
    head, step, row = whole.splitlines(keepends=True)
    wrong = {**json.loads(row), "counts": [1, 1]}
    return {
        "is empty": "",
        "its first line is not JSON": "hello",
        "its first line does not say so": step,
        "line 2 does not say so": head + "[1, 2]\n",
        "line 2 is not as a Recorder writes it: line.loss is missing": head + '{"step": 1}\n',
        "line 2 is not as a Recorder writes it: line.step='x' is not an integer": head + step.replace("1,", '"x",', 1),
        "it counts 2 finite nonzero numbers, and there are 1": head + step + json.dumps(wrong),
        "that no tensor has": head + json.dumps({**json.loads(row), "lowest": -(10**9)}),
        "scale=-1.0; a loss scale is positive": head + step.replace('"scale": null', '"scale": -1.0'),
        "'1e5' is not a number": head + step.replace('"loss": 1.0', '"loss": "1e5"'),
        "is not a known format": head + row.replace("float64", "float19"),
        "schema": head.replace("recorder.1", "recorder.2"),
    }


def test_a_foreign_or_damaged_log_is_one_line(tmp_path, capsys):
    path = tmp_path / "run.jsonl"
    own = recorder.Recorder(path)
    own.record("w", [0.5])
    own.step(1.0)
    whole = path.read_text()
    for says, content in damaged(whole).items():
        path.write_text(content)
        assert main(["diagnose", str(path)]) == 2, says
        captured = capsys.readouterr()
        assert captured.err.count("\n") == 1
        assert says in captured.err or says == "schema"
    for cut in range(len(whole.splitlines()[0]) + 1, len(whole), 31):
        path.write_text(whole[:cut])
        assert main(["diagnose", str(path)]) == 0, cut
    capsys.readouterr()
    path.write_bytes(b'{"a": "' + b"x" * (1 << 23))
    assert main(["diagnose", str(path)]) == 2
    assert "the log is too long" in capsys.readouterr().err


def test_a_name_in_a_log_cannot_control_the_terminal(tmp_path):
    steps = [([("activation", "w\x1b[31m", [np.inf])], {"loss": 1.0})]
    (advice,) = recorded(tmp_path / "run.jsonl", steps)
    assert "the output of module w\\x1b[31m is not finite" in advice.text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "give a log (.jsonl) or a checkpoint (.npz), or --script"),
        (["missing.jsonl"], "missing.jsonl does not exist"),
        (["."], "has no log (.jsonl) and no checkpoint (.npz) in it"),
        (["--script", "x.jsonl"], "x.jsonl is not read, because recorder.py is written"),
        (["x.jsonl", "-o", "r.py"], "it is for --script"),
        (["--script", "-o", "r.txt"], "r.txt"),
    ],
)
def test_what_cannot_be_diagnosed_is_one_line(words, says, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["diagnose", *words]) == 2
    assert says in capsys.readouterr().err
    assert os.listdir() == []


# --- PyTorch itself -------------------------------------------------------------------------------------------------


def test_a_run_of_pytorch_that_overflows_is_explained(tmp_path):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(20, 64), torch.nn.ReLU(), torch.nn.Linear(64, 5)).half()
    optimizer = torch.optim.SGD(model.parameters(), lr=3000.0)
    own = recorder.Recorder(tmp_path / "run.jsonl").watch(model, optimizer)
    for _ in range(20):
        x = torch.randn(32, 20)
        loss = torch.nn.functional.cross_entropy(model(x.half()).float(), x[:, :5].argmax(1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        own.step(loss)
    assert diagnose(tmp_path / "run.jsonl")[0].text.startswith("died at step ")
