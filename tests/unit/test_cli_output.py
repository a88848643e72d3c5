"""Tables that go into a file keep every figure."""

from app.cli.output import print_table


def test_nothing_is_cut_where_there_is_no_terminal(capsys):
    names = [f"a rather long column {number}" for number in range(12)]
    print_table(names, [[0.123456 + number for number in range(12)]], empty="none")
    head, row = capsys.readouterr().out.splitlines()
    assert [part.strip() for part in head.split("  ") if part.strip()] == names
    assert row.split() == [f"{0.123456 + number:.3f}" for number in range(12)]


def test_an_empty_table_says_what_to_do(capsys):
    print_table(["a"], [], empty="Nothing here [yet].")
    assert capsys.readouterr().out == "Nothing here [yet].\n"
