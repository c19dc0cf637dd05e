"""`python -m fp16sim.plots FOLDER [png|svg|pdf]` writes each picture to a file, and `--sheet FILE.png` all to one."""

import sys

from .gallery import write_all, write_sheet

USAGE = "usage: python -m fp16sim.plots FOLDER [png|svg|pdf]\n       python -m fp16sim.plots --sheet FILE.png"


def main(arguments: list[str]) -> int:
    """Write the pictures and print their paths; return 2 for bad input."""
    sheet = arguments[:1] == ["--sheet"] and len(arguments) == 2
    if not sheet and (not 1 <= len(arguments) <= 2 or arguments[0].startswith("-")):
        print(USAGE, file=sys.stderr)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    try:
        if sheet:
            write_sheet(arguments[1])
            print(arguments[1])
        else:
            print(*write_all(*arguments), sep="\n")
    except (ValueError, OSError) as error:
        print(f"python -m fp16sim.plots: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
