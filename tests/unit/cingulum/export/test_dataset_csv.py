"""The table of datasets from CSV is that of the same rows."""

from __future__ import annotations

import csv
import io
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cingulum.alf import inner_path
from cingulum.export.dataset_csv import digest_of, read_datasets
from cingulum.export.one_tables import TableDataset, datasets_table, defaults_among
from cingulum.qc import QC_NAMES

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r/#"), min_size=1, max_size=4)
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["s1", "s2"]),  # eid
        st.integers(0, 2**63),  # size
        st.booleans(),  # flagged
        st.sampled_from(sorted(QC_NAMES)),
        st.sampled_from(["", "alf", "alf/probe00"]) | TEXTS,
        st.sampled_from(["", "2024-01-01", "v1"]) | TEXTS,
        st.sampled_from(["a.b.npy", 'a"b, c.npy']) | TEXTS,
    ),
    max_size=12,
    unique_by=lambda row: (row[0], *row[4:]),
)


@given(ROWS)
def test_the_table_is_that_of_the_rows(rows: list[tuple[Any, ...]]) -> None:
    text = io.StringIO()
    writer = csv.writer(
        text, lineterminator="\n", quoting=csv.QUOTE_NOTNULL if hasattr(csv, "QUOTE_NOTNULL") else 1
    )
    for n, (eid, size, is_flagged, *rest) in enumerate(rows):
        writer.writerow([eid, f"{n:02}", size, f"md5 {n}", "ft"[is_flagged], *rest])
    files = [(eid, collection, name) for eid, _, _, _, collection, _, name in rows]
    defaults = defaults_among((file, row[5], row[2]) for file, row in zip(files, rows, strict=True))
    expected = sorted(
        TableDataset(
            eid,
            f"{n:02}",
            size,
            f"md5 {n}",
            defaults[file] == revision,
            qc,
            inner_path(collection, revision, name),
        )
        for n, (file, (eid, size, _, qc, collection, revision, name)) in enumerate(
            zip(files, rows, strict=True)
        )
    )
    table = read_datasets(text.getvalue().encode())
    columns = zip(*expected, strict=True) if expected else [()] * len(TableDataset._fields)
    written = datasets_table(dict(zip(TableDataset._fields, columns, strict=True)))
    assert table.to_pydict() == written.to_pydict()
    assert table.schema == written.schema
    assert digest_of(table) == digest_of(written)
