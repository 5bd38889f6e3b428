"""How rows compare: the ratio of one variant to the others under the same load."""

from tests.bench.measure import Row


def against_others(rows: list[Row], figure: str = "rps") -> list[Row]:
    """Give Frontage's rows their ratio to every other variant under the same load."""
    for row in rows:
        if row.variant == "frontage":
            others = [one for one in rows if one.load == row.load and one is not row]
            row.ratios = {one.variant: getattr(row, figure) / max(getattr(one, figure), 1e-9) for one in others}
    return rows


def against(rows: list[Row], variant: str) -> list[Row]:
    """Give every other row its ratio to one variant under the same load."""
    base = {row.load: row.rps for row in rows if row.variant == variant}
    for row in rows:
        if row.variant != variant:
            row.ratios = {variant: row.rps / base[row.load]}
    return rows
