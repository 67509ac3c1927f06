"""Files through the unmodified SDK: uploaded, shown, listed by pages, read back, deleted, repeated and refused."""

import bz2
import gzip

import openai
import pytest

from api.openai.conftest import lines_of
from holdfast.api.openai import upload

LINES = lines_of(["one", "two"])


def create(client: openai.OpenAI, content: bytes = LINES, name: str = "in.jsonl", **options):
    return client.files.create(file=(name, content), purpose="batch", **options)


def test_a_file_comes_back_as_it_was_uploaded(client) -> None:
    file = create(client)
    assert (file.bytes, file.filename, file.purpose, file.status) == (len(LINES), "in.jsonl", "batch", "processed")
    assert file.id.startswith("file-")
    assert client.files.retrieve(file.id).to_dict() == file.to_dict()
    assert client.files.content(file.id).content == LINES


def test_a_file_of_many_chunks_comes_back_byte_for_byte(client) -> None:
    content = b"".join(b'{"custom_id": "%d", "text": "%s"}\n' % (n, b"x" * 3_000) for n in range(1_000))
    assert client.files.content(create(client, content).id).read() == content


def test_files_are_listed_by_pages_in_both_orders(client) -> None:
    ids = [create(client, name=f"{n}.jsonl").id for n in range(5)]
    assert [file.id for file in client.files.list(limit=2)] == ids[::-1]
    assert [file.id for file in client.files.list(limit=2, order="asc")] == ids
    page = client.files.list(limit=2, after=ids[1])
    assert ([file.id for file in page.data], page.has_more) == ([ids[0]], False)
    assert client.files.list(purpose="fine-tune").data == []


def test_a_deleted_file_is_gone(client) -> None:
    file = create(client)
    assert client.files.delete(file.id).deleted is True
    for look in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError, match="No such File object"):
            look(file.id)
    assert client.files.list().data == []


def test_a_file_expires_when_its_owner_says_so(client) -> None:
    file = create(client, expires_after={"anchor": "created_at", "seconds": 3_600})
    assert file.expires_at == file.created_at + 3_600
    with pytest.raises(openai.BadRequestError) as refused:
        create(client, expires_after={"anchor": "created_at", "seconds": 5})
    assert refused.value.param == "expires_after.seconds"


def test_an_upload_that_the_sdk_repeats_is_one_file(client) -> None:
    again = {"extra_headers": {"x-stainless-retry-count": "1"}}
    assert create(client, **again).id == create(client, **again).id
    assert create(client).id != create(client).id


def test_an_idempotency_key_names_one_upload_and_is_refused_for_another(client) -> None:
    keyed = {"extra_headers": {"Idempotency-Key": "mine"}}
    assert create(client, **keyed).id == create(client, **keyed).id
    with pytest.raises(openai.ConflictError, match="another request"):
        create(client, lines_of(["three"]), **keyed)


@pytest.mark.parametrize(
    ("options", "param"),
    [({"purpose": "fine-tune"}, "purpose"), ({"file": ("empty", b"")}, "file")],
)
def test_an_upload_that_is_no_batchs_input_is_refused(client, options, param) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.files.create(**{"file": ("in.jsonl", LINES), "purpose": "batch", **options})
    assert refused.value.param == param


def test_a_file_that_is_too_large_or_of_one_endless_line_is_refused(client, monkeypatch) -> None:
    monkeypatch.setattr(upload, "MOST_OF_A_LINE", 100)
    with pytest.raises(openai.BadRequestError, match="line 2 is longer than 100 bytes"):
        create(client, b"{}\n" + b"x" * 101)
    monkeypatch.setattr(upload, "MOST_BYTES", 1_000)
    with pytest.raises(openai.BadRequestError, match="1,000 are the most"):
        create(client, b"x\n" * 600)
    assert client.files.list().data == []


UTF8 = LINES.decode()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (gzip.compress(LINES), "packed with gzip"),
        (bz2.compress(LINES), "packed with bzip2"),
        (b"PK\x03\x04" + LINES, "a zip archive"),
        (UTF8.encode("utf-16"), "written in UTF-16;"),
        (UTF8.encode("utf-16-le"), "written in UTF-16LE"),
        (UTF8.encode("utf-16-be"), "written in UTF-16BE"),
        (UTF8.encode("utf-32"), "written in UTF-32"),
    ],
)
def test_a_file_of_which_no_line_could_be_read_is_refused_as_a_whole(client, content, told) -> None:
    with pytest.raises(openai.BadRequestError, match=told) as refused:
        create(client, content)
    assert refused.value.param == "file"
    assert client.files.list().data == []


@pytest.mark.parametrize("name", ["file-abc", "file-" + "0" * 32, "file-" + "0" * 32 + "-output", "../../etc"])
def test_what_no_file_is_called_is_not_found(client, name) -> None:
    with pytest.raises(openai.NotFoundError):
        client.files.content(name)


def test_blank_lines_are_not_counted_and_ends_of_lines_may_be_of_either_kind() -> None:
    for content, lines in ((b"a\n\n b\n", 2), (b"a\r\n\r\nb", 2), (b"", 0), (b"\n\n", 0), (b"a", 1)):
        for size in (1, 2, 100):
            count = upload.LineCount()
            parts = [content[at : at + size] for at in range(0, len(content), size)]
            assert b"".join(count.of(iter(parts))) == content
            assert (count.lines, count.size) == (lines, len(content))
