"""Advice on spellings: of two files with one name, the advice names the file, not a folder above it."""

from __future__ import annotations

import unicodedata

from cingulum.alf.check_spelling import check_spellings

SESSION = "m1/2024-01-02/001"
DECOMPOSED = unicodedata.normalize("NFD", "spé.times.npy")


def test_the_advice_on_a_twin_names_the_part_that_differs() -> None:
    paths = [
        *(
            f"{SESSION}/alf/{name}"
            for name in ("Spikes.times.npy", "spikes.times.npy", "spé.times.npy", DECOMPOSED)
        ),
        f"{SESSION}/Alf/x.y.npy",
        "M1/2024-01-02/002/a.b.npy",
        f"{SESSION}/alf/w.z.npy",
        "m1/2024-01-02/1/alf/w.z.npy",
    ]
    advised = check_spellings(paths)
    twins = {path: spelling.advice for path, spelling in advised.items() if spelling.is_wrong}
    assert set(twins) == {
        f"{SESSION}/alf/spikes.times.npy",
        f"{SESSION}/alf/{DECOMPOSED}",
        "m1/2024-01-02/1/alf/w.z.npy",
    }
    assert "the same name as `Spikes.times.npy`" in twins[f"{SESSION}/alf/spikes.times.npy"]
    assert "in other code points" in twins[f"{SESSION}/alf/{DECOMPOSED}"]
    assert "`1` and `001` are one session" in twins["m1/2024-01-02/1/alf/w.z.npy"]
    others = [spelling.advice for path, spelling in advised.items() if path not in twins]
    assert others
    assert all(advice.startswith("folder `m1` is `M1`") for advice in others)
