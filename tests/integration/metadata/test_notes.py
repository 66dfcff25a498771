"""Notes on records: with and without pictures, shown and changed under the rights of their record."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
import sqlalchemy as sa

from libs.common.schemas.content_types import APP_OF
from libs.common.testing import Running
from services.metadata.models import NoteRow, PictureRow
from services.metadata.operations.pictures import Pictures
from services.metadata.queries.noted_records import RECORD_KINDS
from tests.support.imaging import a_location
from tests.support.labs import Labs, a_registry, registered
from tests.support.pictures import bomb, decoded, photograph, png

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def session(shared_labs: Labs, nickname: str) -> dict[str, Any]:
    """A session of ada's lab."""
    await shared_labs.animal(nickname)
    return await shared_labs.session(nickname)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def registry(shared_labs: Labs) -> Running:
    """Registry, with a server of hilllab."""
    return await a_registry(shared_labs)


async def send(
    labs: Labs, method: str, path: str, files: Any = None, username: str = "ada", **fields: Any
) -> httpx.Response:
    """A form as one-api sends it, with files or without."""
    return await labs.as_(username).request(method, path, data=fields, files=files or {"": ("", b"")})


async def noted(
    labs: Labs, session: dict[str, Any], picture: bytes | None = None, **more: Any
) -> dict[str, Any]:
    """A note of ada on a session."""
    fields = {"content_type": "session", "object_id": session["id"], "text": "calm"} | more
    files = None if picture is None else {"image": ("raster plot.png", picture)}
    response = await send(labs, "POST", "/notes", files, **fields)
    assert response.status_code == 201, response.text
    return dict(response.json())


def path_of(note: dict[str, Any]) -> str:
    return str(urlsplit(note["image"]).path)


async def test_a_note_is_of_now_and_of_its_writer(shared_labs: Labs, session: dict[str, Any]) -> None:
    body = {"content_type": "session", "object_id": session["url"], "text": "calm", "json": {"a": 1}}
    response = await shared_labs.as_("ada").post("/notes", body)
    note = response.json()
    assert response.status_code == 201, response.text
    assert list(note) == ["id", "user", "date_time", "content_type", "object_id", "text", "image", "json"]
    assert (note["user"], note["content_type"], note["object_id"]) == (
        "ada",
        "actions.session",
        session["id"],
    )
    assert (note["text"], note["image"], note["json"]) == ("calm", None, {"a": 1})
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", note["date_time"])
    assert (await shared_labs.as_("eve").get(f"/notes/{note['id']}")).json() == note


async def test_a_session_shows_its_notes_newest_first(shared_labs: Labs, session: dict[str, Any]) -> None:
    for day in (1, 3, 2):
        await noted(shared_labs, session, text=str(day), date_time=f"2024-03-0{day}T00:00:00")
    shown = (await shared_labs.metadata.get(f"/sessions/{session['id']}")).json()["notes"]
    assert [(note["text"], note["date_time"]) for note in shown] == [
        (str(day), f"2024-03-0{day}T00:00:00") for day in (3, 2, 1)
    ]


async def test_a_picture_is_served_with_its_note(shared_labs: Labs, session: dict[str, Any]) -> None:
    note = await noted(shared_labs, session, png(1_000, 500))
    path = path_of(note)
    pattern = rf"/uploaded/\d{{4}}/\d\d/\d\d/raster_plot\.{session['id']}\.png"
    assert re.fullmatch(pattern, path)
    response = await shared_labs.as_("eve").get(path)
    assert (response.status_code, response.headers["content-type"]) == (200, "image/png")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert decoded(response.content).size == (800, 400)
    etag = response.headers["etag"]
    assert (await shared_labs.metadata.get(path, headers={"If-None-Match": etag})).status_code == 304
    part = await shared_labs.metadata.get(path, headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, response.content[:4])
    head = await shared_labs.metadata.request("HEAD", path)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(response.content)))


@pytest.mark.parametrize(
    ("width", "size"), [("None", (800, 400)), ("orig", (1_000, 500)), ("120", (120, 60))]
)
async def test_a_picture_is_as_wide_as_its_sender_wants(
    shared_labs: Labs, session: dict[str, Any], width: str, size: tuple[int, int]
) -> None:
    note = await noted(shared_labs, session, png(1_000, 500), width=width)
    assert decoded((await shared_labs.metadata.get(path_of(note))).content).size == size


@pytest.mark.parametrize(
    ("text", "value"), [("null", None), ('{"name": "raster"}', {"name": "raster"}), ("2", 2), ("{", "{")]
)
async def test_the_json_of_a_form_is_read(
    shared_labs: Labs, session: dict[str, Any], text: str, value: object
) -> None:
    assert (await noted(shared_labs, session, png(), json=text))["json"] == value


async def test_a_photograph_is_served_upright_without_its_place(
    shared_labs: Labs, session: dict[str, Any]
) -> None:
    files = {"image": ("home.jpeg", photograph(200, 100))}
    fields = {"content_type": "actions.session", "object_id": session["id"]}
    note = (await send(shared_labs, "POST", "/notes", files, **fields)).json()
    assert path_of(note).endswith(f"/home.{session['id']}.jpeg")
    response = await shared_labs.metadata.get(path_of(note))
    image = decoded(response.content)
    assert (response.headers["content-type"], image.size, dict(image.getexif())) == (
        "image/jpeg",
        (100, 200),
        {},
    )


@pytest.mark.parametrize("data", [b"", b"<svg/>", png()[:45], bomb(), b"\0" * 100], ids=len)
async def test_a_file_that_is_no_picture_is_refused_by_name(
    shared_labs: Labs, session: dict[str, Any], data: bytes
) -> None:
    fields = {"content_type": "session", "object_id": session["id"]}
    response = await send(shared_labs, "POST", "/notes", {"image": ("plot.png", data)}, **fields)
    assert (response.status_code, "image" in response.json()) == (400, True), response.text
    assert (await shared_labs.metadata.get(f"/sessions/{session['id']}")).json()["notes"] == []


async def test_a_picture_of_many_commas_is_no_body_of_many_values(
    shared_labs: Labs, session: dict[str, Any]
) -> None:
    fields = {"content_type": "session", "object_id": session["id"]}
    response = await send(shared_labs, "POST", "/notes", {"image": ("plot.png", b"," * 200_000)}, **fields)
    assert (response.status_code, list(response.json())[:1]) == (400, ["image"])


async def test_two_pictures_of_one_name_are_two_pictures(shared_labs: Labs, session: dict[str, Any]) -> None:
    notes = [await noted(shared_labs, session, png(width)) for width in (10, 20)]
    sizes = [decoded((await shared_labs.metadata.get(path_of(note))).content).width for note in notes]
    assert sizes == [10, 20]


async def test_a_note_is_changed_with_and_without_a_picture(
    shared_labs: Labs, session: dict[str, Any]
) -> None:
    note = await noted(shared_labs, session)
    ada, path = shared_labs.as_("ada"), f"/notes/{note['id']}"
    pictured = (await send(shared_labs, "PATCH", path, {"image": ("a.png", png(10))})).json()
    assert (pictured["text"], pictured["image"] is None) == ("calm", False)
    same = (await ada.put(path, pictured | {"text": "new"})).json()
    assert (same["text"], same["image"]) == ("new", pictured["image"])
    partial = await send(shared_labs, "PUT", path, {"image": ("a.png", png(10))}, text="x")
    assert (partial.status_code, {"user", "object_id"} <= set(partial.json())) == (400, True)
    refused = await ada.patch(path, {"image": "http://example.org/a.png"})
    assert (refused.status_code, next(iter(refused.json()))) == (400, "image")
    cleared = (await ada.patch(path, {"image": None})).json()
    assert (cleared["image"], cleared["text"]) == (None, "new")
    assert (await ada.get(path_of(pictured))).status_code == 404


async def test_a_deleted_note_takes_its_picture_with_it(shared_labs: Labs, session: dict[str, Any]) -> None:
    note = await noted(shared_labs, session, png())
    ada = shared_labs.as_("ada")
    assert (await ada.delete(f"/notes/{note['id']}")).status_code == 204
    statuses = [(await ada.get(path)).status_code for path in (f"/notes/{note['id']}", path_of(note))]
    assert statuses == [404, 404]


async def test_the_note_of_a_deleted_record_is_gone_until_that_is_restored(
    shared_labs: Labs, session: dict[str, Any]
) -> None:
    note = await noted(shared_labs, session, png())
    deleted = await shared_labs.metadata.delete(f"/sessions/{session['id']}")
    assert (deleted.status_code, "1 note" in deleted.headers["alyx-api-notice"]) == (204, True)
    paths = (f"/notes/{note['id']}", path_of(note))
    assert [(await shared_labs.metadata.get(path)).status_code for path in paths] == [404, 404]
    assert (await shared_labs.metadata.post(deleted.headers["location"])).status_code == 200
    assert [(await shared_labs.metadata.get(path)).status_code for path in paths] == [200, 200]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("content_type", "subjects.session"),
        ("content_type", "nothing"),
        ("object_id", "00000000-0000-4000-8000-00000000dead"),
        ("object_id", "KS001"),
        ("user", "nobody"),
        ("date_time", "yesterday"),
        ("width", "wide"),
        ("image", "http://example.org/a.png"),
    ],
)
async def test_a_field_that_names_nothing_is_refused_by_name(
    shared_labs: Labs, session: dict[str, Any], field: str, value: str
) -> None:
    body = {"content_type": "session", "object_id": session["id"], field: value}
    response = await shared_labs.as_("ada").post("/notes", body)
    assert (response.status_code, next(iter(response.json()))) == (400, field)


@pytest.mark.parametrize("missing", ["content_type", "object_id"])
async def test_a_note_needs_a_record(shared_labs: Labs, session: dict[str, Any], missing: str) -> None:
    body = {"content_type": "session", "object_id": session["id"]}
    del body[missing]
    response = await shared_labs.as_("ada").post("/notes", body)
    assert (response.status_code, response.json()[missing]) == (400, ["This field is required."])


async def test_a_record_of_another_lab_takes_no_note(shared_labs: Labs, session: dict[str, Any]) -> None:
    note = await noted(shared_labs, session)
    body = {"content_type": "session", "object_id": session["id"]}
    bob, path = shared_labs.as_("bob"), f"/notes/{note['id']}"
    responses = [await bob.post("/notes", body), await bob.patch(path, {"text": "x"}), await bob.delete(path)]
    assert [response.status_code for response in responses] == [403, 403, 403]
    assert (await bob.get(path)).status_code == 200


async def test_a_note_on_a_hidden_record_is_hidden(shared_labs: Labs, session: dict[str, Any]) -> None:
    name = f"secret {session['subject']}"
    await shared_labs.project(name, "ada", is_private=True)
    note = await noted(shared_labs, session, png())
    await shared_labs.metadata.patch(f"/sessions/{session['id']}", {"projects": [name]})
    eve, root = shared_labs.as_("eve"), shared_labs.metadata
    paths = (f"/notes/{note['id']}", path_of(note))
    assert [(await eve.get(path)).status_code for path in paths] == [404, 404]
    assert [(await root.get(path)).status_code for path in paths] == [200, 200]
    counts = [
        (await caller.get("/notes", params={"django": f"object_id,{session['id']}"})).json()["count"]
        for caller in (eve, root)
    ]
    assert counts == [0, 1]
    body = {"content_type": "session", "object_id": session["id"]}
    other = str(uuid4())
    hidden, missing = [
        (await shared_labs.as_("bob").post("/notes", body | {"object_id": row_id})).json()["object_id"]
        for row_id in (session["id"], other)
    ]
    assert hidden == [text.replace(other, session["id"]) for text in missing]


async def test_every_kind_of_record_takes_notes(shared_labs: Labs, session: dict[str, Any]) -> None:
    labs, nickname = shared_labs, session["subject"]
    words = nickname.lower()
    of_subject = {"subject": nickname, "start_time": "2024-03-02T09:00:00"}
    fov = await labs.post("/fields-of-view", session=session["id"], name="FOV_00")
    records = {
        "session": session,
        "subject": (await labs.metadata.get(f"/subjects/{nickname}")).json(),
        "probeinsertion": await labs.post("/insertions", session=session["id"], name="probe00"),
        "surgery": await labs.post("/surgeries", **of_subject),
        "waterrestriction": await labs.post("/water-restriction", reference_weight=20, **of_subject),
        "weighing": await labs.post("/weighings", subject=nickname, weight=20),
        "wateradministration": await labs.post(
            "/water-administrations", subject=nickname, water_administered=1
        ),
        "fov": fov,
        "fovlocation": {"id": await a_location(labs, fov["id"])},
        "imagingstack": await labs.post("/imaging-stack", name="roi 1"),
        "imagingtype": (await labs.metadata.get("/imaging-types")).json()["results"][0],
        "line": await labs.post("/lines", name=f"line-{words}", lab="hilllab"),
        "litter": await labs.post("/litters", name=f"litter-{words}", line=f"line-{words}"),
        "species": (await labs.metadata.get("/species")).json()["results"][0],
        "labmember": {"id": str(labs.user_ids["ada"])},
        "lab": {"id": str(labs.lab_ids["hilllab"])},
        "project": {"id": str(await labs.project(f"maze {words}"))},
    }
    for model, record in records.items():
        body = {"content_type": model, "object_id": record["id"]}
        response = await labs.metadata.post("/notes", body)
        assert response.status_code == 201, (model, response.text)
        assert response.json()["content_type"] == f"{APP_OF[model]}.{model}"


async def test_files_datasets_and_tags_take_notes(
    shared_labs: Labs, registry: Running, session: dict[str, Any]
) -> None:
    folder = f"{session['subject']}/2024-03-02/001"
    [dataset] = await registered(registry, folder, "alf/spikes.times.npy", hashes="a" * 32)
    await registered(registry, folder, "alf/spikes.times.npy", hashes="b" * 32)
    files = (await registry.get("/files", params={"dataset": dataset["id"]})).json()["results"]
    tag = (await registry.post("/tags", {"name": "paper"})).json()
    for model, record in (("dataset", dataset), ("filerecord", files[0]), ("tag", tag)):
        body = {"content_type": model, "object_id": record["id"], "text": "calm"}
        statuses = [
            (await shared_labs.as_(name).post("/notes", body)).status_code for name in ("root", "bob")
        ]
        assert (model, statuses) == (model, [201, 403])


async def test_a_note_on_a_note_is_written_and_shown_as_one_on_its_record(
    shared_labs: Labs, session: dict[str, Any]
) -> None:
    body = {"content_type": "note", "object_id": (await noted(shared_labs, session))["id"]}
    assert (await shared_labs.as_("bob").post("/notes", body)).status_code == 403
    made = await shared_labs.as_("ada").post("/notes", body)
    assert (made.status_code, made.json()["content_type"]) == (201, "misc.note")
    name = f"secret note {session['subject']}"
    await shared_labs.project(name, "ada", is_private=True)
    await shared_labs.metadata.patch(f"/sessions/{session['id']}", {"projects": [name]})
    path = f"/notes/{made.json()['id']}"
    assert [(await shared_labs.as_(user).get(path)).status_code for user in ("root", "eve")] == [200, 404]
    await shared_labs.metadata.delete(f"/notes/{body['object_id']}")
    assert (await shared_labs.metadata.get(path)).status_code == 404


async def test_a_note_that_has_notes_is_not_moved_to_a_note(
    shared_labs: Labs, session: dict[str, Any]
) -> None:
    ada = shared_labs.as_("ada")
    first, second = [await noted(shared_labs, session) for _ in range(2)]

    async def move(note: dict[str, Any], to: dict[str, Any]) -> int:
        body = {"content_type": "note", "object_id": to["id"]}
        answer = await ada.patch(f"/notes/{note['id']}", body)
        assert answer.status_code == 200 or set(answer.json()) == {"object_id", "status_code", "type"}
        return answer.status_code

    assert await move(first, first) == 400
    on_first = (await ada.post("/notes", {"content_type": "note", "object_id": first["id"]})).json()
    assert [await move(first, second), await move(first, on_first)] == [400, 400]
    assert [await move(on_first, first), await move(on_first, second)] == [200, 200]
    others = [await noted(shared_labs, session) for _ in range(2)]
    assert sorted(await asyncio.gather(move(*others), move(*others[::-1]))) == [200, 400]
    for note in (first, second, on_first, *others):
        assert (await ada.get(f"/notes/{note['id']}")).status_code == 200


async def test_vocabularies_notices_and_downloads_take_notes(
    shared_labs: Labs, registry: Running, session: dict[str, Any]
) -> None:
    labs = shared_labs
    [dataset] = await registered(registry, f"{session['subject']}/2024-03-02/001", "alf/spikes.times.npy")
    words = session["subject"].lower()
    of_ada = registry.as_(labs.principal("ada"))
    [download_id] = (await of_ada.post("/new-download", {"datasets": [dataset["id"]]})).json()["download"]
    notice = (await registry.post("/data-notices", {"name": "x", "datasets": [dataset["id"]]})).json()
    records = {
        "revision": (await registry.post("/revisions", {"name": f"r-{words}"})).json()["id"],
        "dataformat": (await registry.get("/data-formats")).json()["results"][0]["id"],
        "datanotice": notice["id"],
        "download": download_id,
    }
    allowed = {
        "revision": [201, 403, 403],
        "dataformat": [201, 403, 403],
        "datanotice": [201, 201, 403],
        "download": [201, 201, 400],
    }  # nobody but its user and administrators knows of a counter
    for model, object_id in records.items():
        body = {"content_type": f"data.{model}", "object_id": object_id, "text": words}
        statuses = [
            (await labs.as_(name).post("/notes", body)).status_code for name in ("root", "ada", "bob")
        ]
        assert (model, statuses) == (model, allowed[model])
    shown = await labs.as_("bob").get("/notes", params={"django": f"text,{words}"})
    assert {note["content_type"] for note in shown.json()["results"]} == {
        "data.revision",
        "data.dataformat",
        "data.datanotice",
    }
    name = f"secret {session['subject']}"
    await labs.project(name, "ada", is_private=True)
    await labs.metadata.patch(f"/sessions/{session['id']}", {"projects": [name]})
    shown = await labs.as_("bob").get("/notes", params={"django": f"text,{words}"})
    assert {note["content_type"] for note in shown.json()["results"]} == {"data.revision", "data.dataformat"}


async def test_the_kinds_of_records_are_those_that_have_names() -> None:
    assert set(RECORD_KINDS) == set(APP_OF)


@pytest.mark.parametrize(
    ("condition", "texts"),
    [
        ("text,calm", ["calm"]),
        ("text__icontains,ILD", ["wild"]),
        ("json__name,probe", ["calm"]),
        ("user__username,ada,text,wild", ["wild"]),
        ("content_type__model,session,text,calm", ["calm"]),
        ("content_type__app_label,subjects", []),
        ("date_time__date,2024-03-02", ["wild"]),
    ],
)
async def test_the_free_filter_selects_notes(
    shared_labs: Labs, session: dict[str, Any], condition: str, texts: list[str]
) -> None:
    await noted(shared_labs, session, text="calm", json='{"name": "probe"}', date_time="2024-03-01")
    await noted(shared_labs, session, text="wild", date_time="2024-03-02T23:00:00")
    query = {"django": f"object_id,{session['id']},{condition}"}
    response = await shared_labs.as_("ada").get("/notes", params=query)
    assert [note["text"] for note in response.json()["results"]] == texts


async def test_a_picture_that_no_note_has_is_removed_a_month_later(
    shared_labs: Labs, session: dict[str, Any]
) -> None:
    state = shared_labs.metadata.app.state
    pictures: Pictures = state.pictures
    note, orphan = await noted(shared_labs, session, png(31)), await pictures.add(png(32), "a.png", None)
    assert await pictures.remove_unused() == 0
    async with state.writer.begin() as tx:
        await tx.session.execute(
            sa.update(PictureRow).values(announced_at=sa.text("now() - interval '32 days'"))
        )
    assert await pictures.remove_unused() >= 1
    assert orphan.sha256 not in [sha256 async for sha256 in pictures.store.objects()]
    assert (await shared_labs.metadata.get(path_of(note))).status_code == 200
    again = await pictures.add(png(32), "a.png", None)
    assert (await pictures.store.stat(again.sha256)).size_bytes > 0


async def test_a_removed_picture_is_kept_while_its_removal_can_be_undone(
    shared_labs: Labs, session: dict[str, Any]
) -> None:
    state = shared_labs.metadata.app.state
    note = await noted(shared_labs, session, png(34))
    async with state.writer.begin() as tx:
        await tx.session.execute(
            sa.update(PictureRow).values(announced_at=sa.text("now() - interval '32 days'"))
        )
    removed = await shared_labs.as_("ada").patch(f"/notes/{note['id']}", {"image": None})
    assert removed.json()["image"] is None
    await state.pictures.remove_unused()
    query = {"object_type": "note", "object_id": note["id"]}
    [change, *_] = (await shared_labs.metadata.get("/audit/metadata", params=query)).json()["results"]
    assert (await shared_labs.as_("ada").post(f"/undo/metadata/{change['id']}")).status_code == 200
    assert (await shared_labs.metadata.get(urlsplit(note["image"]).path)).status_code == 200


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (
            "multipart/form-data; boundary=b; charset=utf-7",
            b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n+2AA-\r\n--b--\r\n',
        ),
        ("application/json; x=multipart/form-data", b"[" + b"[]," * 100_000 + b"[]]"),
    ],
)
async def test_a_body_that_no_client_sends_is_refused(shared_labs: Labs, kind: str, body: bytes) -> None:
    response = await shared_labs.as_("ada").request(
        "POST", "/notes", content=body, headers={"Content-Type": kind}
    )
    assert response.status_code == 400, response.text


async def test_pictures_beyond_the_queue_are_refused_until_there_is_place(shared_labs: Labs) -> None:
    pictures: Pictures = shared_labs.metadata.app.state.pictures
    sent = [pictures.add(png(1_000 + n, 1_000), "a.png", None) for n in range(12)]
    results = await asyncio.gather(*sent, return_exceptions=True)
    refused = [result for result in results if isinstance(result, Exception)]
    assert {getattr(problem, "status", None) for problem in refused} == {429}
    assert (await pictures.add(png(33), "a.png", None)).extension == "png"


async def test_a_note_never_has_a_path_without_a_picture(shared_labs: Labs) -> None:
    async with shared_labs.metadata.app.state.database.read() as session:
        paths = await session.scalar(sa.select(sa.func.count(NoteRow.image_path)))
        hashes = await session.scalar(sa.select(sa.func.count(NoteRow.image_sha256)))
    assert paths == hashes
