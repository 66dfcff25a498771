"""File names: what is accepted, what is refused, and with which advice."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from one.alf.spec import to_alf

from cingulum.alf import FileName, InvalidName, build_file_name, is_file_name, name_file, parse_file_name
from cingulum.alf.spelling import normal

# The convention's own expression, as published.
CONVENTION = re.compile(
    r"_?(?P<namespace>(?<=_)[a-zA-Z0-9]+)?_?(?P<object>\w+)"
    r"\.(?P<attribute>(?:_[a-z]+_)?[a-zA-Z0-9]+(?:_times(?=[_.])|_intervals(?=[_.]))?)(?:_(?P<timescale>\w+))?"
    r"(?:\.(?P<extra>[.\w-]+))*\.(?P<extension>\w+)$"
)
words = st.text("abXY09é_", min_size=1, max_size=4)
names = st.text("ab_.-Zé ", max_size=12) | st.builds(
    "{}{}.{}{}.npy".format,
    st.sampled_from(["", "_ibl_", "_", "__"]),
    words,
    words | st.just("goCue"),
    st.sampled_from(["", "_times", "_intervals_bpod", "_times_", ".raw", ".x-1.y", ".."]),
)
tokens = st.from_regex(r"[a-zA-Z0-9]{1,6}", fullmatch=True)
parts = st.builds(
    FileName,
    namespace=st.just("") | tokens,
    object=st.from_regex(r"[a-zA-Z0-9]\w{0,6}", fullmatch=True).filter(lambda name: normal(name) == name),
    attribute=st.builds(str.__add__, tokens, st.sampled_from(["", "_times", "_intervals"])),
    timescale=st.just("") | tokens.filter(lambda text: text not in {"times", "intervals"}),
    extra=st.just("") | st.from_regex(r"[a-z0-9-]{1,4}(\.[A-Z-]{1,4})?", fullmatch=True),
    extension=tokens,
)


@given(parts)
def test_what_is_built_is_read_back(name: FileName) -> None:
    assert parse_file_name(build_file_name(name)) == name


@given(names)
@example("a.goCue_times_.npy")
@example("_a_b.c.npy")
def test_what_is_read_is_built_back_and_read_the_same_by_the_convention(text: str) -> None:
    if is_file_name(text):
        parsed = parse_file_name(text)
        convention = CONVENTION.match(text)
        assert build_file_name(parsed) == text
        assert convention
        assert tuple(parsed) == convention.groups("")


@given(names)
def test_only_what_the_convention_cannot_put_together_again_is_refused(text: str) -> None:
    match = CONVENTION.match(text)
    if match and not is_file_name(text):
        parts = FileName(*match.groups(""))
        assert str(parts) != text or parts.object.startswith("_") or "" in parts.extras


@given(st.text(max_size=20) | names)
def test_every_error_names_the_wrong_part_and_what_to_do(text: str) -> None:
    if is_file_name(text):
        return
    with pytest.raises(InvalidName) as refusal:
        parse_file_name(text)
    advice = refusal.value.advice
    assert refusal.value.part in {*FileName._fields, "file"}
    assert advice
    if advice.startswith("did you mean"):
        assert is_file_name(advice.split("`")[1])


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("_ibl_trials.goCue_times_bpod.csv", ("ibl", "trials", "goCue_times", "bpod", "", "csv")),
        ("_spikeglx_ephysData_g0_t0.imec0.ap.cbin", ("spikeglx", "ephysData_g0_t0", "imec0", "", "ap", "cbin")),
        ("spikes.times_ephysClock.npy", ("", "spikes", "times", "ephysClock", "", "npy")),
        ("channels._phy_ids.csv", ("", "channels", "_phy_ids", "", "", "csv")),
        ("_ns_obj.attr1.2622b17c-9408-4910-99cb-abf16d9225b9.metadata.json",
         ("ns", "obj", "attr1", "", "2622b17c-9408-4910-99cb-abf16d9225b9.metadata", "json")),
        ("trials.goCue_timesBpod.npy", ("", "trials", "goCue", "timesBpod", "", "npy")),
    ],
)  # fmt: skip
def test_the_conventions_own_examples(text: str, parts: tuple[str, ...]) -> None:
    assert parse_file_name(text) == parts


@pytest.mark.parametrize(
    ("text", "part", "advice"),
    [
        ("spikes.npy", "attribute", "did you mean `spikes.times.npy`?"),
        ("spike_train.npy", "attribute", "did you mean `spike.train.npy`?"),
        ("_ibl_trials.pqt", "attribute", "did you mean `_ibl_trials.table.pqt`?"),
        ("notes.txt", "attribute", "`notes.<attribute>.txt`"),
        ("README", "attribute", "`object.attribute.extension`"),
        ("_ibl.times.npy", "namespace", "did you mean `ibl.times.npy`?"),
        ("__x.times.npy", "namespace", "two underscores"),
        ("left-camera.times.npy", "object", "did you mean `leftCamera.times.npy`?"),
        ("camera.frame-times.npy", "attribute", "did you mean `camera.frameTimes.npy`?"),
        ("my spikes.times.npy", "file", "' ' (space) at position 3"),
        ("spikes.times.npy\n", "file", "'\\n' (u+000a)"),
        ("spikes.times..npy", "extra", "did you mean `spikes.times.npy`?"),
        ("spikes.times.", "extension", "extension missing"),
        ("alf/spikes.times.npy", "file", "contains no folder"),
        ("camera.times_.npy", "attribute", "did you mean `camera.times.npy`?"),
    ],
)
def test_the_advice_is_precise(text: str, part: str, advice: str) -> None:
    with pytest.raises(InvalidName) as refusal:
        parse_file_name(text)
    assert refusal.value.part == part
    assert advice in str(refusal.value)


@pytest.mark.parametrize("timescale", ["times", "intervals_bpod"])
def test_a_timescale_that_would_be_read_as_attribute_is_not_built(timescale: str) -> None:
    with pytest.raises(InvalidName, match="would be read back as"):
        build_file_name(FileName("", "trials", "goCue", timescale, "", "npy"))


def test_a_hostile_name_is_refused_without_backtracking() -> None:
    """Otherwise it would not end."""
    with pytest.raises(InvalidName):
        parse_file_name("a.b" + ".c" * 50_000 + "!")


@given(
    st.sampled_from(["sparse noise", "mpci ROIs", "Spikes", "passive_RFM", "wheelMoves"]),
    st.sampled_from(["times", "stim_on_times", "go cue_intervals", "mask", "frame_timestamps"]),
    st.sampled_from(["", "ephys clock", "bpod"]),
    st.sampled_from(["", "raw", "raw.v12"]),
)
def test_free_words_become_the_name_the_one_client_writes(
    thing: str, attribute: str, clock: str, extra: str
) -> None:
    ours = name_file(thing, attribute, ".npy", namespace="ibl", timescale=clock, extra=extra)
    assert ours == to_alf(thing, attribute, "npy", "ibl", clock, extra)


def test_invalid_names_are_refused_on_every_python() -> None:
    pieces = [
        "_",
        ".",
        "..",
        "__",
        "-",
        "a",
        "b1",
        "9",
        "times",
        "_times",
        "_intervals",
        "ibl",
        "npy",
        "goCue",
    ]
    draw = Random(1)
    for _ in range(20_000):
        text = "".join(draw.choices(pieces, k=draw.randint(2, 9)))
        try:
            parsed = str(parse_file_name(text))
        except InvalidName:
            parsed = ""
        assert parsed == (text if is_file_name(text) else ""), text
