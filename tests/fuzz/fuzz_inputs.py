"""Damage files of every kind that is read, thousands of times, and see what becomes of it.

Damaged files are read in processes of their own: 30 s a file, 2 GB a process. What is wrong with a file has to be a
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

sys.path.insert(0, str(Path(__file__).parents[2]))  # what makes motion is no part of the package
sys.path.insert(0, str(Path(__file__).parents[1] / "common"))
sys.path.insert(0, str(Path(__file__).parent))

from fuzz_kinds import AbsurdError, Kind, kinds
from fuzz_mutations import mutate

SECONDS, BYTES = 30, 2 * 10**9
IN_A_PROCESS = 20
GOOD = ("accepted", "refused")
_LONGEST = 1500  # characters of a line that says what is wrong


@dataclass
class Outcome:
    """verdict: one of GOOD, or what went wrong; said: the error, after what was done to which file. seconds it took."""

    verdict: str
    said: str
    seconds: float = 0.0


class Batch:
    """Damages and reads files in a process of its own, which is as good as its last answer: it may crash or hang."""

    def __init__(self, kind: Kind, good: Path, folder: Path, seed: int, indices: list[int]) -> None:
        self.kind, self.good, self.folder, self.seed, self.indices = kind, good, folder, seed, indices
        self.megabytes = 0

    def outcomes(self) -> list[Outcome]:
        """One for each of the indices, of which -1 stands for the files as they are."""
        found: list[Outcome] = []
        while len(found) < len(self.indices):
            found += self._process(self.indices[len(found) :])
        return found

    def _process(self, indices: list[int]) -> list[Outcome]:
        receiver, sender = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(receiver)
            with os.fdopen(sender, "w", encoding="utf-8", errors="replace") as pipe:
                _confine()
                for index in indices:
                    pipe.write(json.dumps(vars(self._one(index))) + "\n")
                    pipe.flush()
            os._exit(0)
        os.close(sender)
        with os.fdopen(receiver, encoding="utf-8") as pipe:
            found = [Outcome(**json.loads(line)) for line in pipe if line.endswith("\n")]
        _, status, used = os.wait4(child, 0)
        self.megabytes = max(self.megabytes, used.ru_maxrss // 1024)
        if len(found) < len(indices):
            number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
            done = f"files of index {indices[len(found)]}, signal {number}"
            found.append(Outcome("hang" if number == signal.SIGALRM else "crash", done, SECONDS))
        elif self.megabytes * 1024**2 > BYTES:
            found[-1].verdict = "memory"
        return found

    def damage(self, index: int) -> str:
        """Make the files of an index anew; what was done to which of them."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.good, self.folder)
        if index < 0:
            return "whole"
        random = Random(f"{self.seed} {self.kind.name} {index}")
        files = sorted(path for path in self.folder.rglob("*") if path.is_file() and not path.name.startswith("."))
        path = random.choice(files)
        return f"{path.name}, {mutate(path, random)}"

    def _one(self, index: int) -> Outcome:
        done = self.damage(index)
        signal.alarm(SECONDS)
        start = time.monotonic()
        verdict, said = _read(self.kind, self.folder)
        signal.alarm(0)
        return Outcome(verdict, f"{done}: {said}", time.monotonic() - start)


def _confine() -> None:
    """Silence, and no memory beyond what is allowed."""
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + 2 * BYTES,) * 2)


def _read(kind: Kind, folder: Path) -> tuple[str, str]:
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


def fuzz(kind: Kind, number: int, seed: int, keep: Path | None) -> tuple[Counter, float, int]:
    """Damage the files of one kind ``number`` times; verdicts, and the most that one took: s, and MB of a process."""
    verdicts, longest, largest = Counter(), 0.0, 0
    with tempfile.TemporaryDirectory(prefix="fuzz-") as place:
        good, folder = Path(place, "good"), Path(place, "damaged")
        good.mkdir()
        kind.make(good)
        batch = Batch(kind, good, folder, seed, [-1])
        batch.damage(-1)
        kind.read(folder)  # imports what the processes below then need not
        gc.freeze()
        (whole,) = batch.outcomes()
        if whole.verdict != "accepted":
            raise SystemExit(f"{kind.name}: files that are whole: {whole.verdict}: {whole.said}")
        for first in range(0, number, IN_A_PROCESS):
            batch.indices = list(range(first, min(first + IN_A_PROCESS, number)))
            for index, outcome in zip(batch.indices, batch.outcomes(), strict=True):
                verdicts[outcome.verdict] += 1
                longest, largest = max(longest, outcome.seconds), max(largest, batch.megabytes)
                if outcome.verdict not in GOOD:
                    print(f"\n{kind.name} {index}, {outcome.verdict}: {outcome.said}", file=sys.stderr, flush=True)
                    if keep is not None:
                        batch.damage(index)
                        shutil.copytree(folder, keep / f"{kind.name}-{index}".replace(" ", "_"), dirs_exist_ok=True)
    return verdicts, longest, largest


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
    total = Counter()
    print("| kind | mutations | accepted | refused | wrong | longest, s | most, MB |\n" + "|---" * 7 + "|", flush=True)
    for kind in chosen:
        verdicts, longest, largest = fuzz(kind, each, args.seed, args.keep)
        total += verdicts
        wrong = each - sum(verdicts[verdict] for verdict in GOOD)
        cells = kind.name, each, verdicts["accepted"], verdicts["refused"], wrong, f"{longest:.1f}", largest
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)
    print(f"{sum(total.values())} mutations: " + ", ".join(f"{number} {what}" for what, number in total.most_common()))
    return int(bool(set(total) - set(GOOD)))


if __name__ == "__main__":
    sys.exit(main())
