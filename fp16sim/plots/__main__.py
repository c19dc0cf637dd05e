"""`python -m fp16sim.plots FOLDER [png|svg|pdf]`: write every picture into a folder."""

import sys

from .gallery import write_all


def main(arguments: list[str]) -> int:
    """Write the pictures and print their paths; return 2 for bad input."""
    if not 1 <= len(arguments) <= 2 or arguments[0].startswith("-"):
        print("usage: python -m fp16sim.plots FOLDER [png|svg|pdf]", file=sys.stderr)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    try:
        print(*write_all(*arguments), sep="\n")
    except (ValueError, OSError) as error:
        print(f"python -m fp16sim.plots: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
