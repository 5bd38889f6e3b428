"""For tests of BFF teams, not only ours: a clock turned by hand, and backends that do as they are told."""
