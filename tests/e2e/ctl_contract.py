# SPDX-License-Identifier: Apache-2.0
"""docs/JSON.md as a judge: every document that the end-to-end tests get from sayhookctl is to be as it says there, with
each member and no other."""

import pathlib
import re

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "JSON.md"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
SIMPLE = {
    "string": lambda value: isinstance(value, str),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "time": lambda value: isinstance(value, str) and TIME.fullmatch(value),
    "any": lambda value: value is not None,
}


class Violation(AssertionError):
    """A document is not as docs/JSON.md says."""


def parse(words):
    """A shape from a list of words, which it takes away: ("object", members), ("list", shape) or a name; with "?"."""
    word = words.pop(0)
    if word == "{":
        members = {}
        while words[0] != "}":
            name = words.pop(0)
            assert words.pop(0) == ":", f"no colon behind {name}"
            members[name] = parse(words)
            if words[0] == ",":
                words.pop(0)
        words.pop(0)
        shape = ("object", members)
    elif word == "[":
        shape = ("list", parse(words))
        assert words.pop(0) == "]", "a list has one shape"
    else:
        shape = ("name", word)
    if words and words[0] == "?":
        words.pop(0)
        return ("optional", shape)
    return shape


def read_document():
    """Names of types and of commands, a command with several shapes by what it is called with."""
    shapes, names = {}, []
    for paragraph in DOCUMENT.read_text().split("\n\n"):
        if paragraph.startswith("`"):
            names = re.findall(r"`([^`]+)`", paragraph.partition(":")[0])
            names = [name + " ID" if " of one " in paragraph else name for name in names]
        elif paragraph.startswith("    {"):
            shape = parse(re.findall(r"\w+|\S", paragraph))
            shapes.update((name, shape) for name in names)
    return shapes


SHAPES = read_document()


def check_shape(shape, value, where):
    kind, rest = shape
    if kind == "optional":
        if value is not None:
            check_shape(rest, value, where)
    elif kind == "list":
        if not isinstance(value, list):
            raise Violation(f"{where} is no list but {value!r}")
        for item in value:
            check_shape(rest, item, f"{where}[]")
    elif kind == "object":
        if not isinstance(value, dict) or value.keys() != rest.keys():
            raise Violation(f"{where} has the members {list(value)}, documented are {list(rest)}")
        for name, member in rest.items():
            check_shape(member, value[name], f"{where}.{name}")
    elif rest not in SIMPLE:
        check_shape(SHAPES[rest], value, where)
    elif not SIMPLE[rest](value):
        raise Violation(f"{where} is no {rest} but {value!r}")


def name_of(arguments):
    """Of a command line, as the document calls it."""
    words = [word for word in arguments if not word.startswith("-")]
    command = next((name for name in (" ".join(words[:2]), words[0]) if name in SHAPES or f"{name} ID" in SHAPES), None)
    options = [f"{command} {word}" for word in arguments if f"{command} {word}" in SHAPES]
    return options[0] if options else command if command in SHAPES else f"{command} ID"


def check_document(arguments, document):
    if list(arguments[:2]) != ["db", "shell"]:
        name = name_of(arguments)
        check_shape(SHAPES[name], document, name)
        seen.add(name)


# What has been looked at so far, for the test that wants every command to be.
seen = set()
