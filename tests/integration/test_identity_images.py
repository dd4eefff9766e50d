"""The pictures of seals and signatures on pages and API, with a real object store: upload, edit, undo, and who sees whose."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator
from hashlib import sha256

import httpx
import pytest
from PIL import Image, ImageDraw

from infra.local import Stack
from tests.integration.identity_world import SCHOOL, Browser, World, code, world_of

API = "/api/identity/images"
PAGES = "/ui/identity/images"
RED = (196, 28, 40)


@pytest.fixture
async def world(light_stack: Stack) -> AsyncIterator[World]:
    async with world_of(light_stack) as made:
        yield made


def drawn(ink: tuple[int, int, int] = RED, size: tuple[int, int] = (400, 300)) -> bytes:
    """A ring on yellowish paper."""
    picture = Image.new("RGB", size, (242, 238, 228))
    ImageDraw.Draw(picture).ellipse((120, 80, 240, 200), outline=ink, width=10)
    kept = io.BytesIO()
    picture.save(kept, "PNG")
    return kept.getvalue()


def files(content: bytes) -> dict[str, tuple[str, bytes, str]]:
    return {"image": ("con-dau.png", content, "image/png")}


async def upload(browser: Browser, kind: str, content: bytes) -> httpx.Response:
    return await browser.ask("POST", f"{API}/{kind}", files=files(content))


async def seen(browser: Browser, href: str) -> Image.Image:
    answer = await browser.ask("GET", href)
    assert answer.status_code == 200, answer.text
    picture = Image.open(io.BytesIO(answer.content))
    picture.load()
    return picture


async def csrf_on(browser: Browser, path: str) -> str:
    page = await browser.ask("GET", path)
    assert page.status_code == 200, page.text
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found
    return found[1]


async def test_a_seal_is_uploaded_edited_and_taken_back_and_each_time_told(world: World) -> None:
    administrator = await world.school()
    first = (await upload(administrator, "seal", drawn())).json()
    assert (first["owner"], first["current"]["number"], first["current"]["width"]) == (SCHOOL, 1, 400)
    edited = await administrator.post(f"{API}/seal/edit", {"background": True, "threshold": 25, "crop": True})
    assert edited["current"]["number"] == 2
    picture = await seen(administrator, edited["current"]["href"])
    assert picture.width < 140
    assert picture.getpixel((0, 0)) == (255, 255, 255, 0)
    back = await administrator.post(f"{API}/seal/restore", {})
    assert (back["current"]["sha256"], [v["number"] for v in back["versions"]]) == (first["current"]["sha256"], [2, 1])
    nothing = await administrator.ask("POST", f"{API}/seal/restore", json={})
    assert (nothing.status_code, nothing.json()["code"]) == (409, "HB-IDN-099")
    assert (await administrator.post(f"{API}/seal/restore", {"number": 2}))["current"]["number"] == 2
    facts = await world.facts("SealImageChangedV1")
    assert [f["image"]["sha256"] for f in facts] == [
        v["sha256"] for v in (first["current"], edited["current"], first["current"], edited["current"])
    ]
    assert {(f["subject"], f["school"], f["image"]["bucket"]) for f in facts} == {(f"seal:{SCHOOL}", SCHOOL, "identity")}
    acts = [(await world.audit(act)) for act in ("image uploaded", "image edited", "image restored")]
    assert [len(found) for found in acts] == [1, 1, 2]
    assert (acts[2][0]["details"]["before"], acts[2][0]["details"]["after"], acts[2][0]["place"]) == (2, 1, SCHOOL)


async def test_an_edit_always_begins_at_the_uploaded_picture(world: World) -> None:
    administrator = await world.school()
    await upload(administrator, "seal", drawn())
    await administrator.post(f"{API}/seal/edit", {"trims": [200, 150, 0, 0], "background": False})
    whole = await administrator.post(f"{API}/seal/edit", {"background": False, "crop": False})
    assert (whole["current"]["width"], whole["current"]["height"]) == (400, 300)


async def test_the_same_click_twice_makes_one_version(world: World) -> None:
    administrator = await world.school()
    first = (await upload(administrator, "seal", drawn())).json()
    assert (await upload(administrator, "seal", drawn())).json() == first
    assert len(await world.facts("SealImageChangedV1")) == 1


async def test_what_is_served_has_the_digest_of_its_address_and_can_only_be_a_picture(world: World) -> None:
    administrator = await world.school()
    made = (await upload(administrator, "seal", drawn())).json()["current"]
    answer = await administrator.ask("GET", made["href"])
    assert (sha256(answer.content).hexdigest(), len(answer.content)) == (made["sha256"], made["size"])
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == 'inline; filename="con-dau.png"'
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "no-store" in answer.headers["Cache-Control"]
    for address in (made["href"].replace(made["sha256"], "0" * 64), made["href"].replace(SCHOOL, "31300002")):
        assert (await administrator.ask("GET", address)).status_code == 404
    assert (await world.browser().ask("GET", made["href"])).status_code == 401


async def test_a_signature_is_seen_by_its_owner_and_by_whoever_approves_and_changed_by_its_owner_alone(world: World) -> None:
    administrator = await world.school()
    owner, colleague = [await world.staff_member(administrator, code(number)) for number in (6, 7)]
    made = (await upload(owner, "signature", drawn((24, 52, 148)))).json()
    assert made["owner"] == code(6)
    href = made["current"]["href"]
    assert [(await who.ask("GET", href)).status_code for who in (owner, administrator, colleague)] == [200, 200, 403]
    await upload(colleague, "signature", drawn((20, 20, 20)))
    assert (await owner.get(f"{API}/signature")) == made
    [fact, _] = await world.facts("SignatureImageChangedV1")
    assert (fact["subject"], fact["school"], fact["person"]) == (f"signature:{code(6)}", SCHOOL, code(6))


async def test_a_teacher_has_no_part_in_the_seal_of_the_school(world: World) -> None:
    administrator = await world.school()
    made = (await upload(administrator, "seal", drawn())).json()["current"]
    teacher = await world.staff_member(administrator, code(6))
    assert (await upload(teacher, "seal", drawn())).status_code == 403
    for path in (made["href"], f"{API}/seal", f"{PAGES}/seal", f"{PAGES}/seal/edit", f"{PAGES}/seal/preview.png"):
        assert (await teacher.ask("GET", path)).status_code == 403


@pytest.mark.parametrize(
    ("content", "status", "refusal"),
    [
        (b"\xff\xd8\xff\xe0 not at all", 422, "HB-IDN-091"),
        (drawn()[:-20], 422, "HB-IDN-092"),
        (drawn() + b"%PDF-1.7", 422, "HB-IDN-095"),
        (b"", 409, "HB-IDN-099"),
    ],
    ids=["JPEG", "cut off", "PDF behind", "empty"],
)
async def test_an_unfit_file_is_refused_with_its_own_words_and_nothing_is_kept(
    world: World, content: bytes, status: int, refusal: str
) -> None:
    administrator = await world.school()
    answer = await upload(administrator, "seal", content)
    assert (answer.status_code, answer.json()["code"]) == (status, refusal)
    csrf = await csrf_on(administrator, f"{PAGES}/seal")
    page = await administrator.ask("POST", f"{PAGES}/seal", data={"csrf": csrf}, files=files(content))
    assert page.status_code == status
    assert "Lỗi: cần kiểm tra lại" in page.text
    assert 'href="#image"' in page.text
    assert await world.db["images"].count_documents({}) == 0


async def test_twenty_megabytes_are_refused_from_their_length_alone(world: World) -> None:
    administrator = await world.school()
    for path in (f"{API}/seal", f"{PAGES}/seal"):
        answer = await administrator.ask("POST", path, files=files(bytes(20 * 1024 * 1024)))
        assert answer.status_code == 413
        assert "2 MB" in (answer.json()["cause"] if path == f"{API}/seal" else answer.text)
    assert (await administrator.ask("GET", "/api/identity/images/seal")).status_code == 200


async def test_a_body_of_unknown_length_is_read_no_further_than_a_picture_may_be_large(world: World) -> None:
    administrator = await world.school()
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
        for _ in range(20 * 16):
            sent += 64 * 1024
            yield bytes(64 * 1024)
        yield b"\r\n--x--\r\n"

    token = (await administrator.client.get("/internal/session")).headers["X-Internal-Token"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "multipart/form-data; boundary=x"}
    answer = await administrator.client.post(f"{API}/seal", content=body(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "HB-IDN-090")
    assert sent < 3 * 1024 * 1024
    assert await world.db["images"].count_documents({}) == 0


async def test_what_is_no_form_with_a_file_is_refused(world: World) -> None:
    administrator = await world.school()
    for body in ({"json": {"image": "x"}}, {"data": {"image": "x"}}, {"files": {"other": ("a.png", drawn(), "image/png")}}):
        answer = await administrator.ask("POST", f"{API}/seal", **body)
        assert answer.status_code in (409, 422), body


async def test_the_pages_lead_from_the_upload_over_a_preview_to_the_saved_picture_and_back(world: World) -> None:
    administrator = await world.school()
    csrf = await csrf_on(administrator, f"{PAGES}/seal")
    assert (await administrator.ask("POST", f"{PAGES}/seal", data={"csrf": "x"}, files=files(drawn()))).status_code == 403
    saved = await administrator.ask("POST", f"{PAGES}/seal", data={"csrf": csrf}, files=files(drawn()))
    assert saved.status_code == 303
    page = await administrator.ask("GET", saved.headers["Location"])
    assert "Thông tin hình ảnh con dấu" in page.text
    assert "Đã lưu ảnh con dấu." in page.text
    assert "1.1. Quản lý con dấu trường" in page.text
    asked = "background=1&threshold=40&crop=numbers&left=100&top=60&right=140&bottom=80"
    edit = await administrator.ask("GET", f"{PAGES}/seal/edit?{asked}")
    assert "csrf" not in str(edit.url)
    assert 'value="40"' in edit.text
    preview, sample = [await seen(administrator, f"{PAGES}/seal/{name}.png?{asked}") for name in ("preview", "sample")]
    assert (preview.size, sample.size) == ((160, 160), (600, 260))
    assert preview.getpixel((1, 1)) in ((255, 255, 255, 255), (222, 226, 230, 255))
    order = {"csrf": csrf, **dict(pair.split("=") for pair in asked.split("&"))}
    done = await administrator.ask("POST", f"{PAGES}/seal/edit", data=order)
    assert done.headers["Location"] == f"{PAGES}/seal?did=edited"
    page = await administrator.ask("GET", done.headers["Location"])
    assert "Đã xóa nền, ngưỡng 40, cắt theo số điểm ảnh · 160 × 160 điểm ảnh" in page.text
    undone = await administrator.ask("POST", f"{PAGES}/seal/restore", data={"csrf": csrf})
    assert undone.status_code == 303
    history = await administrator.get(f"{API}/seal")
    assert (history["current"]["number"], len(history["versions"])) == (1, 2)


async def test_an_edit_that_leaves_nothing_is_said_beside_its_field_and_nothing_is_saved(world: World) -> None:
    administrator = await world.school()
    await upload(administrator, "seal", drawn())
    csrf = await csrf_on(administrator, f"{PAGES}/seal")
    page = await administrator.ask("GET", f"{PAGES}/seal/edit?background=1&crop=numbers&left=390&right=390")
    assert page.status_code == 422
    assert 'href="#left"' in page.text
    sent = await administrator.ask("POST", f"{PAGES}/seal/edit", data={"csrf": csrf, "crop": "numbers", "top": "299"})
    assert sent.status_code == 422
    assert len((await administrator.get(f"{API}/seal"))["versions"]) == 1
    faint = drawn((236, 232, 222))
    await upload(administrator, "seal", faint)
    nothing = await administrator.ask("GET", f"{PAGES}/seal/edit?background=1&crop=auto&threshold=50")
    assert (nothing.status_code, 'href="#threshold"' in nothing.text) == (422, True)


async def test_numbers_without_sense_in_the_address_of_the_edit_are_no_fault(world: World) -> None:
    administrator = await world.school()
    await upload(administrator, "seal", drawn())
    for query in ("threshold=" + "9" * 5000, "crop=numbers&left=-1&top=x", "background=1&crop=auto&threshold=0", "crop=unheard-of"):
        assert (await administrator.ask("GET", f"{PAGES}/seal/edit?{query}")).status_code == 200
    assert (await administrator.ask("GET", f"{PAGES}/stamp")).status_code in (404, 422)


async def test_nothing_can_be_edited_before_a_picture_is_there(world: World) -> None:
    administrator = await world.school()
    assert (await administrator.get(f"{API}/seal"))["current"] is None
    for path in (f"{PAGES}/seal/edit", f"{PAGES}/seal/preview.png", f"{PAGES}/seal/sample.png"):
        assert (await administrator.ask("GET", path)).status_code == 409
    assert (await administrator.ask("POST", f"{API}/seal/edit", json={})).json()["code"] == "HB-IDN-099"


async def test_the_sample_of_a_principals_signature_bears_the_schools_seal(world: World) -> None:
    administrator = await world.school()
    await upload(administrator, "seal", drawn())
    principal, teacher = [await world.staff_member(administrator, code(number)) for number in (1, 6)]
    red = {}
    for name, browser in (("principal", principal), ("teacher", teacher)):
        await upload(browser, "signature", drawn((24, 52, 148)))
        picture = await seen(browser, f"{PAGES}/signature/sample.png")
        red[name] = sum(1 for p in picture.convert("RGB").get_flattened_data() if isinstance(p, tuple) and p[0] > 150 and p[1] < 80)
    assert red["principal"] > 500
    assert red["teacher"] == 0
