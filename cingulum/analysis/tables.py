"""ALF tables in Parquet, read into arrays; no other module of this package knows a file format."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from cingulum.analysis.trials import COLUMNS, Trials, trials_from_columns


def trials_from_parquet(content: bytes) -> Trials:
    """The trials in the bytes of a `trials.table.pqt`; only the columns of `Trials` are read.

    Raises MissingColumns, and pyarrow's ArrowInvalid if the bytes are not Parquet.

    >>> sink = pa.BufferOutputStream()
    >>> pq.write_table(pa.table({"contrastLeft": [0.5], "contrastRight": [None], "choice": [1],
    ...                          "feedbackType": [1]}, schema=pa.schema([("contrastLeft", pa.float64()),
    ...     ("contrastRight", pa.float64()), ("choice", pa.int64()), ("feedbackType", pa.int64())])), sink)
    >>> trials_from_parquet(sink.getvalue().to_pybytes()).signed_contrast_percent.tolist()
    [-50.0]
    """
    file = pq.ParquetFile(pa.BufferReader(content))
    names = [name for name in COLUMNS.values() if name in set(file.schema_arrow.names)]
    table = file.read(columns=names)
    return trials_from_columns({name: table[name].to_numpy() for name in names})
