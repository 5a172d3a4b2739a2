"""Damage to files: to their bytes, their numbers and words, and the values in archives; all from a generator."""

from __future__ import annotations

import io
import json
import pickle
import re
import zipfile
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

WORDS = ("0", "-1", "1e30", "-1e30", "1e-9", "1e400", "nan", "inf", "9" * 400, "9999999999", "", "x", "None", "é", "\0")
VALUES = (None, True, 0, -1, 1e30, 1e-9, 1e9, -1e5, 2**63, 10**400, "", "x", "nan", "../../x", "//x", "x" * 70_000)
NUMBERS = (np.nan, np.inf, -np.inf, 1e30, -1e30, 1e-9, 1e9, 1e5, -1, 0, 2**31 - 1)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", re.IGNORECASE)


def mutate(path: Path, random: Random) -> str:
    """Damage a file in one to three ways; returns what was done."""
    done = []
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        name, content = random.choice(_ways(path))
        try:
            path.write_bytes(content(path.read_bytes(), random))
            done.append(name)
        except Exception:  # it is damaged so far already that it is no file of its kind
            path.write_bytes(damage_bytes(path.read_bytes(), random))
            done.append("bytes")
    return "+".join(done)


def _ways(path: Path) -> list:
    ways = [("bytes", damage_bytes)]
    own = {
        ".json": [("json", damage_json)] * 3 + [("words", damage_words)],
        ".npz": [("archive", damage_archive)] * 4,
        ".npy": [("array", damage_array)] * 3,
        ".pkl": [("pickle", damage_pickle)] * 3,
        ".pth": [("archive", damage_archive)] + [("checkpoint", damage_checkpoint)] * 3,
        ".mat": [],
    }
    return ways + own.get(path.suffix, [("words", damage_words)] * 3)


def damage_bytes(data: bytes, random: Random) -> bytes:
    """Flipped, cut off, taken out, doubled, put in, zeroed or filled bytes; seldom none at all."""
    if not data:
        return b"\x00" * random.randrange(100)
    first = random.randrange(len(data))
    last = min(len(data), first + random.choice((1, 2, 8, 64, 1000)))
    part = data[first:last]
    way = random.randrange(8)
    middle = (
        bytes(byte ^ (1 << random.randrange(8)) for byte in part),
        b"",
        part * random.choice((2, 50)),
        random.randbytes(len(part)),
        bytes(len(part)),
        b"\xff" * len(part),
    )
    if way == 6:
        return data[:first]
    if way == 7:
        return random.choice((b"", data[first:], data + data, data[::-1]))
    return data[:first] + middle[way] + data[last:]


def damage_words(data: bytes, random: Random) -> bytes:
    """A number, a word or a line of a text becomes another, goes, or comes twice; or brackets without end."""
    text = data.decode("utf-8", "replace")
    way = random.randrange(5)
    if way < 2:
        found = list(_NUMBER.finditer(text))
        match = random.choice(found)
        text = text[: match.start()] + random.choice(WORDS) + text[match.end() :]
    elif way == 2:
        words = text.split(" ")
        words[random.randrange(len(words))] = random.choice(WORDS)
        text = " ".join(words)
    elif way == 3:
        lines = text.split("\n")
        line = random.randrange(len(lines))
        lines[line : line + 1] = random.choice(
            ([], [lines[line]] * random.choice((2, 300)), [lines[line][: len(lines[line]) // 2]])
        )
        text = "\n".join(lines)
    else:
        place = random.randrange(len(text))
        text = text[:place] + random.choice("[{(<") * random.choice((1, 50_000)) + text[place:]
    return text.encode("utf-8", "replace")


def damage_json(data: bytes, random: Random) -> bytes:
    """One value of a tree of lists and tables becomes another."""
    return json.dumps(_changed(json.loads(data), random)).encode()


def damage_pickle(data: bytes, random: Random) -> bytes:
    """One value of a tree becomes another, in any protocol; or what it holds is shared until it is endless."""
    tree = pickle.loads(data)  # made by the fuzzer itself
    if random.randrange(6) == 0:
        for _ in range(random.choice((3, 40))):
            tree = [tree] * 10
        return pickle.dumps(tree)
    return pickle.dumps(_changed(tree, random), random.randrange(6))


def _changed(tree: Any, random: Random) -> Any:
    """The tree with one of its values changed, found by going down at random."""
    keys = list(tree) if isinstance(tree, dict) else list(range(len(tree))) if isinstance(tree, list) else []
    if isinstance(tree, np.ndarray) and tree.dtype != object and tree.size:
        return _other_array(tree, random)
    if not keys or random.randrange(8) == 0:
        deep: Any = 1
        for _ in range(900):
            deep = [deep]
        return random.choice((*VALUES, [], {}, [[]], deep, [1, 2, 3], [None] * 1000))
    key = random.choice(keys)
    way = random.randrange(10)
    if way == 0:
        del tree[key]
    elif way == 1 and isinstance(tree, list):
        tree.insert(key, tree[random.choice(keys)])
    elif way == 1:
        tree[random.choice(("x", "", "\udcff", "keypoints"))] = tree[key]
    else:
        tree[key] = _changed(tree[key], random)
    return tree


def damage_array(data: bytes, random: Random) -> bytes:
    """A value, the type, the axes or the header of a ``.npy`` file become others."""
    if random.randrange(3) == 0:
        head = min(len(data), 128)
        return damage_words(data[10:head], random).ljust(head - 10)[: head - 10].join((data[:10], data[head:]))
    array = np.load(io.BytesIO(data), allow_pickle=True)
    if array.dtype == object:
        array = np.array(_changed(array.item(), random), dtype=object)
    else:
        array = _other_array(array, random)
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


def _other_array(array: np.ndarray, random: Random) -> np.ndarray:
    array = array.copy()
    way = random.randrange(9)
    if way < 4 and array.size and array.dtype.kind in "biuf":
        places = random.choice((1, 1, array.size))
        with np.errstate(all="ignore"):
            value = np.float64(random.choice(NUMBERS)).astype(array.dtype)
        array.reshape(-1)[[random.randrange(array.size) for _ in range(places)]] = value
        return array
    if way == 4:
        return array[: len(array) // 2] if array.ndim else array.reshape(1)
    if way == 5 and array.dtype.kind in "biuf":
        return array.astype(random.choice(("f2", "f8", "i1", "i8", "U3", "S2", "c8", "?", ">f4")))
    if way == 6:
        return array.reshape(-1) if random.randrange(2) else array[None]
    if way == 7 and array.ndim:
        return array[::-1] if random.randrange(2) else np.concatenate((array, array))
    with np.errstate(all="ignore"):
        return array * random.choice((0, -1, 1000, 1e-3)) if array.dtype.kind == "f" else np.zeros((0,), array.dtype)


def damage_archive(data: bytes, random: Random) -> bytes:
    """A member of a zip archive is damaged, goes, comes under another name, or becomes another member's."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = random.choice(list(members))
    way = random.randrange(8)
    if way == 0:
        del members[name]
    elif way == 1:
        members[random.choice(("x.npy", "../x.npy", name + name))] = members.pop(name)
    elif way == 2:
        members[name] = members[random.choice(list(members))]
    elif way == 3:
        members[name] = damage_bytes(members[name], random)
    elif way == 4:
        members[name] += bytes(random.choice((1, 10**8)))
    else:
        members[name] = (damage_array if name.endswith(".npy") else damage_bytes)(members[name], random)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def damage_checkpoint(data: bytes, random: Random) -> bytes:
    """A value of what stands beside the weights, or a tensor, becomes another."""
    import torch

    checkpoint = torch.load(io.BytesIO(data), weights_only=True)
    part = random.choice(list(checkpoint))
    if part == "state_dict":
        state = checkpoint[part]
        name = random.choice(list(state))
        tensor = state[name]
        nothing, other, wild = tensor[..., :0], tensor.double(), tensor * 1e30
        state[name] = random.choice((torch.full_like(tensor, torch.nan), nothing, other, tensor.to("meta"), None, wild))
        if random.randrange(4) == 0:
            del state[name]
    else:
        checkpoint[part] = _changed(checkpoint[part], random)
    out = io.BytesIO()
    torch.save(checkpoint, out)
    return out.getvalue()
