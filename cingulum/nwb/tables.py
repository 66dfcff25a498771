"""Writes the tables of electrodes and units."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

import numpy as np
from hdmf.backends.hdf5 import H5DataIO
from hdmf.common import DynamicTableRegion, VectorData, VectorIndex
from pynwb import NWBFile
from pynwb.misc import Units as UnitsTable

from cingulum.nwb.plan import Column, FilePlan
from cingulum.nwb.plan import Probe as ProbePlan

_COMPRESSED_FROM: Final = 1 << 16  # bytes: below, the chunk index costs more than the compression saves


def add_electrodes(file: NWBFile, probes: Sequence[ProbePlan]) -> None:
    """Devices, electrode groups and rows of the electrode table of all probes."""
    for probe in probes:
        device = file.create_device(name=probe.name, description=f"{probe.model} probe {probe.name}")
        regions = sorted(set(probe.locations))
        group = file.create_electrode_group(
            name=f"{probe.name}_shank",
            description=f"Electrodes of {probe.name}",
            location=", ".join(regions),
            device=device,
        )
        for row, location in enumerate(probe.locations):
            values = {column.name: column.values[row] for column in probe.electrodes}
            file.add_electrode(location=location, group=group, **values)


def add_units(file: NWBFile, plan: FilePlan) -> None:
    """The table of units, with references to their electrodes."""
    units = plan.units
    if units is None:
        return
    known = units.electrodes >= 0
    regions = DynamicTableRegion(
        name="electrodes",
        description="electrode with the largest amplitude",
        data=units.electrodes[known],
        table=file.electrodes,
    )
    columns = [
        *chain.from_iterable(map(vector_data, (units.spike_times, *units.columns))),
        *(
            [VectorIndex(name="electrodes_index", data=np.cumsum(known), target=regions), regions]
            if known.any()
            else []
        ),
    ]
    names = [column.name for column in columns if not isinstance(column, VectorIndex)]
    file.units = UnitsTable(
        name="units",
        description="Units of the spike sorting",
        columns=columns,
        colnames=names,
        electrode_table=file.electrodes,
        resolution=units.resolution,
    )


def vector_data(column: Column) -> list[VectorData]:
    """A column, and the index of its rows if they have several values."""
    data = VectorData(name=column.name, description=column.description, data=stored(column.values))
    if column.index is None:
        return [data]
    return [VectorIndex(name=f"{column.name}_index", data=column.index, target=data), data]


def stored(values: np.ndarray[Any, np.dtype[Any]]) -> Any:
    """Values as HDF5 stores them: compressed, unless they are few."""
    if values.dtype == object or values.nbytes < _COMPRESSED_FROM:
        return values
    return H5DataIO(values, compression="gzip", compression_opts=4, shuffle=True, chunks=True)
