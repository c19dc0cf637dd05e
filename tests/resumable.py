"""Runs for the tests of resuming; python resumable.py RECIPE FILE makes one in a process of its own, to be killed.

With a third argument N it kills itself just before the Nth file gets its name.
"""

import os
import signal
import sys
from dataclasses import replace

from fp16sim.learn import Policy, get_config, spirals, train

DATA = spirals(arms=2, points=40)
RECIPES = {
    "plain": get_config("pure-binary16-scaled"),
    "dynamic scale": replace(get_config("mixed-binary16"), growth_interval=2),
    "kahan": get_config("bfloat16-kahan"),
    "stochastic update": get_config("bfloat16-stochastic"),
    "stochastic everything": get_config("bfloat16-plain", policy=Policy("bfloat16:stochastic", master="binary32")),
    "stochastic constants": replace(get_config("pure-binary16-scaled"), policy=Policy("binary16:stochastic")),
    "fp8": get_config("fp8-mixed"),
    "fp8-delayed": get_config("fp8-delayed", factors="amax_history_len=5"),
    "nvfp4": get_config("nvfp4"),
    "momentum": replace(get_config("bfloat16-plain"), optimizer="sgd", decay_every=5, clip_norm=1.0, l2=1e-3),
    "average and parts": replace(
        get_config("bfloat16-kahan", policy=Policy("bfloat16", rules={"layer2": "binary32"})),
        accumulate=3,
        accumulate_in="bfloat16:stochastic",
        ema=0.9,
        ema_in="bfloat16:stochastic",
        schedule="cosine",
        warmup=2,
        final_lr=1e-5,
        clip_value=1.0,
        scalars="binary64",
    ),
    "dies": replace(get_config("pure-binary16", epsilon=1e-4), lr=100.0),
    "skips until it dies": replace(get_config("mixed-binary16"), lr=1e4),
}


def config(name):
    batch = 2 if name == "skips until it dies" else 16
    return replace(RECIPES[name], recipe=name, data="spirals", layers=(4,), batch=batch, epochs=3, validation=0.1)


def run(name, path=None, **how):
    return train(config(name), DATA, checkpoint_path=path, checkpoint_seconds=0, look_every=3, **how)


def die_at_rename(number):
    """Kill this process when it renames a file for the `number`th time."""
    renames = iter(range(1, number))

    def die(event, arguments):
        if event == "os.rename" and next(renames, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(die)


if __name__ == "__main__":
    name, path, *number = sys.argv[1:]
    if number:
        die_at_rename(int(number[0]))
    run(name, path, resume=True)
