"""A registered path is one in all its spellings, and has no twin in its session."""

from __future__ import annotations

import unicodedata

from tests.support.lab import DAY, LAB, SUBJECT, Laboratory, a_session, files, made


async def registered(lab: Laboratory, path: str, *names: str) -> list[dict[str, str]]:
    answer = await lab.registry.post(
        "/register-file", files(*(names or ("alf/wheel.position.npy",)), path=path)
    )
    assert answer.status_code == 201, answer.text
    return list(answer.json())


async def test_a_session_is_one_in_every_spelling_of_its_path(lab: Laboratory) -> None:
    ids = set()
    for path in (
        f"{SUBJECT}/{DAY}/001",
        f"{SUBJECT}/{DAY}/1",
        f"{SUBJECT.lower()}/{DAY}/01",
        f"\\{SUBJECT}\\{DAY}\\1\\",
    ):
        (row,) = await registered(lab, path)
        ids.add((row["id"], row["session"]))
    assert len(ids) == 1


async def test_another_animal_is_not_named_by_its_spelling(lab: Laboratory) -> None:
    root = lab.metadata.as_(lab.administrator)
    await made(root, "/labs", {"name": "coastlab"})
    lower = {"nickname": SUBJECT.lower(), "lab": "coastlab", "responsible_user": "eve"}
    await made(root, "/subjects", lower)  # without a session, and not visible to the lab's people
    path = f"{SUBJECT.lower()}/{DAY}/001"
    refused = await lab.registry.post("/register-file", files("alf/wheel.position.npy", path=path))
    assert (refused.status_code, "path" in refused.json()) == (400, True)
    body = {"subject": SUBJECT.lower(), "date": DAY, "number": 1, "name": "wheel.position.npy"}
    assert (await lab.registry.post("/datasets", body)).status_code == 400
    path = f"{SUBJECT.title()}/{DAY}/001"  # neither of the two
    assert (await lab.registry.post("/register-file", files("a.b.npy", path=path))).status_code == 400


async def test_a_path_of_sessions_of_two_animals_is_refused_with_both(lab: Laboratory) -> None:
    root = lab.metadata.as_(lab.administrator)
    await made(root, "/labs", {"name": "coastlab"})
    named = {"nickname": SUBJECT, "lab": "coastlab", "responsible_user": "eve"}
    other = await made(root, "/subjects", named)
    there = await made(root, "/sessions", a_session(subject=other["id"], lab="coastlab"))
    registry = lab.registry.as_(lab.administrator)
    body = files("alf/wheel.position.npy")
    dataset = {"subject": SUBJECT, "date": DAY, "number": 1, "name": "wheel.times.npy"}
    for route, sent, field in (("/register-file", body, "path"), ("/datasets", dataset, "subject")):
        refused = await registry.post(route, sent)
        assert (refused.status_code, refused.json()["type"]) == (409, "ambiguous-name")
        assert field in refused.json()
        listed = {(item["id"], item["lab"]) for item in refused.json()["sessions"]}
        assert listed == {(lab.session_id, LAB), (there["id"], "coastlab")}
    for more, session_id in (
        ({"labs": LAB}, lab.session_id),
        ({"labs": "coastlab"}, there["id"]),
        ({"content_type": "session", "object_id": there["id"]}, there["id"]),
    ):
        answer = await registry.post("/register-file", body | more)
        assert answer.status_code == 201, answer.text
        assert answer.json()[0]["session"].rpartition("/")[2] == session_id


async def test_of_two_sessions_of_one_number_the_one_that_has_the_files_gets_them(lab: Laboratory) -> None:
    root, registry = lab.metadata.as_(lab.administrator), lab.registry.as_(lab.administrator)
    (dataset,) = await lab.register("alf/wheel.position.npy", hashes=["0" * 32])
    twin = (await made(root, "/sessions", a_session()))["id"]
    body = files("alf/wheel.position.npy")
    again = await registry.post("/register-file", body)
    assert (again.status_code, [row["id"] for row in again.json()]) == (201, [dataset["id"]]), again.text
    assert again.headers["Alyx-API-Notice"].startswith("!!!1 other session(s)")
    await made(registry, "/tags", {"name": "paper", "protected": True})
    await registry.patch(f"/datasets/{dataset['id']}", {"tags": ["paper"]})
    assert (await registry.get("/check-protected", params=body)).json()["status_code"] == 403
    assert (await registry.post("/register-file", body)).status_code == 403
    new = await registry.post("/register-file", files("alf/wheel.times.npy"))
    assert new.json()[0]["session"].rpartition("/")[2] == twin
    both = await registry.post("/register-file", files("alf/wheel.position.npy", "alf/wheel.times.npy"))
    assert (both.status_code, both.json()["type"]) == (409, "ambiguous-name")
    assert {item["id"] for item in both.json()["sessions"]} == {lab.session_id, twin}


async def test_decomposed_letters_name_the_same_subject_folder_and_file(lab: Laboratory) -> None:
    root = lab.metadata.as_(lab.administrator)
    await made(root, "/subjects", {"nickname": "Zoë", "lab": LAB, "responsible_user": "ada"})
    await made(root, "/sessions", a_session(subject="Zoë"))
    ids = set()
    for form in ("NFC", "NFD"):
        spelled = unicodedata.normalize(form, f"Zoë/{DAY}/1/mäuse")
        name = unicodedata.normalize(form, "wheel.position.é.npy")
        (row,) = await registered(lab, spelled, name)
        ids.add(row["id"])
    assert len(ids) == 1
    dataset = (await lab.registry.get(f"/datasets/{row['id']}")).json()
    assert (dataset["name"], dataset["collection"]) == ("wheel.position.é.npy", "mäuse")


async def test_a_file_or_folder_that_differs_only_by_case_is_refused_with_the_existing_one(
    lab: Laboratory,
) -> None:
    first = ["alf/wheel.position.npy", "alf/#v1#/wheel.position.npy"]
    await lab.register(*first)
    for name, twin in (
        ("alf/Wheel.position.npy", "'alf/wheel.position.npy'"),
        ("ALF/wheel.timestamps.npy", "'alf'"),
        ("alf/#V1#/wheel.position.npy", "'alf/#v1#'"),
    ):
        answer = await lab.registry.post("/register-file", files(name))
        assert answer.status_code == 409
        assert f"the same name as {twin}" in answer.json()["filenames"][0]
    body = {"session": lab.session_id, "name": "Wheel.position.npy", "collection": "alf"}
    assert (await lab.registry.post("/datasets", body)).status_code == 409
    (moved,) = await lab.register("raw/wheel.timestamps.npy")
    refused = await lab.registry.patch(f"/datasets/{moved['id']}", {"collection": "Alf"})
    assert (refused.status_code, "collection" in refused.json()) == (409, True)
    assert (await lab.registry.patch(f"/datasets/{moved['id']}", {"collection": "RAW"})).status_code == 200
    await lab.register(*first)


async def test_twins_within_one_request_are_refused(lab: Laboratory) -> None:
    body = files("alf/wheel.position.npy", "alf/Wheel.position.npy")
    answer = await lab.registry.post("/register-file", body)
    assert answer.status_code == 409
    assert "where case is ignored" in answer.json()["filenames"][0]
    assert (await lab.registry.get("/datasets")).json()["count"] == 0


async def test_names_that_some_file_system_cannot_have_are_refused(lab: Laboratory) -> None:
    for name in ("../a.b.npy", "alf/../a.b.npy", "alf/./a.b.npy", "alf./a.b.npy", "#..#/a.b.npy", "alf/con/a.b.npy",
                 "aux.times.npy", "wheel.position.npy."):  # fmt: skip
        answer = await lab.registry.post("/register-file", files(name))
        assert answer.status_code == 400, name
        assert "filenames" in answer.json()


async def test_a_check_of_protection_names_what_it_does_not_read(lab: Laboratory) -> None:
    query = {"path": f"{SUBJECT}/{DAY}/001", "filenames": "alf/wheel.position.npy"}
    answer = await lab.registry.get("/check-protected", params=query | {"zz": "1"})
    assert (answer.status_code, answer.headers["Alyx-API-Notice"]) == (200, "ignored: zz")
    strict = {"Cingulum-Strict": "1"}
    refused = await lab.registry.get("/check-protected", params=query | {"zz": "1"}, headers=strict)
    assert (refused.status_code, "zz" in refused.json()) == (400, True)
    body = await lab.registry.request("GET", "/check-protected", json=query | {"zz": 1})
    assert body.headers["Alyx-API-Notice"] == "ignored fields: zz"


async def test_datasets_by_the_name_of_two_animals_warn_and_either_id_finds_its_own(lab: Laboratory) -> None:
    (row,) = await registered(lab, f"{SUBJECT}/{DAY}/001")
    root, registry = lab.metadata.as_(lab.administrator), lab.registry.as_(lab.administrator)
    own = (await root.get(f"/subjects/{SUBJECT}")).json()["id"]
    await made(root, "/labs", {"name": "coastlab"})
    twin = {"nickname": SUBJECT, "lab": "coastlab", "responsible_user": "eve"}
    other = (await made(root, "/subjects", twin))["id"]
    for subject, names in ((SUBJECT, [row["id"]]), (own, [row["id"]]), (other, [])):
        answer = await registry.get("/datasets", params={"subject": subject})
        assert [result["url"].rpartition("/")[2] for result in answer.json()["results"]] == names
        notice = answer.headers.get("Alyx-API-Notice", "")
        assert all(f"subject={each} in" in notice for each in (own, other)) == (subject == SUBJECT)


async def test_datasets_of_a_kind_of_object_are_those_of_their_content_type(lab: Laboratory) -> None:
    await registered(lab, f"{SUBJECT}/{DAY}/001")
    root = lab.metadata.as_(lab.administrator)
    subject = (await root.get(f"/subjects/{SUBJECT}")).json()["id"]
    folder = f"Subjects/{LAB}/{SUBJECT}"
    body = {"content_type": "subject", "object_id": subject, "name": "trials.table.pqt", "collection": folder}
    aggregate = await made(lab.registry.as_(lab.administrator), "/datasets", body)
    for path in ("content_type", "content_type__model", "content_type__pk"):
        answer = await lab.registry.get("/datasets", params={"django": f"{path},subject"})
        assert [row["url"] for row in answer.json()["results"]] == [aggregate["url"]], path
    answer = await lab.registry.get("/datasets", params={"django": "content_type__app_label,subjects"})
    assert answer.json()["count"] == 1
