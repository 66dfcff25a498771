"""Names with the dataset's UUID."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from one.alf.path import add_uuid_string, remove_uuid_string

from cingulum.alf import add_uuid, remove_uuid, split_uuid

names = st.sampled_from(
    ["spikes.times.npy", "alf/#v1#/_ibl_trials.table.raw.pqt", "/x/y.z", "README", ".hidden"]
)


@given(names, st.uuids(version=4))
def test_an_added_id_is_read_back(name: str, dataset_id: UUID) -> None:
    assert split_uuid(add_uuid(name, dataset_id)) == (name, dataset_id)
    assert add_uuid(add_uuid(name, UUID(int=dataset_id.int ^ 1)), dataset_id) == add_uuid(name, dataset_id)


@given(names.filter(lambda name: name.count(".") > 1), st.uuids(version=4))
def test_the_one_client_writes_and_reads_the_same(name: str, dataset_id: UUID) -> None:
    assert add_uuid(name, dataset_id) == add_uuid_string(name, dataset_id).as_posix()
    assert (
        remove_uuid(add_uuid(name, dataset_id)) == remove_uuid_string(add_uuid(name, dataset_id)).as_posix()
    )


def test_a_name_without_id_stays_as_it_is() -> None:
    for name in ("spikes.times.npy", "a976e418-c8b8-4d24-be47-d05120b18341.npy", "a.b.npy/", ""):
        assert split_uuid(name) == (name, None)
