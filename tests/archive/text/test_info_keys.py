import pytest
from hypothesis import given
from hypothesis import strategies as st

from haploom.archive.text.info_keys import join_info, places_of_keys, split_info

FIELDS = st.one_of(
    st.sampled_from(
        [b"AC=1", b"AC=2,3", b"AC", b"AC=", b"=", b"==", b".", b"", b"DB", b"%s=%d", b"X=a=b", b"%b", b"\r"]
    ),
    st.binary(max_size=5).map(lambda field: field.replace(b"\n", b"")),
)
INFO = st.lists(st.lists(FIELDS, min_size=1, max_size=5).map(b";".join), max_size=20)


@given(INFO)
def test_info__join_inverts_split(column):
    layouts, values = split_info(column)
    assert join_info(layouts, values) == column


@pytest.mark.parametrize(
    ("info", "layout", "values"),
    [
        (b".", b".", []),
        (b"", b"", []),
        (b"AC=1;DB;AF=0.5", b"AC=;DB;AF=", [b"1", b"0.5"]),
        (b"A=b=c;A=;A", b"A=;A=;A", [b"b=c", b""]),
        (b"=x;;", b"=;;", [b"x"]),
    ],
)
def test_info__known_fields(info, layout, values):
    layouts, found = split_info([info])
    assert (layouts, found.tolist()) == ([layout], values)


@given(INFO)
def test_info__values_of_keys_against_a_plain_loop(column):
    expected: dict[bytes, list[tuple[int, bytes]]] = {}
    for record, info in enumerate(column):
        for field in info.split(b";"):
            key, mark, value = field.partition(b"=")
            if mark:
                expected.setdefault(key + b"=", []).append((record, value))
    layouts, values = split_info(column)
    found = {
        key: list(zip(records.tolist(), values[places].tolist()))
        for key, (places, records) in places_of_keys(layouts).items()
    }
    assert found == expected
    assert list(found) == list(expected)
