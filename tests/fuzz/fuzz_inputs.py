"""Damage files of every kind that is read, thousands of times, and see what becomes of it.

Each damaged file is read in a process of its own, which may take 30 s and 2 GB. What is wrong with a file has to be a
ValueError or OSError of one line that names it; what is accepted has to be what a recording can be.

    uv run python tests/fuzz/fuzz_inputs.py --mutations 4000
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent))

from fuzz_kinds import AbsurdError, Kind, kinds
from fuzz_mutations import mutate

SECONDS, BYTES = 30, 2 * 10**9
GOOD = ("accepted", "refused")
_LONGEST = 1500  # characters of a line that says what is wrong


@dataclass
class Outcome:
    """verdict: one of GOOD, or what went wrong; said: the error. seconds, megabytes: what it took."""

    verdict: str
    said: str
    seconds: float
    megabytes: int


def attempt(kind: Kind, folder: Path) -> Outcome:
    """Read the files of a folder in a process of its own."""
    start = time.monotonic()
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receiver)
        os.write(sender, json.dumps(_read(kind, folder)).encode("utf-8", "replace")[:60_000])
        os._exit(0)
    os.close(sender)
    with os.fdopen(receiver, "rb") as pipe:
        answer = pipe.read()
    _, status, used = os.wait4(child, 0)
    seconds, megabytes = time.monotonic() - start, used.ru_maxrss // 1024
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        verdict, said = ("hang", "") if number == signal.SIGALRM else ("crash", signal.Signals(number).name)
    else:
        verdict, said = json.loads(answer) if answer else ("crash", "no answer")
    if verdict in GOOD and megabytes * 1024**2 > BYTES:
        verdict = "memory"
    return Outcome(verdict, said, seconds, megabytes)


def _read(kind: Kind, folder: Path) -> tuple[str, str]:
    signal.alarm(SECONDS)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + 2 * BYTES,) * 2)
    warnings.simplefilter("ignore")
    try:
        kind.read(folder)
    except AbsurdError as error:
        return "absurd", str(error)
    except (ValueError, OSError) as error:
        said = str(error)
        names = [folder.name, *(path.name for path in folder.rglob("*"))]
        if "\n" in said.strip() or len(said) > _LONGEST:
            return "no line", said[:3000]
        return ("refused" if any(name in said for name in names) else "no name"), said
    except MemoryError:
        return "memory", traceback.format_exc()[-1500:]
    except BaseException:
        return "traceback", traceback.format_exc()[-1500:]
    return "accepted", ""


def fuzz(kind: Kind, number: int, seed: int, keep: Path | None) -> tuple[Counter, list[str], float, int]:
    """Damage the files of one kind ``number`` times; verdicts, what went wrong, and the most it took (s, MB)."""
    verdicts, wrong, longest, largest = Counter(), [], 0.0, 0
    with tempfile.TemporaryDirectory(prefix="fuzz-") as place:
        good = Path(place, "good")
        good.mkdir()
        kind.make(good)
        kind.read(_copy(good, Path(place, "damaged")))  # imports what the processes below then need not
        gc.freeze()
        whole = attempt(kind, _copy(good, Path(place, "damaged")))
        if whole.verdict != "accepted":
            raise SystemExit(f"{kind.name}: files that are whole: {whole.verdict}: {whole.said}")
        for index in range(number):
            random = Random(f"{seed} {kind.name} {index}")
            folder = _copy(good, Path(place, "damaged"))
            files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
            path = random.choice(files)
            done = mutate(path, random)
            outcome = attempt(kind, folder)
            verdicts[outcome.verdict] += 1
            longest, largest = max(longest, outcome.seconds), max(largest, outcome.megabytes)
            if outcome.verdict not in GOOD:
                wrong.append(f"{kind.name} {index}, {path.name}, {done}: {outcome.verdict}: {outcome.said}")
                print(f"\n{wrong[-1]}", file=sys.stderr, flush=True)
                if keep is not None:
                    shutil.copytree(folder, keep / f"{kind.name}-{index}".replace(" ", "_"), dirs_exist_ok=True)
    return verdicts, wrong, longest, largest


def _copy(good: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return Path(shutil.copytree(good, folder))


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns 0 where all went well, 1 where something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=4000, help="of all kinds together; default: %(default)s")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", metavar="KIND", help="kinds whose name begins so")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the files there on which something went wrong")
    args = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    chosen = [kind for kind in kinds() if not args.only or kind.name.startswith(tuple(args.only))]
    each = -(-args.mutations // len(chosen))
    total, problems = Counter(), []
    print("| kind | mutations | accepted | refused | wrong | longest, s | most, MB |\n" + "|---" * 7 + "|", flush=True)
    for kind in chosen:
        verdicts, wrong, longest, largest = fuzz(kind, each, args.seed, args.keep)
        total += verdicts
        problems += wrong
        cells = kind.name, each, verdicts["accepted"], verdicts["refused"], len(wrong), f"{longest:.1f}", largest
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)
    print(f"{sum(total.values())} mutations: " + ", ".join(f"{number} {what}" for what, number in total.most_common()))
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
