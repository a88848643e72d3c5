"""How withdrawals are cut into parts."""

from hypothesis import given
from hypothesis import strategies as st

from app.adapters.argilla.scanning import PAGE
from app.adapters.argilla.withdrawal import MOST_DELETED, stretches


@given(st.sets(st.integers(0, 5000), max_size=600))
def test_each_record_once_from_the_end_on_one_page_at_a_time(places: set[int]) -> None:
    doomed = [(place, {"id": str(place)}) for place in sorted(places)]
    parts = list(stretches(doomed))
    assert [one for part in parts for one in part] == doomed[::-1]
    assert all(len(part) <= MOST_DELETED for part in parts)
    assert all(part[0][0] - part[-1][0] + 1 <= PAGE for part in parts)
