"""The readable tree: hard links that people can open, linked and unlinked in atomic steps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.storage import LocalStore, NotADigest, ObjectMissing, UnsafeName, object_key
from libs.common.storage.tree import checked_name
from tests.support.bytes import sha256

NAME = "lab/Subjects/KS022/2019-12-10/001/alf/#2020-01-01#/spikes.times.npy"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[LocalStore]:
    store = LocalStore(tmp_path)
    for data in (b"one", b"two"):
        await store.put(data)
    yield store
    await store.close()


async def test_a_name_shows_the_object_without_a_second_copy(store: LocalStore) -> None:
    await store.tree.link({NAME: sha256(b"one")})
    assert store.tree.path(NAME).read_bytes() == b"one"
    assert store.tree.path(NAME).stat().st_nlink == 2
    assert store.tree.path(NAME).samefile(store.root / object_key(sha256(b"one")))


async def test_linking_twice_changes_nothing(store: LocalStore) -> None:
    for _ in range(2):
        await store.tree.link({NAME: sha256(b"one")})
    assert store.tree.path(NAME).stat().st_nlink == 2
    assert [path.name for path in store.tree.path(NAME).parent.iterdir()] == ["spikes.times.npy"]


async def test_a_name_can_be_turned_to_another_object_and_the_first_is_kept(store: LocalStore) -> None:
    await store.tree.link({NAME: sha256(b"one")})
    await store.tree.link({NAME: sha256(b"two")})
    assert store.tree.path(NAME).read_bytes() == b"two"
    assert (await store.prove(sha256(b"one"))).size_bytes == 3


async def test_many_names_are_linked_in_one_call(store: LocalStore) -> None:
    names = {f"lab/Subjects/s/2024-01-01/001/alf/a{number}.npy": sha256(b"one") for number in range(200)}
    await store.tree.link(names)
    assert await store.tree.names() == sorted(names)


async def test_unlinking_takes_the_empty_folders_too_and_leaves_the_object(store: LocalStore) -> None:
    await store.tree.link({NAME: sha256(b"one"), "lab/Subjects/other.npy": sha256(b"two")})
    for _ in range(2):
        await store.tree.unlink([NAME])
    assert await store.tree.names() == ["lab/Subjects/other.npy"]
    assert not (store.tree.top / "lab/Subjects/KS022").exists()
    assert (await store.stat(sha256(b"one"))).size_bytes == 3


async def test_the_last_name_leaves_an_empty_tree(store: LocalStore) -> None:
    await store.tree.link({NAME: sha256(b"one")})
    await store.tree.unlink([NAME])
    assert list(store.tree.top.iterdir()) == []


async def test_an_unknown_object_cannot_be_shown(store: LocalStore) -> None:
    with pytest.raises(ObjectMissing):
        await store.tree.link({NAME: sha256(b"never put")})
    with pytest.raises(NotADigest):
        await store.tree.link({NAME: "../../secret"})
    assert await store.tree.names() == []


async def test_a_name_in_place_of_a_folder_or_below_a_file_is_refused(store: LocalStore) -> None:
    await store.tree.link({"lab/a/b": sha256(b"one")})
    for clash in ("lab/a", "lab/a/b/c"):
        with pytest.raises(UnsafeName):
            await store.tree.link({clash: sha256(b"two")})
    with pytest.raises(UnsafeName):
        await store.tree.unlink(["lab/a"])
    await store.tree.unlink(["lab/a/b/c"])
    assert await store.tree.names() == ["lab/a/b"]


async def test_linking_and_unlinking_at_once_ends_in_one_of_both(store: LocalStore) -> None:
    siblings = [f"lab/deep/er/file{number}" for number in range(8)]
    for _ in range(20):
        await asyncio.gather(
            *(store.tree.link({name: sha256(b"one")}) for name in siblings),
            *(store.tree.unlink([name]) for name in siblings),
        )
        await store.tree.link({name: sha256(b"two") for name in siblings})
        assert await store.tree.names() == siblings
        await store.tree.unlink(siblings)
    assert list(store.tree.top.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "a//b",
        "a/",
        "./a",
        "a/../../b",
        "..",
        "a\x00b",
        "a\nb",
        "a\\b",
        "x" * 256,
        "a/" * 1200 + "b",
    ],
)
async def test_a_name_that_would_leave_the_tree_is_refused(store: LocalStore, name: str) -> None:
    with pytest.raises(UnsafeName):
        await store.tree.link({name: sha256(b"one")})


@given(st.text(max_size=60))
def test_any_text_stays_below_the_top_or_is_refused(name: str) -> None:
    top = Path("/top")
    try:
        path = top / checked_name(name)
    except UnsafeName:
        return
    assert path.is_relative_to(top)
    assert path != top
    assert ".." not in path.parts
